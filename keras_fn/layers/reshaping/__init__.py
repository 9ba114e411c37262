"""Layers that change the shape of their inputs."""

from keras_fn.layers.reshaping.cropping import Cropping1D as Cropping1D
from keras_fn.layers.reshaping.cropping import Cropping2D as Cropping2D
from keras_fn.layers.reshaping.cropping import Cropping3D as Cropping3D
from keras_fn.layers.reshaping.flatten import Flatten as Flatten
from keras_fn.layers.reshaping.permute import Permute as Permute
from keras_fn.layers.reshaping.repeat_vector import RepeatVector as RepeatVector
from keras_fn.layers.reshaping.reshape import Reshape as Reshape
from keras_fn.layers.reshaping.up_sampling import UpSampling1D as UpSampling1D
from keras_fn.layers.reshaping.up_sampling import UpSampling2D as UpSampling2D
from keras_fn.layers.reshaping.up_sampling import UpSampling3D as UpSampling3D
from keras_fn.layers.reshaping.zero_padding import ZeroPadding1D as ZeroPadding1D
from keras_fn.layers.reshaping.zero_padding import ZeroPadding2D as ZeroPadding2D
from keras_fn.layers.reshaping.zero_padding import ZeroPadding3D as ZeroPadding3D
