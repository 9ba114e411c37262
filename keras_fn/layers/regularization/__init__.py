"""Layers that keep a model from learning its training data by heart."""

from keras_fn.layers.regularization.activity_regularization import (
    ActivityRegularization as ActivityRegularization,
)
from keras_fn.layers.regularization.dropout import AlphaDropout as AlphaDropout
from keras_fn.layers.regularization.dropout import Dropout as Dropout
from keras_fn.layers.regularization.dropout import SpatialDropout1D as SpatialDropout1D
from keras_fn.layers.regularization.dropout import SpatialDropout2D as SpatialDropout2D
from keras_fn.layers.regularization.dropout import SpatialDropout3D as SpatialDropout3D
from keras_fn.layers.regularization.noise import GaussianDropout as GaussianDropout
from keras_fn.layers.regularization.noise import GaussianNoise as GaussianNoise
