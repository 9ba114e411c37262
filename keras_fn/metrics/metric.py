"""Base class of metrics: state variables, their update by a batch, the result."""

from collections.abc import Sequence
from typing import Any

from keras_fn import initializers, ops
from keras_fn.core import tree
from keras_fn.core.construction import unconstructed
from keras_fn.core.naming import auto_name, name_scope
from keras_fn.core.scopes import BuildScope, StatelessScope
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError, missing_method
from keras_fn.losses.reduction import resolve_compute_dtype
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, InitializerLike, Tensor, TensorLike

HALF = ("float16", "bfloat16")


class Metric(StatefulObject):
    """Base class of metrics: statistics that are accumulated batch by batch.

    Subclasses create variables in the constructor, and implement `update_state` and `result`.
    `update_state` changes variables by `assign` and `assign_add` only, so that it can be compiled.

    Args:
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        name: Name of the metric. Default: from the class name.

    Example:
        >>> class Largest(keras.metrics.Metric):
        ...     def __init__(self, name="largest", dtype=None):
        ...         super().__init__(name=name, dtype=dtype)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, values, sample_weight=None):
        ...         self.value.assign(ops.maximum(self.value, ops.max(values)))
        ...     def result(self):
        ...         return self.value.value
        >>> largest = Largest()
        >>> largest.update_state([1.0, 5.0])
        >>> float(largest([3.0]))
        5.0
    """

    kind = "metric"
    _direction: str | None = None  # "up" or "down": the direction of improvement, where known
    _variables: list[Variable]
    _metrics: list["Metric"]

    def __init__(self, dtype: DTypeLike | None = None, name: str | None = None):
        vars(self).update(_variables=[], _metrics=[])
        self.name = name or auto_name(type(self).__name__)
        self._dtype = resolve_compute_dtype(dtype)

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype

    @property
    def _accumulator_dtype(self) -> str:
        """Dtype of sums and counts: float32 for half precision, in which they would overflow."""
        return "float32" if self._dtype in HALF else self._dtype

    def _cast_result(self, value: Tensor) -> Tensor:
        """Casts what was computed of sums and counts to the dtype of the metric."""
        return ops.cast(value, self._dtype) if self._dtype in HALF else value

    @property
    def variables(self) -> list[Variable]:
        """State variables, including those of nested metrics, which come last."""
        return [*self._variables, *(v for metric in self._metrics for v in metric.variables)]

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute, and tracks variables and metrics in it."""
        if "_variables" in vars(self):
            for x in tree.flatten(value):
                if isinstance(x, Variable):
                    self._track_unique(x, self._variables)
                elif isinstance(x, Metric):
                    self._track_unique(x, self._metrics)
        super().__setattr__(name, value)

    @staticmethod
    def _track_unique(x: Any, tracked: list[Any]) -> None:
        if not any(x is y for y in tracked):
            tracked.append(x)

    def _check_constructed(self) -> None:
        if "_variables" not in vars(self):
            raise unconstructed(type(self))

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: InitializerLike,
        dtype: DTypeLike | None = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Adds a state variable.

        Args:
            shape: Shape of the variable.
            initializer: Initializer: an instance, a name, a callable or a config.
            dtype: Dtype. Default `floatx()`; float32 if that is half precision.
            aggregation: How replicas on several devices are combined. Default `"sum"`.
            name: Name of the variable.

        Returns:
            The variable.
        """
        self._check_constructed()
        if dtype is None and settings.floatx in HALF:
            dtype = "float32"
        with BuildScope(), name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )
        self._track_unique(variable, self._variables)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: InitializerLike | None = None,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> Variable:
        """Adds a state variable (alias of `add_variable` with defaults).

        Args:
            shape: Shape of the variable. Default `()`.
            initializer: Initializer. Default zeros.
            dtype: Dtype. Default `floatx()`; float32 if that is half precision.
            name: Name of the variable.

        Returns:
            The variable.
        """
        return self.add_variable(
            shape, "zeros" if initializer is None else initializer, dtype=dtype, name=name
        )

    def reset_state(self) -> None:
        """Resets all state variables to 0."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Accumulates the statistics of a batch. Implemented by subclasses.

        Args:
            *args: Usually `y_true` and `y_pred`, of shape `(batch, ...)`.
            **kwargs: Usually `sample_weight`.
        """
        raise missing_method(self, "update_state()")

    def result(self) -> Any:
        """Returns the value of the metric for all batches so far. Implemented by subclasses."""
        raise missing_method(self, "result()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Updates the state with a batch and returns the result.

        Args:
            *args: Arguments of `update_state`.
            **kwargs: Keyword arguments of `update_state`.

        Returns:
            The value of `result()`.
        """
        self._check_constructed()
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(
        self, metric_variables: Sequence[TensorLike], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """Returns the updated values of the state variables; the variables do not change.

        Args:
            metric_variables: Values before the update, in the order of `variables`.
            *args: Arguments of `update_state`.
            **kwargs: Keyword arguments of `update_state`.

        Returns:
            A list of tensors, one for each variable.

        Raises:
            SpecError: The number of values is not the number of variables.
        """
        with self._stateless_scope(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[TensorLike]) -> Any:
        """Returns the result for given values of the state variables.

        Args:
            metric_variables: Values in the order of `variables`.

        Raises:
            SpecError: The number of values is not the number of variables.
        """
        with self._stateless_scope(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """Returns the values that `reset_state` assigns; the variables do not change."""
        with StatelessScope() as scope:
            self.reset_state()
        values = [scope.get_current_value(v) for v in self.variables]
        return [
            v.value if value is None else value
            for v, value in zip(self.variables, values, strict=True)
        ]

    def _stateless_scope(self, values: Sequence[TensorLike]) -> StatelessScope:
        if len(values) != len(self.variables):
            raise SpecError(
                f"{type(self).__name__} {self.name!r}",
                expected=f"a value for each of its {len(self.variables)} variables",
                received=f"{len(values)} values",
                fix="pass values in the order of metric.variables; a metric that makes variables "
                "in the first batch must have been updated once",
            )
        return StatelessScope(zip(self.variables, values, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        """Creates a metric from the dict that `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def dynamic_batch_size(x: Tensor) -> Any:
    """Returns the batch size. 0 during shape inference, so that nothing is counted."""
    size = ops.shape(x)[0]
    return 0 if size is None else size
