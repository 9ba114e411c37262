"""Debugging, profiling and tuning of training runs: the public namespace `keras.debugging`.

The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
