"""Bounding boxes: the public namespace `keras.utils.bounding_boxes`.

The public names are listed in `bounding_boxes.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
