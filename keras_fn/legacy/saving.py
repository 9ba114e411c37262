"""The configs of Keras 2: the public namespace `keras.legacy.saving`.

The public names are listed in `saving.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
