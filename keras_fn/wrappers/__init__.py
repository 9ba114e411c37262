"""scikit-learn estimators of Keras models: the public namespace `keras.wrappers`.

The public names are listed in `__init__.pyi`. scikit-learn is imported with the first of them.
"""

from keras_fn._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
