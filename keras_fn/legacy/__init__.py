"""What Keras kept of its former versions: the public namespace `keras.legacy`."""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
