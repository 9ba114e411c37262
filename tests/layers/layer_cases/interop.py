"""Rows of layers that hold a module or a function of a framework, on its backend."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from typing import Any

from layer_cases.case import LayerCase

BACKEND = os.environ.get("KERAS_BACKEND")
LAYERS = {
    "TorchModuleWrapper": ({"torch"}, "torch"),
    "JaxLayer": ({"jax", "tensorflow"}, "jax"),
    "FlaxLayer": ({"jax", "tensorflow"}, "flax"),
    "TFSMLayer": ({"tensorflow"}, "tensorflow"),
}
"""The backends of a layer, and the library that it needs."""
OTHER_BACKENDS = {
    name: f"it runs on {' and '.join(sorted(backends))} alone, and needs {library}"
    for name, (backends, library) in LAYERS.items()
    if BACKEND not in backends or find_spec(library) is None
}
"""Classes without a row: of other backends, and those whose library is not installed."""


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


@cache
def _flax_module(layers: Any) -> dict[str, Any]:
    import flax.linen

    import keras_fn as keras

    class Dense(flax.linen.Dense):
        def get_config(self) -> dict[str, int]:
            return {"features": self.features}

        @classmethod
        def from_config(cls, config: dict[str, int]) -> "Dense":
            return cls(**config)

    keras.saving.register_keras_serializable("rows")(Dense)
    return {"module": Dense(2)}


@cache
def _saved_model(layers: Any) -> dict[str, Any]:
    import tensorflow as tf

    module = tf.Module()
    module.kernel = tf.Variable(tf.ones((3, 2)), name="kernel")
    signature = [tf.TensorSpec((None, 3))]
    module.serve = tf.function(lambda x: x @ module.kernel, input_signature=signature)
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tf.saved_model.save(module, folder)
    return {"filepath": folder}


_ARGUMENTS = {
    "TorchModuleWrapper": _torch_module,
    "JaxLayer": _jax_function,
    "FlaxLayer": _flax_module,
    "TFSMLayer": _saved_model,
}
CASES: list[LayerCase] = [
    LayerCase(
        name,
        arguments,
        (2, 3),
        keras=False,
        # The signature of the SavedModel has float32.
        only=("float32",) if name == "TFSMLayer" else (),
        runs_code=name == "TFSMLayer",
    )
    for name, arguments in _ARGUMENTS.items()
    if name not in OTHER_BACKENDS
]
