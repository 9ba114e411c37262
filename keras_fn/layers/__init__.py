"""Layers: the public namespace `keras.layers`.

The public names are listed in `__init__.pyi`. A layer is imported when it is first used, or when a
config names it.
"""

from keras_fn._lazy import attach_stub, read_stub
from keras_fn.core import registry

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
registry.register_lazily(
    "layer",
    "keras.layers",
    {
        name: origin
        for name, origin in read_stub(__file__).items()
        if name[0].isupper() and name not in ("Input", "InputSpec")
    },
    __getattr__,
)
# Layers inside models of `keras.applications`: in no namespace, but files name them.
for _module, _names in {
    "keras.src.applications.convnext": ("LayerScale", "StochasticDepth"),
    "keras.src.applications.inception_resnet_v2": ("CustomScaleLayer",),
}.items():
    registry.register_lazily(
        "layer",
        _module,
        {name: read_stub(__file__)[f"_{name}"] for name in _names},
        lambda name: __getattr__(f"_{name}"),
    )
