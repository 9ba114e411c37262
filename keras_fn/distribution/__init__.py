"""Training on several devices and hosts: the public namespace `keras.distribution`.

The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
