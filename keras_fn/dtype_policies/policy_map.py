"""Policies for some layers of a model, by the paths of the layers."""

from typing import Any

from keras_fn import _regex
from keras_fn.core.path_map import PathMap
from keras_fn.core.serialization import deserialize_as, serialize_keras_object
from keras_fn.dtype_policies.policy import DTypePolicy, dtype_policy
from keras_fn.dtype_policies.quantized import from_name
from keras_fn.errors import DTypeError


class DTypePolicyMap(DTypePolicy, PathMap[DTypePolicy]):
    """Policies by the paths of layers; for the others, one default.

    As the `dtype` of a layer, or as the policy of the process, it gives each layer the policy of
    its `path`, which is settled when the layer is built or first called: the names of the layers
    that it is built in and its own. A layer passes it on with
    `Dense(4, dtype=self.dtype_policy)`. In Keras, some layers without weights take the default
    wherever they are, and a layer's first call on a tensor casts to the default's dtype.

    Args:
        default_policy: The policy of layers that no key matches; by default the process's.
        policy_map: Policies by path, or by a regular expression that matches the whole path.

    Raises:
        ValueError: The default is a map itself; or, on a look-up, several keys match.
        TypeError: `policy_map` is no dict.

    Example:
        >>> policies = keras.dtype_policies.DTypePolicyMap("float32")
        >>> policies["encoder/.*"] = keras.DTypePolicy("bfloat16")
        >>> policies["encoder/dense"].name, policies["decoder/dense"].name
        ('bfloat16', 'float32')
    """

    def __init__(
        self, default_policy: Any = None, policy_map: dict[str, DTypePolicy] | None = None
    ):
        if isinstance(default_policy, DTypePolicyMap):
            raise self._key_error("default_policy to be one policy", "a DTypePolicyMap")
        if not isinstance(policy_map, (dict, type(None))):
            raise DTypeError(
                "DTypePolicyMap",
                expected="policy_map to be a dict of policies",
                received=f"{policy_map!r}",
                fix="pass a dict, with the paths of layers as keys",
            )
        self._default = default_policy
        self._entries = {path: _policy(x) for path, x in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no key matches."""
        return _policy(self._default)

    @property
    def name(self) -> str:
        """`map_` and the name of the default."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """That of the default."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """That of the default."""
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """That of the default."""
        return self.default_policy.quantization_mode

    def _default_entry(self) -> DTypePolicy:
        return self.default_policy

    def _validate(self, value: Any) -> DTypePolicy:
        return _policy(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DTypePolicyMap):
            return False
        return (self._default, self._entries) == (other._default, other._entries)

    __hash__ = object.__hash__

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            "default_policy": serialize_keras_object(self._default),
            "policy_map": serialize_keras_object(self._entries),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicyMap":
        """Returns an instance made from what `get_config` gave."""
        default = config.get("default_policy")
        entries = (config.get("policy_map") or {}).items()
        policies = {_regex.check(key, "DTypePolicyMap"): policy for key, policy in entries}
        return cls(_policy(default) if isinstance(default, dict) else default, policies)

    def __repr__(self) -> str:
        policies = {path: policy.name for path, policy in self._entries.items()}
        return f"<DTypePolicyMap default={self.default_policy.name!r}, policies={policies}>"


def _policy(identifier: Any) -> DTypePolicy:
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize_as("dtype_policy", identifier)
    return dtype_policy() if identifier is None else from_name(identifier)
