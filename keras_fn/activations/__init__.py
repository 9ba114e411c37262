"""Activation functions. Most are the op of that name."""

from typing import Any

from keras_fn.activations.functions import (
    exponential as exponential,
    gelu as gelu,
    linear as linear,
    mish as mish,
    relu as relu,
)
from keras_fn.core.registry import register, table
from keras_fn.core.serialization import deserialize_as, serialize_keras_object
from keras_fn.errors import SpecError
from keras_fn.ops import (
    celu as celu,
    elu as elu,
    glu as glu,
    hard_shrink as hard_shrink,
    hard_sigmoid as hard_sigmoid,
    hard_silu as hard_silu,
    hard_swish as hard_swish,
    hard_tanh as hard_tanh,
    leaky_relu as leaky_relu,
    log_sigmoid as log_sigmoid,
    log_softmax as log_softmax,
    relu6 as relu6,
    selu as selu,
    sigmoid as sigmoid,
    silu as silu,
    soft_shrink as soft_shrink,
    softmax as softmax,
    softplus as softplus,
    softsign as softsign,
    sparse_plus as sparse_plus,
    sparse_sigmoid as sparse_sigmoid,
    sparsemax as sparsemax,
    squareplus as squareplus,
    swish as swish,
    tanh as tanh,
    tanh_shrink as tanh_shrink,
    threshold as threshold,
)

register(
    "activation",
    "keras.activations",
    (
        relu,
        leaky_relu,
        relu6,
        softmax,
        celu,
        elu,
        selu,
        softplus,
        softsign,
        squareplus,
        soft_shrink,
        sparse_plus,
        silu,
        gelu,
        glu,
        tanh,
        tanh_shrink,
        threshold,
        sigmoid,
        sparse_sigmoid,
        exponential,
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        hard_shrink,
        linear,
        mish,
        log_softmax,
        log_sigmoid,
        sparsemax,
    ),
    swish=silu,
    hard_swish=hard_silu,
)


def serialize(activation: Any) -> Any:
    """Returns the name of a built-in activation, or the config of any other.

    Args:
        activation: A function, or a layer that acts as one.

    Raises:
        ValueError: It is a lambda.

    Example:
        >>> keras.activations.serialize(keras.activations.swish)
        'silu'
    """
    for name, function in table("activation").items():
        if function is activation:
            return name
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the activation that a config or a name stands for.

    Args:
        config: What `serialize` gave.
        custom_objects: Names of functions and layers of your own.

    Raises:
        ValueError: The name is unknown, or neither an activation's nor a layer's.

    Example:
        >>> keras.activations.deserialize("relu").__name__
        'relu'
    """
    kind = "activation" if isinstance(config, str) else ("activation", "layer")
    return deserialize_as(kind, config, custom_objects)


def get(identifier: Any) -> Any:
    """Returns the activation for whatever stands for one.

    Args:
        identifier: A name, a config, a callable, or None for `linear`.

    Raises:
        ValueError: It stands for none.

    Example:
        >>> keras.activations.get(None).__name__
        'linear'
    """
    if identifier is None:
        return linear
    found = deserialize(identifier) if isinstance(identifier, (str, dict)) else identifier
    if not callable(found):
        raise SpecError(
            "activations.get",
            expected="a name, a config, a callable or None",
            received=f"{identifier!r} of type {type(identifier).__name__}",
            fix=f"pass one of {', '.join(sorted(table('activation')))}",
        )
    return found
