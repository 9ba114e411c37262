"""Reduction metrics: sum and mean of values, and mean of a function of labels and predictions."""

from collections.abc import Callable
from typing import Any

from keras_fn import ops
from keras_fn.core.masking import get_mask
from keras_fn.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from keras_fn.losses.loss import averages_last_axis
from keras_fn.losses.reduction import align_weight, apply_mask, keep_weighted_axis
from keras_fn.metrics.metric import HALF, Metric, dynamic_batch_size
from keras_fn.types import DTypeLike, Tensor, TensorLike


def reduce_to_samplewise_values(
    values: TensorLike,
    sample_weight: TensorLike | None,
    reduce: Callable[..., Tensor],
    metric: Metric,
) -> tuple[Tensor, Tensor | None]:
    """Returns weighted values of shape `(batch,)`, and their weights or None.

    Args:
        values: Values of shape `(batch, ...)`. Their mask is applied.
        sample_weight: Weights of the first axes of `values`, or None.
        reduce: Reduction over axes: `ops.sum` or `ops.mean`.
        metric: The metric, of whose accumulators' dtype the results are.

    Returns:
        The weighted values and the weights, both of shape `(batch,)`.

    Raises:
        SpecError: The weights do not fit the first axes of `values`.
    """
    mask, dtype = get_mask(values), metric._accumulator_dtype
    values = ops.convert_to_tensor(values, dtype=dtype)
    weight = None
    if sample_weight is not None or mask is not None:
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        weights: Any = apply_mask(sample_weight, mask, dtype, "sum", metric)
        values, weight = _weigh(values, weights, reduce, metric)
    if len(values.shape) > 1:
        values = reduce(values, axis=list(range(1, len(values.shape))))
    return values, weight


def _weigh(
    values: Tensor, weight: Tensor, reduce: Callable[..., Tensor], metric: Metric
) -> tuple[Tensor, Tensor]:
    """Returns values multiplied by weights, and the weights, reduced to shape `(batch,)`."""
    weight = _drop_axes(weight, values, metric)
    rank = len(weight.shape)
    if len(values.shape) > rank:
        values = reduce(values, axis=list(range(rank, len(values.shape))))
    if tuple(weight.shape) != tuple(values.shape):
        weight = ops.multiply(weight, ops.ones_like(values))
    values = ops.multiply(values, weight)
    if len(weight.shape) > 1:
        weight = reduce(weight, axis=list(range(1, len(weight.shape))))
    return values, weight


def _drop_axes(weight: Tensor, values: Tensor, metric: Metric) -> Tensor:
    """Returns weights for the first axes of the values, without axes of size 1 at the end.

    A scalar stays one: it is the weight of the batch as a whole.
    """
    rank = len(values.shape)
    if len(weight.shape) > rank and not rank:
        return weight  # a function that returns one number for the batch
    align_weight(weight, values, metric)
    if len(weight.shape) > rank:
        return ops.squeeze(weight, tuple(range(rank, len(weight.shape))))
    return weight


def widen(y_pred: TensorLike) -> TensorLike:
    """Returns predictions of half precision as float32: their squares and products overflow."""
    if hasattr(y_pred, "dtype") and ops.dtype(y_pred) in HALF:
        return ops.cast(y_pred, "float32")
    return y_pred


def _number(x: int | Tensor, dtype: str) -> int | Tensor:
    """Returns a Python integer unchanged, and a tensor cast to `dtype`."""
    return x if isinstance(x, int) else ops.cast(x, dtype)


