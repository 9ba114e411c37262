"""keras_fn: the Keras 3 API over JAX, PyTorch or TensorFlow. `import keras_fn as keras`.

The environment variable `KERAS_BACKEND` selects the backend. Importing this package loads none: the
first use of a layer, an op or a model does. The public names are listed in `__init__.pyi`.
"""

from keras_fn._lazy import attach_stub
from keras_fn.version import __version__ as __version__, version as version

__getattr__, __dir__, __all__ = attach_stub(
    __name__,
    __file__,
    # A variable may name its initializer.
    requires={"keras_fn.core.variable": ["keras_fn.initializers"]},
)
