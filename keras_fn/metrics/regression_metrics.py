"""Regression metrics."""

from typing import Any

from keras_fn import losses, ops
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.losses.reduction import align_weight, convert_to_same_rank
from keras_fn.losses.regression import cosine
from keras_fn.metrics.metric import Metric, dynamic_batch_size
from keras_fn.metrics.reduction_metrics import BuiltInMean, Mean
from keras_fn.types import DTypeLike, Tensor, TensorLike


class MeanSquaredError(BuiltInMean):
    """Mean squared error between ground truth and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
        2.0
    """

    function = staticmethod(losses.mean_squared_error)
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class MeanAbsoluteError(BuiltInMean):
    """Mean absolute error between ground truth and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
        1.0
    """

    function = staticmethod(losses.mean_absolute_error)
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class MeanAbsolutePercentageError(BuiltInMean):
    """Mean absolute percentage error between ground truth and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 2.0]]))
        50.0
    """

    function = staticmethod(losses.mean_absolute_percentage_error)
    _direction = "down"

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: DTypeLike | None = None
    ):
        super().__init__(name, dtype)


class MeanSquaredLogarithmicError(BuiltInMean):
    """Mean squared logarithmic error between ground truth and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.metrics.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])):.3f}")
        0.480
    """

    function = staticmethod(losses.mean_squared_logarithmic_error)
    _direction = "down"

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: DTypeLike | None = None
    ):
        super().__init__(name, dtype)


class LogCoshError(BuiltInMean):
    """Log-cosh error: mean of `log(cosh(y_pred - y_true))`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.metrics.LogCoshError()([[0.0]], [[1.0]])):.3f}")
        0.434
    """

    function = staticmethod(losses.log_cosh)
    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class CosineSimilarity(BuiltInMean):
    """Cosine similarity between ground truth and predictions, averaged: 1 for the same direction.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        axis: Axis of the vectors. Default -1.

    Example:
        >>> float(keras.metrics.CosineSimilarity()([[0.0, 1.0]], [[0.0, 2.0]]))
        1.0
    """

    function = staticmethod(cosine)
    _direction = "up"

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: DTypeLike | None = None, axis: int = -1
    ):
        super().__init__(name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """Root mean squared error between ground truth and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]]))
        3.0
    """

    _direction = "down"

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: DTypeLike | None = None
    ):
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the squared errors of a batch.

        Args:
            y_true: Ground truth values, of the same shape as `y_pred`.
            y_pred: Predictions of shape `(batch, ...)`.
            sample_weight: Weights for the first axes of `y_pred`, or None.
        """
        y_true, y_pred = convert_to_same_rank(
            y_true, ops.convert_to_tensor(y_pred, dtype=self._accumulator_dtype)
        )
        error = ops.square(ops.subtract(y_pred, y_true))
        super().update_state(error, sample_weight=sample_weight)

    def result(self) -> Tensor:
        """Returns the square root of the mean: a scalar tensor."""
        return self._cast_result(ops.sqrt(self._compute_mean()))


class R2Score(Metric):
    """R2 score (coefficient of determination): the fraction of variance that is explained.

    Args:
        class_aggregation: How the scores of several outputs become one: `"uniform_average"`
            (default), `"variance_weighted_average"`, or None for one score per output.
        num_regressors: Number of independent variables, for the adjusted R2 score; 0 (default) for
            the plain score, which is also returned where there are too few samples to adjust it.
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> metric = keras.metrics.R2Score()
        >>> print(f"{float(metric([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])):.3f}")
        0.571
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        source = f"R2Score {self.name!r}"
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise SpecError(
                source,
                expected='class_aggregation "uniform_average", "variance_weighted_average" or None',
                received=f"class_aggregation={class_aggregation!r}",
                fix="choose one of these",
            )
        if num_regressors < 0:
            raise SpecError(
                source,
                expected="num_regressors of 0 or more",
                received=f"num_regressors={num_regressors!r}",
                fix="use 0 for the plain score",
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true_shape: Shape, y_pred_shape: Shape) -> None:
        check_rank_2_inputs(f"R2Score {self.name!r}", y_true_shape, y_pred_shape)
        shape = (y_pred_shape[-1] or 0,)
        self.squared_sum = self.add_variable(shape, "zeros", name="squared_sum")
        self.sum = self.add_variable(shape, "zeros", name="sum")
        self.total_mse = self.add_variable(shape, "zeros", name="residual")
        self.count = self.add_variable(shape, "zeros", name="count")
        self._built = True

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the sums of squares of a batch.

        Args:
            y_true: Ground truth values of shape `(batch, outputs)`.
            y_pred: Predictions of shape `(batch, outputs)`.
            sample_weight: Weights of shape `(batch,)` or `(batch, outputs)`, or None.

        Raises:
            SpecError: The shapes of the first batch are not of rank 2, or the weights do not fit.
        """
        y_true, y_pred = convert_to_same_rank(
            y_true, ops.convert_to_tensor(y_pred, dtype=self._accumulator_dtype)
        )
        if not self._built:
            self._build(tuple(y_true.shape), tuple(y_pred.shape))
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight, dtype=self._accumulator_dtype)
            weight = ops.multiply(weight, align_weight(sample_weight, y_true, self))
        weighted = ops.multiply(y_true, weight)
        residual = ops.multiply(ops.square(ops.subtract(y_true, y_pred)), weight)
        self.sum.accumulate(ops.sum(weighted, 0))
        self.squared_sum.accumulate(ops.sum(ops.multiply(y_true, weighted), 0))
        self.total_mse.accumulate(ops.sum(residual, 0))
        self.count.accumulate(ops.sum(weight, 0))
        values = ops.multiply(
            ops.cast(dynamic_batch_size(y_true), self._accumulator_dtype), y_true.shape[-1]
        )
        self.num_samples.accumulate(values)

    def result(self) -> Tensor:
        """Returns the score: a scalar, or a tensor of shape `(outputs,)` without aggregation."""
        if not self._built:
            return self.num_samples.value  # 0, before the first batch
        mean = ops.divide(self.sum, self.count)
        variance = ops.subtract(self.squared_sum, ops.multiply(self.sum, mean))
        scores = ops.subtract(1.0, ops.divide(self.total_mse, variance))
        score = ops.where(ops.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            weighted = ops.sum(ops.multiply(variance, score))
            score = ops.divide(weighted, ops.sum(variance))
        if not self.num_regressors:
            return score
        degrees_of_freedom = ops.subtract(self.num_samples, self.num_regressors + 1.0)
        unexplained = ops.multiply(ops.subtract(1.0, score), ops.subtract(self.num_samples, 1.0))
        can_adjust = ops.greater(degrees_of_freedom, 0)
        adjusted = ops.subtract(
            1.0, ops.divide(unexplained, ops.where(can_adjust, degrees_of_freedom, 1.0))
        )
        return ops.where(can_adjust, adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }


def check_rank_2_inputs(source: str, y_true_shape: Shape, y_pred_shape: Shape) -> None:
    """Checks that both shapes are `(batch, size)`, with a known size.

    Raises:
        SpecError: They are not.
    """
    has_rank_2 = len(y_true_shape) == len(y_pred_shape) == 2
    if not has_rank_2 or None in (y_true_shape[-1], y_pred_shape[-1]):
        raise SpecError(
            source,
            expected="targets and predictions of shape (batch, size), size being known",
            received=f"targets of shape {y_true_shape}, predictions of shape {y_pred_shape}",
            fix="reshape them, or use a Dense layer as the output",
        )
