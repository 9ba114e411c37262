"""Rows of layers that hold a module or a function of a framework, on its backend."""

import os
from functools import cache
from typing import Any

from layer_cases.case import LayerCase

BACKEND = os.environ.get("KERAS_BACKEND")
LAYERS = {
    "TorchModuleWrapper": "torch",
    "JaxLayer": "jax",
    "FlaxLayer": "jax",
    "TFSMLayer": "tensorflow",
}
OTHER_BACKENDS = {
    name: f"it runs on the {backend} backend only"
    for name, backend in LAYERS.items()
    if backend != BACKEND or name in ("FlaxLayer", "TFSMLayer")
}
"""Classes without a row: of other backends, and those that need Flax or a SavedModel."""


@cache
def _torch_class() -> Any:
    import torch

    import keras_fn as keras

    @keras.saving.register_keras_serializable("rows")
    class Dense(torch.nn.Linear):
        def __init__(self, inputs: int, outputs: int):
            super().__init__(inputs, outputs)

        def get_config(self) -> dict[str, int]:
            return {"inputs": self.in_features, "outputs": self.out_features}

        @classmethod
        def from_config(cls, config: dict[str, int]) -> "Dense":
            return cls(**config)

    return Dense


def _torch_module(layers: Any) -> dict[str, Any]:
    return {"module": _torch_class()(3, 2)}


@cache
def _jax_function(layers: Any) -> dict[str, Any]:
    import keras_fn as keras

    @keras.saving.register_keras_serializable("rows")
    def dense(params: Any, inputs: Any) -> Any:
        return inputs @ params

    @keras.saving.register_keras_serializable("rows")
    def init(rng: Any, inputs: Any) -> Any:
        import jax

        return jax.random.normal(rng, (inputs.shape[-1], 2))

    return {"call_fn": dense, "init_fn": init}


CASES: list[LayerCase] = []
if BACKEND == "torch":
    CASES.append(LayerCase("TorchModuleWrapper", _torch_module, (2, 3), keras=False))
if BACKEND == "jax":
    CASES.append(LayerCase("JaxLayer", _jax_function, (2, 3), keras=False))
