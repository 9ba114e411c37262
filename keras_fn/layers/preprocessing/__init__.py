"""Preprocessing layers."""

from keras_fn.layers.preprocessing.rescaling import Rescaling as Rescaling
