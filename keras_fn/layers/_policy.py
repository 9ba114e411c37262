"""The path of a layer, and the dtypes of its policy."""

from typing import Any, cast

from keras_fn import dtype_policies
from keras_fn.core.construction import SetByInit
from keras_fn.core.naming import current_path
from keras_fn.dtype_policies import DTypePolicy, DTypePolicyMap
from keras_fn.settings import settings
from keras_fn.types import DTypeLike

AUTOCAST_DTYPES = frozenset({"float16", "bfloat16", "float32", "float64"})  # of inputs


class DTypePolicyMixin:
    """The dtypes of a `Layer`. A `DTypePolicyMap` is queried once, when the path is known."""

    name: str
    autocast: bool
    _path: str | None = None
    _dtype_policy: DTypePolicy = cast(Any, SetByInit())  # the argument: perhaps a map
    _policy: DTypePolicy = cast(Any, SetByInit())  # the policy of this layer
    _fast_path_keys: dict[Any, bool] | None = None

    @property
    def path(self) -> str | None:
        """The path of the layer, such as `"encoder/dense"`; None until it is built or called."""
        return self._path

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The dtype policy of the layer, or a `DTypePolicyMap`.

        If it is a map, setting a policy sets the entry of the layer's path.
        """
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: DTypeLike | None) -> None:
        policy = dtype_policies.get(value)
        previous, own = vars(self).get("_dtype_policy"), vars(self).get("_policy")
        entries = dict(previous) if isinstance(previous, DTypePolicyMap) else {}
        self._fast_path_keys = None  # earlier calls had other dtypes
        layer: Any = self
        try:
            self._store_policy(policy)
            self._choose_policy()
            if layer._is_quantized and own is not None:
                layer._check_same_quantization(own, self._policy)
            elif vars(self).get("built") and not layer._building:
                layer._quantize_by_policy(self._policy)
        except BaseException:
            if isinstance(previous, DTypePolicyMap):
                previous.clear()
                previous.update(entries)
            vars(self).update(_dtype_policy=previous, _policy=own)
            raise

    def _store_policy(self, policy: DTypePolicy) -> None:
        previous = vars(self).get("_dtype_policy")
        if (
            not self._path
            or not isinstance(previous, DTypePolicyMap)
            or isinstance(policy, type(previous))
        ):
            self._dtype_policy = policy
            return
        if self._path in previous:
            del previous[self._path]
        previous[self._path] = policy

    def _choose_policy(self) -> None:
        policy = self._dtype_policy
        if isinstance(policy, DTypePolicyMap):
            policy = policy[self._path] if self._path else policy.default_policy
        if policy.quantization_mode is not None:
            cast(Any, self)._check_quantized_policy(policy)
        self._policy = policy

    def _set_path(self, path: str | None = None) -> None:
        """Sets the path; by default it is below the active name scopes."""
        scope = current_path()
        self._path = path or (f"{scope}/{self.name}" if scope else self.name)
        if self._policy is not self._dtype_policy:  # it is a map, of paths
            self._choose_policy()
        if settings.distribution is not None:
            settings.distribution.lay_out_outputs(self)

    @property
    def dtype(self) -> str:
        """Dtype of the weights: an alias of `variable_dtype`."""
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
    def quantization_mode(self) -> str | None:
        """The quantization mode of the policy; None where it is not quantized."""
        return self._policy.quantization_mode

    @property
    def input_dtype(self) -> str:
        """Dtype that floating-point inputs are cast to."""
        return self._policy.compute_dtype

    def _float_input_dtype(self, dtype: str) -> str:
        """Returns the dtype in which the layer takes floating-point inputs of a dtype."""
        return self.input_dtype if self.autocast else dtype

    @property
    def _common_input_dtype(self) -> str | None:
        """The dtype that all floating-point inputs are cast to; None if some stay as they are."""
        dtypes = {self._float_input_dtype(dtype) for dtype in AUTOCAST_DTYPES}
        return dtypes.pop() if len(dtypes) == 1 else None

    @property
    def _autocast_to(self) -> str | None:
        policy = self._policy
        return policy.compute_dtype if policy.compute_dtype != policy.variable_dtype else None
