"""Images with boxes and masks, and galleries; also models as tables, text and pictures.

As a public namespace, `keras.visualization`. The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
