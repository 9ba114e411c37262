"""Images as arrays and files: the public namespace `keras.preprocessing.image`.

The public names are listed in `image.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
