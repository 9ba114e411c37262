"""Regularization layers: dropout, noise, activity penalties."""

from keras_fn.layers.regularization.activity_regularization import (
    ActivityRegularization as ActivityRegularization,
)
from keras_fn.layers.regularization.alpha_dropout import AlphaDropout as AlphaDropout
from keras_fn.layers.regularization.dropout import Dropout as Dropout
from keras_fn.layers.regularization.gaussian_dropout import GaussianDropout as GaussianDropout
from keras_fn.layers.regularization.gaussian_noise import GaussianNoise as GaussianNoise
from keras_fn.layers.regularization.spatial_dropout import (
    SpatialDropout1D as SpatialDropout1D,
    SpatialDropout2D as SpatialDropout2D,
    SpatialDropout3D as SpatialDropout3D,
)
