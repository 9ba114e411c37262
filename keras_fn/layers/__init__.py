"""Layers: the public namespace `keras.layers`.

The public names are listed in `__init__.pyi`. A layer is imported when it is first used, or when a
config names it.
"""

from keras_fn._lazy import attach_stub, read_stub
from keras_fn.core import registry

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
_exports = read_stub(f"{__file__.removesuffix('c')}i")
registry.register_lazily(
    "layer",
    "keras.layers",
    {
        name: origin
        for name, origin in _exports.items()
        if name[0].isupper() and name not in ("Input", "InputSpec")
    },
    __getattr__,
)
