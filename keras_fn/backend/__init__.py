"""Level 0: the backend contract and its loader. As a public namespace, `keras.backend`.

The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
