"""Metrics from the confusion matrix: counts, precision, recall."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.core.variable import Variable
from keras_fn.metrics._confusion_matrix import (
    NEG_INF,
    Thresholds,
    check_thresholds,
    compute_confusion_counts,
)
from keras_fn.metrics.metric import Metric
from keras_fn.types import DTypeLike, Tensor, TensorLike


class ConfusionMetric(Metric):
    """Base class of metrics that accumulate confusion counts, one for each threshold."""

    _count_variables: dict[str, Variable]  # field of Counts: the variable that adds it up

    def count_at_thresholds(self, thresholds: list[float], counts: dict[str, str]) -> None:
        """Adds a variable for each count: `counts` maps fields of `ConfusionCounts` to names."""
        self._thresholds = Thresholds(thresholds)
        self.thresholds = self._thresholds.values
        for name in counts.values():
            setattr(self, name, self.add_variable((len(thresholds),), "zeros", name=name))
        vars(self)["_count_variables"] = {
            field: getattr(self, name) for field, name in counts.items()
        }

    def add_counts(self, y_true: TensorLike, y_pred: TensorLike, **options: Any) -> None:
        """Accumulates the counts of a batch; options as of `compute_confusion_counts`."""
        dtype = next(iter(self._count_variables.values())).dtype
        counts = compute_confusion_counts(
            y_true, y_pred, self._thresholds, self, dtype=dtype, **options
        )
        for field, variable in self._count_variables.items():
            variable.accumulate(getattr(counts, field))

    def _squeeze_single_threshold(self, values: Tensor) -> Tensor:
        """Returns the value of the only threshold; for several thresholds, all values."""
        return values[0] if len(self.thresholds) == 1 else values


def named_counts(*names: str) -> dict[str, str]:
    """Returns counts whose variables are named as the fields."""
    return {name: name for name in names}


class _ConfusionCount(ConfusionMetric):
    """Base class of metrics of one count, which subclasses name in `_field`."""

    _field: str
    accumulator: Variable

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        values = check_thresholds(thresholds, 0.5, f"{type(self).__name__} {self.name!r}")
        self.count_at_thresholds(values, {self._field: "accumulator"})

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the statistics of a batch.

        Args:
            y_true: Labels 0 and 1, of the same shape as `y_pred`.
            y_pred: Predicted probabilities of shape `(batch, ...)`, from 0 to 1.
            sample_weight: Weights for the first axes of `y_pred`, or None.
        """
        self.add_counts(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> Tensor:
        """Returns the count: a scalar, or a tensor of shape `(thresholds,)`."""
        return self._squeeze_single_threshold(self.accumulator.value)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_ConfusionCount):
    """True positives: number of predictions above the threshold with label 1.

    Args:
        thresholds: A number from 0 to 1, or several. Default 0.5.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: A threshold is not from 0 to 1.

    Example:
        >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
        2.0
    """

    _field = "true_positives"


class TrueNegatives(_ConfusionCount):
    """True negatives: number of predictions at or below the threshold with label 0.

    Args:
        thresholds: A number from 0 to 1, or several. Default 0.5.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: A threshold is not from 0 to 1.

    Example:
        >>> float(keras.metrics.TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0]))
        2.0
    """

    _field = "true_negatives"


class FalsePositives(_ConfusionCount):
    """False positives: number of predictions above the threshold with label 0.

    Args:
        thresholds: A number from 0 to 1, or several. Default 0.5.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: A threshold is not from 0 to 1.

    Example:
        >>> float(keras.metrics.FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1]))
        2.0
    """

    _field = "false_positives"


class FalseNegatives(_ConfusionCount):
    """False negatives: number of predictions at or below the threshold with label 1.

    Args:
        thresholds: A number from 0 to 1, or several. Default 0.5.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: A threshold is not from 0 to 1.

    Example:
        >>> float(keras.metrics.FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0]))
        2.0
    """

    _field = "false_negatives"


class _Ratio(ConfusionMetric):
    """Base class of precision and recall: `TP / (TP + other)`."""

    _direction = "up"
    true_positives: Variable
    _other_count: str  # the field of Counts that true positives are compared with

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else NEG_INF
        values = check_thresholds(thresholds, default, f"{type(self).__name__} {self.name!r}")
        self.count_at_thresholds(values, named_counts("true_positives", self._other_count))

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the statistics of a batch.

        Args:
            y_true: Labels 0 and 1, of the same shape as `y_pred`.
            y_pred: Predicted probabilities of shape `(batch, ...)`, from 0 to 1.
            sample_weight: Weights for the first axes of `y_pred`, or None.
        """
        self.add_counts(
            y_true, y_pred, sample_weight=sample_weight, top_k=self.top_k, class_id=self.class_id
        )

    def result(self) -> Tensor:
        """Returns the ratio: a scalar, or a tensor of shape `(thresholds,)`; 0 for an empty one."""
        true_positives = self.true_positives
        return self._squeeze_single_threshold(
            ops.divide_no_nan(
                true_positives, ops.add(true_positives, getattr(self, self._other_count))
            )
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Ratio):
    """Precision: the fraction of positive predictions that are correct, `TP / (TP + FP)`.

    Args:
        thresholds: A number from 0 to 1, or several. Default 0.5; with `top_k`, no threshold.
        top_k: Number of highest predictions of a row that may be positive. Default None, for all.
        class_id: Index of the class that is evaluated. Default None, for all.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: A threshold is not from 0 to 1.

    Example:
        >>> print(f"{float(keras.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])):.3f}")
        0.667
    """

    _other_count = "false_positives"


class Recall(_Ratio):
    """Recall: the fraction of positive labels that are predicted, `TP / (TP + FN)`.

    Args:
        thresholds: A number from 0 to 1, or several. Default 0.5; with `top_k`, no threshold.
        top_k: Number of highest predictions of a row that may be positive. Default None, for all.
        class_id: Index of the class that is evaluated. Default None, for all.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: A threshold is not from 0 to 1.

    Example:
        >>> print(f"{float(keras.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])):.3f}")
        0.667
    """

    _other_count = "false_negatives"
