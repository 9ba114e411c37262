"""Reshaping layers: shapes, padding, cropping, upsampling."""

from keras_fn.layers.reshaping.cropping import (
    Cropping1D as Cropping1D,
    Cropping2D as Cropping2D,
    Cropping3D as Cropping3D,
)
from keras_fn.layers.reshaping.flatten import Flatten as Flatten
from keras_fn.layers.reshaping.permute import Permute as Permute
from keras_fn.layers.reshaping.repeat_vector import RepeatVector as RepeatVector
from keras_fn.layers.reshaping.reshape import Reshape as Reshape
from keras_fn.layers.reshaping.up_sampling import (
    UpSampling1D as UpSampling1D,
    UpSampling2D as UpSampling2D,
    UpSampling3D as UpSampling3D,
)
from keras_fn.layers.reshaping.zero_padding import (
    ZeroPadding1D as ZeroPadding1D,
    ZeroPadding2D as ZeroPadding2D,
    ZeroPadding3D as ZeroPadding3D,
)
