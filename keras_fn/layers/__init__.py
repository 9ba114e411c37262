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
_CONVNEXT, _INCEPTION = (
    f"keras.src.applications.{name}" for name in ("convnext", "inception_resnet_v2")
)
registry.register_rare(
    "layer",
    {
        "LayerScale": ("keras_fn.layers.core.layer_scale", _CONVNEXT),
        "StochasticDepth": ("keras_fn.layers.regularization.stochastic_depth", _CONVNEXT),
        "CustomScaleLayer": ("keras_fn.layers.merging.custom_scale_layer", _INCEPTION),
    },
)
