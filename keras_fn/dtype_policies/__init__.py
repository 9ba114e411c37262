"""Dtype policies: the public namespace `keras.dtype_policies`."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core import namespaces, registry, serialization
from keras_fn.dtype_policies.policy import (
    DTypePolicy as DTypePolicy,
    FloatDTypePolicy as FloatDTypePolicy,
    dtype_policy as dtype_policy,
    policy_error as _policy_error,
)
from keras_fn.dtype_policies.policy_map import DTypePolicyMap as DTypePolicyMap
from keras_fn.dtype_policies.quantized import (
    AWQDTypePolicy as AWQDTypePolicy,
    GPTQDTypePolicy as GPTQDTypePolicy,
    Int4DTypePolicy as Int4DTypePolicy,
    QuantizedDTypePolicy as QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy,
    from_name as _from_name,
    get_policy as _get_policy,
)
from keras_fn.settings import settings as _settings
from keras_fn.types import DTypeLike

registry.register("dtype_policy", "keras", [DTypePolicy, FloatDTypePolicy])
registry.register(
    "dtype_policy",
    "keras.dtype_policies",
    [
        DTypePolicy,
        FloatDTypePolicy,
        DTypePolicyMap,
        QuantizedDTypePolicy,
        QuantizedFloat8DTypePolicy,
        Int4DTypePolicy,
        GPTQDTypePolicy,
        AWQDTypePolicy,
    ],
)
registry.register("dtype_policy", "keras.mixed_precision", [DTypePolicy], Policy=DTypePolicy)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Serializes a dtype policy to a config, for `deserialize`.

    Args:
        dtype_policy: A dtype policy.

    Returns:
        The config, a dict of plain values that can be written as JSON.

    Example:
        >>> keras.dtype_policies.serialize(keras.DTypePolicy("float32"))["config"]
        {'name': 'float32'}
    """
    return serialization.serialize_keras_object(dtype_policy)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> DTypePolicy:
    """Deserializes a dtype policy from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The dtype policy.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> config = keras.dtype_policies.serialize(keras.DTypePolicy("float16"))
        >>> keras.dtype_policies.deserialize(config)
        <DTypePolicy "float16">
    """
    try:
        return serialization.deserialize_as("dtype_policy", config, custom_objects)
    except serialization.UnknownObjectError:
        if not isinstance(config, str):
            raise
        return _from_name(config)


def get(identifier: DTypeLike | dict[str, Any] | None) -> DTypePolicy:
    """Returns a dtype policy for any of the forms in which one can be passed.

    Args:
        identifier: A policy, its name, a dtype in any form, a config, or None for the global
            policy.

    Returns:
        The dtype policy.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.dtype_policies.get("mixed_float16").compute_dtype
        'float16'
    """
    return _get_policy(identifier)


def set_dtype_policy(policy: DTypeLike | DTypePolicy) -> None:
    """Sets the global dtype policy, the default of layers that are created from now on.

    Args:
        policy: A policy, its name, or a dtype.

    Raises:
        TypeError: It is something else.
        ValueError: The name is not the name of a policy.

    Example:
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> keras.config.dtype_policy().compute_dtype
        'bfloat16'
        >>> keras.config.set_dtype_policy("float32")
    """
    if policy is None:
        raise _policy_error(policy)
    _settings.dtype_policy = _get_policy(policy)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
