"""A layer's path, and the dtypes that its policy gives it."""

from typing import Any

from keras_fn import dtype_policies
from keras_fn.core.naming import current_path
from keras_fn.dtype_policies import DTypePolicy, DTypePolicyMap


class WithPolicy:
    """What `Layer` knows of dtypes. A map of policies is asked once, when the path is known."""

    name: str
    _path: str | None = None
    _dtype_policy: DTypePolicy  # as given: perhaps a map
    _policy: DTypePolicy  # that of this layer
    _ready: dict[Any, bool] | None = None

    @property
    def path(self) -> str | None:
        """The names of the layers around and of this one, as `"encoder/dense"`; None until it is
        built or called.
        """
        return self._path

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy, or the map of policies, that the layer was given.

        Where it has a map, setting a policy sets the entry of its path.
        """
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        source = f"{type(self).__name__} layer {self.name!r}"
        policy = dtype_policies.unquantized(dtype_policies.get(value), source)
        held = getattr(self, "_dtype_policy", None)
        if self._path and isinstance(held, DTypePolicyMap) and not isinstance(policy, type(held)):
            if self._path in held:
                del held[self._path]
            held[self._path] = policy
        else:
            self._dtype_policy = policy
        self._ready = None  # calls that were seen before had other dtypes
        self._choose_policy()

    def _choose_policy(self) -> None:
        policy = self._dtype_policy
        if isinstance(policy, DTypePolicyMap):
            policy = policy[self._path] if self._path else policy.default_policy
        self._policy = policy

    def _take_place(self, path: str | None = None) -> None:
        """Notes where the layer is, by default below the active name scopes."""
        scope = current_path()
        self._path = path or (f"{scope}/{self.name}" if scope else self.name)
        self._choose_policy()

    @property
    def dtype(self) -> str:
        """Dtype of the weights; another name of `variable_dtype`."""
        return self._policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self._policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation and the output."""
        return self._policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype that floating-point inputs are cast to."""
        return self._policy.compute_dtype

    @property
    def _autocast_to(self) -> str | None:
        policy = self._policy
        return policy.compute_dtype if policy.compute_dtype != policy.variable_dtype else None
