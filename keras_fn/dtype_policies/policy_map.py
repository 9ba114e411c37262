"""Dtype policies by the paths of layers."""

from collections.abc import Mapping
from typing import Any

from keras_fn import _regex
from keras_fn.core.path_map import PathMap
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import serialize_keras_object
from keras_fn.dtype_policies.policy import DTypePolicy
from keras_fn.dtype_policies.quantized import get_policy
from keras_fn.errors import DTypeError
from keras_fn.types import DTypeLike


class DTypePolicyMap(DTypePolicy, PathMap[DTypePolicy]):
    """Mapping from the paths of layers to dtype policies, with a default.

    As the `dtype` of a layer, or as the global policy, it selects the policy of each layer by its
    `path`, which is known when the layer is built or first called: the names of the enclosing
    layers and its own. A layer passes the map to sublayers with
    `Dense(4, dtype=self.dtype_policy)`. In Keras, some layers without weights always take the
    default, and the first call of a layer on a tensor casts to the dtype of the default.

    Args:
        default_policy: The policy of layers whose path matches no key. By default the global policy
            when the map is created; a config then defers to the global policy when it is read.
        policy_map: A dict of policies by path, or by a regular expression that matches the full
            path.

    Raises:
        ValueError: The default is a map itself; or, on a lookup, several keys match.
        TypeError: `policy_map` is not a dict.

    Example:
        >>> policies = keras.dtype_policies.DTypePolicyMap("float32")
        >>> policies["encoder/.*"] = keras.DTypePolicy("bfloat16")
        >>> policies["encoder/dense"].name, policies["decoder/dense"].name
        ('bfloat16', 'float32')
    """

    def __init__(
        self,
        default_policy: DTypeLike | dict[str, Any] | None = None,
        policy_map: dict[str, DTypePolicy] | None = None,
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
        self._default_policy = get_policy(default_policy)
        is_plain = isinstance(default_policy, (str, DTypePolicy, type(None)))
        self._default = default_policy if is_plain else self._default_policy.name
        self._entries = {path: get_policy(x) for path, x in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers whose path matches no key."""
        return self._default_policy

    @property
    def name(self) -> str:
        """`map_` and the name of the default policy."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """The compute dtype of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The variable dtype of the default policy."""
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The quantization mode of the default policy."""
        return self.default_policy.quantization_mode

    def _default_entry(self) -> DTypePolicy:
        return self.default_policy

    def _validate(self, value: Any) -> DTypePolicy:
        return get_policy(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DTypePolicyMap):
            return False
        defers = (self._default is None, other._default is None)
        return (self.default_policy, self._entries, defers[0]) == (
            other.default_policy,
            other._entries,
            defers[1],
        )

    __hash__ = object.__hash__

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {
            "default_policy": serialize_keras_object(self._default),
            "policy_map": serialize_keras_object(self._entries),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "DTypePolicyMap":
        """Creates an instance from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        default = config.get("default_policy")
        entries = (config.get("policy_map") or {}).items()
        policies = {_regex.check(key, "DTypePolicyMap"): policy for key, policy in entries}
        with CustomObjectScope(custom_objects):
            return cls(default, policies)

    def __repr__(self) -> str:
        mapping = [(path, policy.name) for path, policy in self._entries.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={mapping}>"
