"""Which dtypes layers compute in and store."""

from typing import Any

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.registry import register
from keras_fn.core.serialization import deserialize_as, serialize_keras_object
from keras_fn.dtype_policies.policy import DTypePolicy as DTypePolicy
from keras_fn.dtype_policies.policy import FloatDTypePolicy as FloatDTypePolicy
from keras_fn.dtype_policies.policy import dtype_policy as dtype_policy
from keras_fn.dtype_policies.policy_map import DTypePolicyMap as DTypePolicyMap
from keras_fn.dtype_policies.quantized import AWQDTypePolicy as AWQDTypePolicy
from keras_fn.dtype_policies.quantized import GPTQDTypePolicy as GPTQDTypePolicy
from keras_fn.dtype_policies.quantized import Int4DTypePolicy as Int4DTypePolicy
from keras_fn.dtype_policies.quantized import QuantizedDTypePolicy as QuantizedDTypePolicy
from keras_fn.dtype_policies.quantized import (
    QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy,
)
from keras_fn.dtype_policies.quantized import named
from keras_fn.dtype_policies.quantized import unquantized as unquantized
from keras_fn.settings import settings

register("dtype_policy", "keras", [DTypePolicy, FloatDTypePolicy])
register(
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
register("dtype_policy", "keras.mixed_precision", [DTypePolicy], Policy=DTypePolicy)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Returns the config of a policy.

    Example:
        >>> keras.dtype_policies.serialize(keras.DTypePolicy("float32"))["config"]
        {'name': 'float32'}
    """
    return serialize_keras_object(dtype_policy)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the policy that a config stands for.

    Args:
        config: What `serialize` gave.
        custom_objects: Names of classes of your own.

    Raises:
        ValueError: The class is unknown, or no policy.

    Example:
        >>> config = keras.dtype_policies.serialize(keras.DTypePolicy("float16"))
        >>> keras.dtype_policies.deserialize(config)
        <DTypePolicy "float16">
    """
    return deserialize_as("dtype_policy", config, custom_objects)


def get(identifier: Any) -> DTypePolicy:
    """Returns the policy for whatever stands for one.

    Args:
        identifier: A policy, its name, a dtype in any form, a config, or None for the policy of
            the process.

    Raises:
        ValueError: It stands for none.

    Example:
        >>> keras.dtype_policies.get("mixed_float16").compute_dtype
        'float16'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return named(identifier if isinstance(identifier, str) else standardize_dtype(identifier))


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the policy of layers that are made from now on.

    Args:
        policy: A policy, or the name of one.

    Raises:
        ValueError: It is neither.

    Example:
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> keras.config.dtype_policy().compute_dtype
        'bfloat16'
        >>> keras.config.set_dtype_policy("float32")
    """
    settings.dtype_policy = policy if isinstance(policy, DTypePolicy) else named(policy)
