"""Sums and means over all batches, and the mean of a function of targets and predictions."""

from collections.abc import Callable
from typing import Any

from keras_fn import ops
from keras_fn.core.masking import get_mask
from keras_fn.core.serialization import (
    deserialize_keras_object as from_plain,
    serialize_keras_object as to_plain,
)
from keras_fn.losses.reduction import apply_mask, squeeze_or_expand_to_same_rank
from keras_fn.metrics.metric import Metric, dynamic_batch_size

Tensor = Any


def reduce_to_samplewise_values(
    values: Tensor, sample_weight: Tensor | None, reduce: Callable[..., Tensor], dtype: str
) -> tuple[Tensor, Tensor | None]:
    """Returns weighted values of shape `(batch,)` and their weights, or None if there are none.

    Args:
        values: Values of shape `(batch, ...)`; a mask that travels with them is applied.
        sample_weight: Weights of the first axes of `values`, or None.
        reduce: Makes one value of those along the axes that it is given: `ops.sum`, `ops.mean`.
        dtype: The dtype of the result.
    """
    mask = get_mask(values)
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    weight = apply_mask(sample_weight, mask, dtype, "sum")
    if weight is not None:
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        rank = len(weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=list(range(rank, len(values.shape))))
        weight = ops.multiply(weight, ops.ones_like(values))
        values = ops.multiply(values, weight)
        if rank > 1:
            weight = reduce(weight, axis=list(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, axis=list(range(1, len(values.shape))))
    return values, weight


def _number(x: Any, dtype: str) -> Any:
    """A Python number as it is, a tensor in `dtype`."""
    return x if isinstance(x, int) else ops.cast(x, dtype)


class Sum(Metric):
    """The weighted sum of all values.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> total = keras.metrics.Sum()
        >>> total.update_state([1.0, 3.0])
        >>> float(total([5.0]))
        9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds values.

        Args:
            values: Tensor of shape `(batch, ...)`, or a number.
            sample_weight: Weights that broadcast to `values`, or None.
        """
        values, _ = reduce_to_samplewise_values(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Tensor:
        """Returns the sum."""
        return ops.copy(self.total)  # on TensorFlow the value goes on changing


class Mean(Metric):
    """The weighted mean of all values.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> mean = keras.metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state([8.0], sample_weight=[2.0])
        >>> float(mean.result())
        5.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Takes values in. Where they have more axes than the batch, their mean counts.

        Args:
            values: Tensor of shape `(batch, ...)`, or a number.
            sample_weight: Weights that broadcast to `values`, or None.
        """
        values, weight = reduce_to_samplewise_values(values, sample_weight, ops.mean, self.dtype)
        self.total.assign_add(ops.sum(values))
        if weight is not None:
            self.count.assign_add(ops.sum(weight))
        else:
            self._count(dynamic_batch_size(values) if len(values.shape) else 1)

    def add_mean(self, mean: Tensor, count: Any) -> None:
        """Takes in a number of values whose mean is known.

        Args:
            mean: Their mean, a scalar tensor.
            count: How many they are: a number or a scalar tensor.
        """
        self.total.assign_add(ops.multiply(ops.cast(mean, self.dtype), _number(count, self.dtype)))
        self._count(count)

    def _count(self, number: Any) -> None:
        self.count.assign_add(_number(number, self.dtype))

    def result(self) -> Tensor:
        """Returns the mean; 0 of nothing."""
        return ops.divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` returns a value for each element.
        name: A name; automatic by default.
        dtype: As in `Metric`.
        **kwargs: Further arguments of `fn`.

    Example:
        >>> error = keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=0.5)
        >>> float(error([[0.0]], [[2.0]]))
        0.875
    """

    def __init__(
        self, fn: Callable[..., Tensor], name: str | None = None, dtype: Any = None, **kwargs: Any
    ):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets.
            y_pred: Predictions. A mask that travels with them is applied.
            sample_weight: Weights that broadcast to what the function returns, or None.
        """
        mask = get_mask(y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, sample_weight=weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the function and its options written down."""
        return {**super().get_config(), **to_plain({"fn": self._fn, **self._fn_kwargs})}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Returns a metric made from what `get_config` gave."""
        return cls(**{k: from_plain(v) for k, v in config.items()})


class BuiltInMean(MeanMetricWrapper):
    """The mean of a function of this package, whose options are attributes and config.

    Attributes:
        function: The function.
    """

    function: Callable[..., Tensor]

    def __init__(self, name: str | None, dtype: Any, **options: Any):
        super().__init__(type(self).function, name, dtype, **options)
        vars(self).update(options)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {**Metric.get_config(self), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Returns a metric made from what `get_config` gave."""
        return cls(**config)
