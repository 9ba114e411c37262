"""The base class of layers that also run in data pipelines."""

from keras_fn.layers.layer import Layer


class DataLayer(Layer):
    """Base class of preprocessing layers: they run in models and in data pipelines."""
