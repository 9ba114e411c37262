"""Loading and padding of data: the public namespace `keras.preprocessing`.

The public names are listed in `__init__.pyi`; most are those of `keras.utils`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
