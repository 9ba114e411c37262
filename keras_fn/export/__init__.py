"""Level 5: artifacts for inference, which run without keras_fn. The namespace `keras.export`.

The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
