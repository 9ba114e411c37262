"""The best of one share of right predictions where another one is high enough."""

from collections.abc import Callable
from typing import Any

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.metrics._confusion_matrix import evenly_spaced_thresholds
from keras_fn.metrics.confusion_metrics import ConfusionMetric, named_counts
from keras_fn.metrics.metric import Metric

Tensor = Any


def _ratio(hits: str, misses: str) -> Callable[[Metric], Tensor]:
    def share(metric: Metric) -> Tensor:
        right = getattr(metric, hits)
        return ops.divide_no_nan(right, ops.add(right, getattr(metric, misses)))

    return share


_SENSITIVITY = _ratio("true_positives", "false_negatives")

_SPECIFICITY = _ratio("true_negatives", "false_positives")

_PRECISION = _ratio("true_positives", "false_positives")


class _ConstrainedMetric(ConfusionMetric):
    """Base of "one share at a value of another": the best one among the thresholds that reach it.

    Attributes:
        _wanted: Name of the argument, the share that must be reached.
        _shares: How to compute that share, and the one that is reported.
    """

    _direction = "up"
    _constraint: str
    _rates: tuple[Callable[[Metric], Tensor], Callable[[Metric], Tensor]]

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: Any, dtype: Any
    ):
        super().__init__(name=name, dtype=dtype)
        source = f"{type(self).__name__} {self.name!r}"
        if not 0 <= value <= 1:
            raise SpecError(
                source,
                expected=f"{self._constraint} from 0 to 1",
                received=f"{self._constraint}={value!r}",
                fix="give it as a share, not in percent",
            )
        if num_thresholds < 1:
            raise SpecError(
                source,
                expected="num_thresholds of 1 or more",
                received=f"num_thresholds={num_thresholds!r}",
                fix="leave it out for 200",
            )
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        setattr(self, self._constraint, value)
        thresholds = evenly_spaced_thresholds(num_thresholds) if num_thresholds > 1 else [0.5]
        self.count_at_thresholds(
            thresholds,
            named_counts("true_positives", "false_positives", "true_negatives", "false_negatives"),
        )

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets 0 and 1, of the shape of `y_pred`.
            y_pred: Predictions from 0 to 1, of shape `(batch, ...)`.
            sample_weight: Weights of the first axes of `y_pred`, or None.
        """
        self.add_counts(y_true, y_pred, sample_weight=sample_weight, class_id=self.class_id)

    def result(self) -> Tensor:
        """Returns the best share; 0 if no threshold reaches the value."""
        reached, reported = (share(self) for share in type(self)._rates)
        return ops.max(ops.where(ops.greater_equal(reached, self.value), reported, 0))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            **super().get_config(),
            self._constraint: self.value,
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
        }


class SensitivityAtSpecificity(_ConstrainedMetric):
    """The best sensitivity, `TP / (TP + FN)`, where the specificity is high enough.

    Args:
        specificity: The specificity that must be reached, from 0 to 1.
        num_thresholds: How many thresholds from 0 to 1 are tried.
        class_id: The class that counts; by default all.
        name: A name.
        dtype: As in `Metric`.

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
        dtype: Any = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_ConstrainedMetric):
    """The best specificity, `TN / (TN + FP)`, where the sensitivity is high enough.

    Args:
        sensitivity: The sensitivity that must be reached, from 0 to 1.
        num_thresholds: How many thresholds from 0 to 1 are tried.
        class_id: The class that counts; by default all.
        name: A name.
        dtype: As in `Metric`.

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
        dtype: Any = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_ConstrainedMetric):
    """The best precision where the recall is high enough.

    Args:
        recall: The recall that must be reached, from 0 to 1.
        num_thresholds: How many thresholds from 0 to 1 are tried.
        class_id: The class that counts; by default all.
        name: A name.
        dtype: As in `Metric`.

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
        dtype: Any = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_ConstrainedMetric):
    """The best recall where the precision is high enough.

    Args:
        precision: The precision that must be reached, from 0 to 1.
        num_thresholds: How many thresholds from 0 to 1 are tried.
        class_id: The class that counts; by default all.
        name: A name.
        dtype: As in `Metric`.

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
        dtype: Any = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
