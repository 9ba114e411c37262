"""One rate of the confusion matrix at a required value of another."""

from collections.abc import Callable
from typing import Any

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.metrics._confusion_matrix import evenly_spaced_thresholds
from keras_fn.metrics.confusion_metrics import ConfusionMetric, named_counts
from keras_fn.metrics.metric import Metric
from keras_fn.types import DTypeLike, Tensor, TensorLike


def _ratio(correct: str, incorrect: str) -> Callable[[Metric], Tensor]:
    def rate(metric: Metric) -> Tensor:
        numerator = getattr(metric, correct)
        return ops.divide_no_nan(numerator, ops.add(numerator, getattr(metric, incorrect)))

    return rate


_SENSITIVITY = _ratio("true_positives", "false_negatives")

_SPECIFICITY = _ratio("true_negatives", "false_positives")

_PRECISION = _ratio("true_positives", "false_positives")


class _ConstrainedMetric(ConfusionMetric):
    """Base class of "rate at a required rate": the best value among the thresholds that reach it.

    Attributes:
        _constraint: Name of the argument: the rate that must be reached.
        _rates: Functions that compute that rate, and the reported one.
    """

    _direction = "up"
    _constraint: str
    _rates: tuple[Callable[[Metric], Tensor], Callable[[Metric], Tensor]]

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: DTypeLike | None,
    ):
        super().__init__(name=name, dtype=dtype)
        source = f"{type(self).__name__} {self.name!r}"
        if not 0 <= value <= 1:
            raise SpecError(
                source,
                expected=f"{self._constraint} from 0 to 1",
                received=f"{self._constraint}={value!r}",
                fix="pass a fraction, not a percentage",
            )
        if num_thresholds < 1:
            raise SpecError(
                source,
                expected="num_thresholds of 1 or more",
                received=f"num_thresholds={num_thresholds!r}",
                fix="the default is 200",
            )
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        setattr(self, self._constraint, value)
        thresholds = evenly_spaced_thresholds(num_thresholds) if num_thresholds > 1 else [0.5]
        self.count_at_thresholds(
            thresholds,
            named_counts("true_positives", "false_positives", "true_negatives", "false_negatives"),
        )

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the statistics of a batch.

        Args:
            y_true: Labels 0 and 1, of the same shape as `y_pred`.
            y_pred: Predicted probabilities of shape `(batch, ...)`, from 0 to 1.
            sample_weight: Weights for the first axes of `y_pred`, or None.
        """
        self.add_counts(y_true, y_pred, sample_weight=sample_weight, class_id=self.class_id)

    def result(self) -> Tensor:
        """Returns the best rate, a scalar tensor; 0 if no threshold meets the constraint."""
        constrained, reported = (rate(self) for rate in type(self)._rates)
        return ops.max(ops.where(ops.greater_equal(constrained, self.value), reported, 0))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            **super().get_config(),
            self._constraint: self.value,
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
        }


class SensitivityAtSpecificity(_ConstrainedMetric):
    """Best sensitivity, `TP / (TP + FN)`, at a specificity of at least `specificity`.

    Args:
        specificity: The required specificity, from 0 to 1.
        num_thresholds: Number of evenly spaced thresholds that are tried. Default 200.
        class_id: Index of the class that is evaluated. Default None, for all.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: The required value is not from 0 to 1, or `num_thresholds` is below 1.

    Example:
        >>> metric = keras.metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _constraint = "specificity"
    _rates = (_SPECIFICITY, _SENSITIVITY)

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_ConstrainedMetric):
    """Best specificity, `TN / (TN + FP)`, at a sensitivity of at least `sensitivity`.

    Args:
        sensitivity: The required sensitivity, from 0 to 1.
        num_thresholds: Number of evenly spaced thresholds that are tried. Default 200.
        class_id: Index of the class that is evaluated. Default None, for all.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: The required value is not from 0 to 1, or `num_thresholds` is below 1.

    Example:
        >>> metric = keras.metrics.SpecificityAtSensitivity(0.5)
        >>> print(f"{float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])):.3f}")
        0.667
    """

    _constraint = "sensitivity"
    _rates = (_SENSITIVITY, _SPECIFICITY)

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_ConstrainedMetric):
    """Best precision, `TP / (TP + FP)`, at a recall of at least `recall`.

    Args:
        recall: The required recall, from 0 to 1.
        num_thresholds: Number of evenly spaced thresholds that are tried. Default 200.
        class_id: Index of the class that is evaluated. Default None, for all.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: The required value is not from 0 to 1, or `num_thresholds` is below 1.

    Example:
        >>> metric = keras.metrics.PrecisionAtRecall(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _constraint = "recall"
    _rates = (_SENSITIVITY, _PRECISION)

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_ConstrainedMetric):
    """Best recall, `TP / (TP + FN)`, at a precision of at least `precision`.

    Args:
        precision: The required precision, from 0 to 1.
        num_thresholds: Number of evenly spaced thresholds that are tried. Default 200.
        class_id: Index of the class that is evaluated. Default None, for all.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: The required value is not from 0 to 1, or `num_thresholds` is below 1.

    Example:
        >>> metric = keras.metrics.RecallAtPrecision(0.8)
        >>> float(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.5
    """

    _constraint = "precision"
    _rates = (_PRECISION, _SENSITIVITY)

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
