"""The base of the metrics: variables, how a batch updates them, what they amount to."""

from collections.abc import Sequence
from typing import Any

from keras_fn import initializers, ops
from keras_fn.core import tree
from keras_fn.core.naming import auto_name, name_scope
from keras_fn.core.scopes import BuildScope, StatelessScope
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.losses.reduction import resolve_compute_dtype

Tensor = Any


class Metric(StatefulObject):
    """Base class of metrics: numbers that are gathered batch by batch.

    A subclass makes variables in its constructor, and writes `update_state` and `result`.
    `update_state` changes variables by `assign` and `assign_add` only, so that it can be compiled.

    Args:
        dtype: The dtype of the computation, or a dtype policy; `floatx()` by default.
        name: A name; automatic by default.

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
    _direction: str | None = None  # "up" or "down": which way it is better, where that is known
    _variables: list[Variable]
    _metrics: list["Metric"]

    def __init__(self, dtype: Any = None, name: str | None = None):
        vars(self).update(_variables=[], _metrics=[])
        self.name = name or auto_name(type(self).__name__)
        self._dtype = resolve_compute_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The variables, those of metrics inside it last."""
        return [*self._variables, *(v for metric in self._metrics for v in metric.variables)]

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute; variables and metrics in it belong to this metric."""
        if "_variables" in vars(self):
            for x in tree.flatten(value):
                if isinstance(x, Variable):
                    self._track_unique(x, self._variables)
                elif isinstance(x, Metric):
                    self._track_unique(x, self._metrics)
        super().__setattr__(name, value)

    @staticmethod
    def _track_unique(x: Any, owned: list[Any]) -> None:
        if not any(x is y for y in owned):
            owned.append(x)

    def _check_constructed(self) -> None:
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__} was used before it was constructed.\n"
                f"  fix: call super().__init__() first in {type(self).__name__}.__init__()"
            )

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes a variable of the metric.

        Args:
            shape: Its shape.
            initializer: What it begins with: an initializer or its name.
            dtype: Its dtype; `floatx()` by default.
            aggregation: How copies on several devices become one.
            name: Its name.
        """
        self._check_constructed()
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
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a variable, as `add_variable`; of zeros by default."""
        return self.add_variable(
            shape, "zeros" if initializer is None else initializer, dtype=dtype, name=name
        )

    def reset_state(self) -> None:
        """Sets all variables to 0."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account. Subclasses write it."""
        raise TypeError(f"{type(self).__name__} has no update_state() method.")

    def result(self) -> Any:
        """Returns what the batches so far amount to. Subclasses write it."""
        raise TypeError(f"{type(self).__name__} has no result() method.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account and returns the result."""
        self._check_constructed()
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(
        self, metric_variables: Sequence[Tensor], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """Returns the values of the variables after a batch, and leaves the variables alone.

        Args:
            metric_variables: The values before, in the order of `variables`.
            *args: Arguments of `update_state`.
            **kwargs: Likewise.
        """
        with self._stateless_scope(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Tensor]) -> Any:
        """Returns the result for these values of the variables."""
        with self._stateless_scope(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """Returns the values that `reset_state` sets, and leaves the variables alone."""
        with StatelessScope() as scope:
            self.reset_state()
        values = [scope.get_current_value(v) for v in self.variables]
        return [
            v.value if value is None else value
            for v, value in zip(self.variables, values, strict=True)
        ]

    def _stateless_scope(self, values: Sequence[Tensor]) -> StatelessScope:
        if len(values) != len(self.variables):
            raise SpecError(
                f"{type(self).__name__} {self.name!r}",
                expected=f"a value for each of its {len(self.variables)} variables",
                received=f"{len(values)} values",
                fix="pass values in the order of metric.variables; a metric that makes variables "
                "for the first batch must have seen one",
            )
        return StatelessScope(zip(self.variables, values, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        """Returns a metric made from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def dynamic_batch_size(x: Tensor) -> Any:
    """The first size. 0 where only shapes are inferred: then nothing is counted."""
    size = ops.shape(x)[0]
    return 0 if size is None else size
