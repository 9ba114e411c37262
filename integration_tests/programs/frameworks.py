"""What the 2019 guide calls `tf`: the backend's own functions under those names."""

import types
from typing import Any

import keras_fn as keras


def framework() -> Any:
    """Returns a module with `matmul`, `zeros`, `stack` and `keras`, of the backend in use."""
    module: Any = types.ModuleType("framework")
    module.keras = keras
    name = keras.config.backend()
    if name == "jax":
        import jax.numpy as jnp

        module.matmul, module.zeros, module.stack = jnp.matmul, jnp.zeros, jnp.stack
    elif name == "torch":
        import torch

        def zeros(shape: Any) -> Any:
            return torch.zeros(shape)

        def stack(tensors: Any, axis: int) -> Any:
            return torch.stack(tensors, dim=axis)

        module.matmul, module.zeros, module.stack = torch.matmul, zeros, stack
    else:
        import tensorflow as tf

        module.matmul, module.zeros, module.stack = tf.matmul, tf.zeros, tf.stack
    return module
