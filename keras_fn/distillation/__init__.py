"""Knowledge distillation: the public namespace `keras.distillation`.

The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
