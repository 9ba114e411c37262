"""Padding of sequences: the public namespace `keras.preprocessing.sequence`.

The public names are listed in `sequence.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
