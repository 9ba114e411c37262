"""How far predictions are from targets, and how much of their variance they explain."""

from typing import Any

from keras_fn import losses, ops
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.losses.reduction import convert_to_same_rank
from keras_fn.losses.regression import cosine
from keras_fn.metrics.metric import Metric, dynamic_batch_size
from keras_fn.metrics.reduction_metrics import BuiltInMean, Mean

Tensor = Any


class MeanSquaredError(BuiltInMean):
    """The mean of squared differences between targets and predictions.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
        2.0
    """

    function = staticmethod(losses.mean_squared_error)
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)


class MeanAbsoluteError(BuiltInMean):
    """The mean of absolute differences. Arguments as in `MeanSquaredError`.

    Example:
        >>> float(keras.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
        1.0
    """

    function = staticmethod(losses.mean_absolute_error)
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None):
        super().__init__(name, dtype)


class MeanAbsolutePercentageError(BuiltInMean):
    """The mean of differences in percent of the targets. Arguments as in `MeanSquaredError`.

    Example:
        >>> float(keras.metrics.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 2.0]]))
        50.0
    """

    function = staticmethod(losses.mean_absolute_percentage_error)
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None):
        super().__init__(name, dtype)


class MeanSquaredLogarithmicError(BuiltInMean):
    """The mean of squared differences of logarithms. Arguments as in `MeanSquaredError`.

    Example:
        >>> print(f"{float(keras.metrics.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])):.3f}")
        0.480
    """

    function = staticmethod(losses.mean_squared_logarithmic_error)
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None):
        super().__init__(name, dtype)


class LogCoshError(BuiltInMean):
    """The mean of `log(cosh(error))`. Arguments as in `MeanSquaredError`.

    Example:
        >>> print(f"{float(keras.metrics.LogCoshError()([[0.0]], [[1.0]])):.3f}")
        0.434
    """

    function = staticmethod(losses.log_cosh)
    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None):
        super().__init__(name, dtype)


class CosineSimilarity(BuiltInMean):
    """The mean cosine of the angle between targets and predictions: 1 for the same direction.

    Args:
        name: A name.
        dtype: As in `Metric`.
        axis: The axis of the vectors.

    Example:
        >>> float(keras.metrics.CosineSimilarity()([[0.0, 1.0]], [[0.0, 2.0]]))
        1.0
    """

    function = staticmethod(cosine)
    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """The square root of the mean of squared differences between targets and predictions.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]]))
        3.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets, of the shape of `y_pred`.
            y_pred: Predictions of shape `(batch, ...)`.
            sample_weight: Weights that broadcast to them, or None.
        """
        y_true, y_pred = convert_to_same_rank(
            y_true, ops.convert_to_tensor(y_pred, dtype=self.dtype)
        )
        error = ops.square(ops.subtract(y_pred, y_true))
        super().update_state(error, sample_weight=sample_weight)

    def result(self) -> Tensor:
        """Returns the root of the mean."""
        return ops.sqrt(super().result())


class R2Score(Metric):
    """How much of the targets' variance the predictions explain: 1 for all, 0 for none.

    Args:
        class_aggregation: How the scores of several outputs become one: `"uniform_average"`,
            `"variance_weighted_average"`, or None to keep them apart.
        num_regressors: Number of independent variables, for the adjusted score; 0 for the plain
            one, which is also given where there are too few values for the adjusted one.
        name: A name.
        dtype: As in `Metric`.

    Raises:
        ValueError: An argument is none of these.

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
        dtype: Any = None,
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
                fix="leave it out for the plain score",
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
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets of shape `(batch, size)`.
            y_pred: Predictions, likewise.
            sample_weight: Weights of shape `(batch,)` or `(batch, size)`, or None.
        """
        y_true, y_pred = convert_to_same_rank(
            y_true, ops.convert_to_tensor(y_pred, dtype=self.dtype)
        )
        if not self._built:
            self._build(tuple(y_true.shape), tuple(y_pred.shape))
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            received = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            received = ops.expand_dims(received, 1) if len(received.shape) == 1 else received
            weight = ops.multiply(weight, received)
        weighted = ops.multiply(y_true, weight)
        residual = ops.multiply(ops.square(ops.subtract(y_true, y_pred)), weight)
        self.sum.assign_add(ops.sum(weighted, 0))
        self.squared_sum.assign_add(ops.sum(ops.multiply(y_true, weighted), 0))
        self.total_mse.assign_add(ops.sum(residual, 0))
        self.count.assign_add(ops.sum(weight, 0))
        values = ops.multiply(ops.cast(dynamic_batch_size(y_true), self.dtype), y_true.shape[-1])
        self.num_samples.assign_add(values)

    def result(self) -> Tensor:
        """Returns the score."""
        if not self._built:
            return self.num_samples.value  # 0: nothing is explained yet
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
        freedom = ops.subtract(self.num_samples, self.num_regressors + 1.0)
        rest = ops.multiply(ops.subtract(1.0, score), ops.subtract(self.num_samples, 1.0))
        enough = ops.greater(freedom, 0)
        adjusted = ops.subtract(1.0, ops.divide(rest, ops.where(enough, freedom, 1.0)))
        return ops.where(enough, adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }


def check_rank_2_inputs(source: str, y_true_shape: Shape, y_pred_shape: Shape) -> None:
    """Refuses what is not two tensors of rows of one known size."""
    fits = len(y_true_shape) == len(y_pred_shape) == 2
    if not fits or None in (y_true_shape[-1], y_pred_shape[-1]):
        raise SpecError(
            source,
            expected="targets and predictions of shape (batch, size), size being known",
            received=f"targets of shape {y_true_shape}, predictions of shape {y_pred_shape}",
            fix="reshape them, or use a Dense layer as the output",
        )
