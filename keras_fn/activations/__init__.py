"""Activation functions: the public namespace `keras.activations`. Most are ops."""

from collections.abc import Callable, Mapping
from typing import Any

from keras_fn import errors
from keras_fn.activations.functions import (
    exponential as exponential,
    gelu as gelu,
    linear as linear,
    mish as mish,
    relu as relu,
)
from keras_fn.core import namespaces, registry, serialization
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
from keras_fn.types import ActivationLike

registry.register(
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


def serialize(activation: Callable[..., Any]) -> str | dict[str, Any]:
    """Serializes an activation to its name if it is built in, else to a config, for `deserialize`.

    Args:
        activation: A function of a tensor, or a layer.

    Returns:
        The name, or the config, a dict of plain values that can be written as JSON.

    Raises:
        ValueError: It is a lambda, which has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.activations.serialize(keras.activations.swish)
        'silu'
    """
    for name, function in registry.table("activation").items():
        if function is activation:
            return name
    return serialization.serialize_keras_object(activation)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Deserializes an activation from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom functions and layers that the config may use, by name.

    Returns:
        A function of a tensor, or a layer.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> keras.activations.deserialize("relu").__name__
        'relu'
    """
    kind = "activation" if isinstance(config, str) else ("activation", "layer")
    return serialization.deserialize_as(kind, config, custom_objects)


def get(identifier: ActivationLike | None) -> Callable[..., Any]:
    """Returns an activation for any of the forms in which one can be passed.

    Args:
        identifier: A name, a config, a callable, or None for `linear`.

    Returns:
        A function of a tensor, or a layer.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.activations.get(None).__name__
        'linear'
    """
    if identifier is None:
        return linear
    activation: Any = identifier
    if isinstance(identifier, (str, dict)):
        activation = deserialize(identifier)
    if not callable(activation):
        raise errors.SpecError(
            "activations.get",
            expected="a name, a config, a callable or None",
            received=f"{identifier!r} of type {type(identifier).__name__}",
            fix=f"pass one of {', '.join(sorted(registry.table('activation')))}",
        )
    return activation


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
