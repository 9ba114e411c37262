"""Dtype policies: the public namespace `keras.dtype_policies`."""

from typing import Any

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.object_lookup import ObjectLookup
from keras_fn.core.registry import register
from keras_fn.dtype_policies.policy import (
    DTypePolicy as DTypePolicy,
    FloatDTypePolicy as FloatDTypePolicy,
    dtype_policy as dtype_policy,
)
from keras_fn.dtype_policies.policy_map import DTypePolicyMap as DTypePolicyMap
from keras_fn.dtype_policies.quantized import (
    AWQDTypePolicy as AWQDTypePolicy,
    GPTQDTypePolicy as GPTQDTypePolicy,
    Int4DTypePolicy as Int4DTypePolicy,
    QuantizedDTypePolicy as QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy,
    from_name,
    reject_quantized as reject_quantized,
)
from keras_fn.settings import settings
from keras_fn.types import DTypeLike

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


class _DTypePolicyLookup(ObjectLookup[DTypeLike, DTypePolicy]):
    """Dtype policies, also by the dtype that they compute in."""

    def get(self, identifier: Any) -> Any:
        """Returns a dtype policy for any of the forms that an argument accepts."""
        if identifier is None:
            return dtype_policy()
        if isinstance(identifier, DTypePolicy):
            return identifier
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        is_name = isinstance(identifier, str)
        return from_name(identifier if is_name else standardize_dtype(identifier))


serialize, deserialize, get = _DTypePolicyLookup(
    "dtype_policy",
    accepts="A policy, its name, a dtype in any form, a config, or None for the global policy.",
    returns="A `DTypePolicy`.",
).functions(
    __name__,
    examples=(
        """>>> keras.dtype_policies.serialize(keras.DTypePolicy("float32"))["config"]
{'name': 'float32'}""",
        """>>> config = keras.dtype_policies.serialize(keras.DTypePolicy("float16"))
>>> keras.dtype_policies.deserialize(config)
<DTypePolicy "float16">""",
        """>>> keras.dtype_policies.get("mixed_float16").compute_dtype
'float16'""",
    ),
)
__test__ = {"serialize": serialize, "deserialize": deserialize, "get": get}  # doctests


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the global dtype policy, the default of layers that are created from now on.

    Args:
        policy: A policy, or its name.

    Raises:
        TypeError: It is neither.
        ValueError: The name is not the name of a policy.

    Example:
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> keras.config.dtype_policy().compute_dtype
        'bfloat16'
        >>> keras.config.set_dtype_policy("float32")
    """
    settings.dtype_policy = policy if isinstance(policy, DTypePolicy) else from_name(policy)