class Sum(Metric):
    """Weighted sum of all values.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> total = keras.metrics.Sum()
        >>> total.update_state([1.0, 3.0])
        >>> float(total([5.0]))
        9.0
    """

    def __init__(self, name: str | None = "sum", dtype: DTypeLike | None = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self._accumulator_dtype, name="total")

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Adds values to the sum.

        Args:
            values: Tensor of shape `(batch, ...)`, or a number.
            sample_weight: Weights for the first axes of `values`, or None.

        Raises:
            SpecError: The weights do not fit the first axes of `values`.
        """
        values, _ = reduce_to_samplewise_values(values, sample_weight, ops.sum, self)
        self.total.accumulate(ops.sum(values))

    def result(self) -> Tensor:
        """Returns the sum: a scalar tensor."""
        # A copy: on TensorFlow, the value of a variable is not a snapshot.
        return self._cast_result(ops.copy(self.total))


class Mean(Metric):
    """Weighted mean of all values.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> mean = keras.metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state([8.0], sample_weight=[2.0])
        >>> float(mean.result())
        5.0
    """

    def __init__(self, name: str | None = "mean", dtype: DTypeLike | None = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self._accumulator_dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self._accumulator_dtype, name="count")

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Accumulates the values of a batch, each averaged over the axes after the batch.

        Args:
            values: Tensor of shape `(batch, ...)`, or a number.
            sample_weight: Weights for the first axes of `values`, or None.

        Raises:
            SpecError: The weights do not fit the first axes of `values`.
        """
        values, weight = reduce_to_samplewise_values(values, sample_weight, ops.mean, self)
        self.total.accumulate(ops.sum(values))
        if weight is not None:
            self.count.accumulate(ops.sum(weight))
        else:
            self._add_count(dynamic_batch_size(values) if len(values.shape) else 1)

    def add_mean(self, mean: Tensor, count: int | Tensor) -> None:
        """Accumulates several values whose mean is known.

        Args:
            mean: Their mean, a scalar tensor.
            count: Their number: an integer or a scalar tensor.
        """
        dtype = self._accumulator_dtype
        self.total.accumulate(ops.multiply(ops.cast(mean, dtype), _number(count, dtype)))
        self._add_count(count)

    def _add_count(self, number: int | Tensor) -> None:
        self.count.accumulate(_number(number, self._accumulator_dtype))

    def result(self) -> Tensor:
        """Returns the mean: a scalar tensor; 0 without values."""
        return self._cast_result(self._compute_mean())

    def _compute_mean(self) -> Tensor:
        return ops.divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """Mean of a function of labels and predictions.

    Args:
        fn: Function `fn(y_true, y_pred, **kwargs)` that returns a value for each sample.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        **kwargs: Further arguments of `fn`.

    Example:
        >>> error = keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=0.5)
        >>> float(error([[0.0]], [[2.0]]))
        0.875
    """

    def __init__(
        self,
        fn: Callable[..., Tensor],
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the values of the function for a batch.

        Args:
            y_true: Ground truth.
            y_pred: Predictions of shape `(batch, ...)`. Their mask is applied. Half precision is
                cast to float32.
            sample_weight: Weights for the first axes of the values of the function, or None.

        Raises:
            SpecError: The weights do not fit the first axes of the values.
        """
        mask, weight = get_mask(y_pred), sample_weight
        y_pred = widen(y_pred)
        if weight is not None or mask is not None:
            weight = None if weight is None else ops.convert_to_tensor(weight)
            if averages_last_axis(self._fn, self._fn_kwargs):
                y_true, y_pred = keep_weighted_axis(
                    ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred), weight, mask
                )
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            values = ops.convert_to_tensor(values)
            mask = align_weight(mask, values, self, "mask")
            weight = apply_mask(weight, mask, self._accumulator_dtype, "sum", self)
        super().update_state(values, sample_weight=weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with the serialized function, as a dict."""
        return {
            **super().get_config(),
            **serialize_keras_object({"fn": self._fn, **self._fn_kwargs}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Creates a metric from the dict that `get_config` returned."""
        return cls(**{k: deserialize_keras_object(v) for k, v in config.items()})


class BuiltInMean(MeanMetricWrapper):
    """Mean of a built-in function, whose options are attributes and in the config.

    Attributes:
        function: The function.
    """

    function: Callable[..., Tensor]

    def __init__(self, name: str | None, dtype: DTypeLike | None, **options: Any):
        super().__init__(type(self).function, name, dtype, **options)
        vars(self).update(options)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {**Metric.get_config(self), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Creates a metric from the dict that `get_config` returned."""
        return cls(**config)
