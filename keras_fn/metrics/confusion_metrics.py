"""Metrics that count true and false positives and negatives."""

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

Tensor = Any


class ConfusionMetric(Metric):
    """Base of metrics whose variables are counts, one for each threshold."""

    _counted: dict[str, Variable]  # field of Counts: the variable that adds it up

    def count_at_thresholds(self, thresholds: list[float], counts: dict[str, str]) -> None:
        """Makes the variables: `counts` maps fields of `Counts` to names of variables."""
        self._at = Thresholds(thresholds)
        self.thresholds = self._at.values
        for name in counts.values():
            setattr(self, name, self.add_variable((len(thresholds),), "zeros", name=name))
        vars(self)["_counted"] = {field: getattr(self, name) for field, name in counts.items()}

    def add_counts(self, y_true: Tensor, y_pred: Tensor, **options: Any) -> None:
        """Adds the counts of a batch; options as in `confusion_counts`."""
        dtype = next(iter(self._counted.values())).dtype
        counts = compute_confusion_counts(y_true, y_pred, self._at, dtype=dtype, **options)
        for field, variable in self._counted.items():
            variable.assign_add(getattr(counts, field))

    def _squeeze_single_threshold(self, values: Tensor) -> Tensor:
        """Returns the one value of one threshold, else all."""
        return values[0] if len(self.thresholds) == 1 else values


def named_counts(*names: str) -> dict[str, str]:
    """Returns counts whose variables have the names of the fields."""
    return {name: name for name in names}


class _ConfusionCount(ConfusionMetric):
    """Base of the metrics of one count. Subclasses say which."""

    _field: str
    accumulator: Variable

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        values = check_thresholds(thresholds, 0.5, f"{type(self).__name__} {self.name!r}")
        self.count_at_thresholds(values, {self._field: "accumulator"})

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets 0 and 1, of the shape of `y_pred`.
            y_pred: Predictions from 0 to 1, of shape `(batch, ...)`.
            sample_weight: Weights of the first axes of `y_pred`, or None.
        """
        self.add_counts(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> Tensor:
        """Returns the count; for several thresholds, one for each."""
        return self._squeeze_single_threshold(self.accumulator.value)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_ConfusionCount):
    """How many predictions are above the threshold, rightly.

    Args:
        thresholds: From 0 to 1: a number (0.5 by default), or several.
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
        2.0
    """

    _field = "true_positives"


class TrueNegatives(_ConfusionCount):
    """How many predictions are at or below the threshold, rightly. Arguments: `TruePositives`.

    Example:
        >>> float(keras.metrics.TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0]))
        2.0
    """

    _field = "true_negatives"


class FalsePositives(_ConfusionCount):
    """How many predictions are above the threshold, wrongly. Arguments as in `TruePositives`.

    Example:
        >>> float(keras.metrics.FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1]))
        2.0
    """

    _field = "false_positives"


class FalseNegatives(_ConfusionCount):
    """How many predictions are at or below the threshold, wrongly. Arguments: `TruePositives`.

    Example:
        >>> float(keras.metrics.FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0]))
        2.0
    """

    _field = "false_negatives"


class _Ratio(ConfusionMetric):
    """Base of precision and recall: true positives among these and others."""

    _direction = "up"
    true_positives: Variable
    _other_count: str  # the field of Counts that true positives are compared with

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else NEG_INF
        values = check_thresholds(thresholds, default, f"{type(self).__name__} {self.name!r}")
        self.count_at_thresholds(values, named_counts("true_positives", self._other_count))

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets 0 and 1, of the shape of `y_pred`.
            y_pred: Predictions from 0 to 1, of shape `(batch, ...)`.
            sample_weight: Weights of the first axes of `y_pred`, or None.
        """
        self.add_counts(
            y_true, y_pred, sample_weight=sample_weight, top_k=self.top_k, class_id=self.class_id
        )

    def result(self) -> Tensor:
        """Returns the share; for several thresholds, one for each. 0 of nothing."""
        hits = self.true_positives
        return self._squeeze_single_threshold(
            ops.divide_no_nan(hits, ops.add(hits, getattr(self, self._other_count)))
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Ratio):
    """How many of the positive predictions are right.

    Args:
        thresholds: From 0 to 1: a number, or several. By default 0.5; with `top_k`, none.
        top_k: How many of a row's predictions may be positive: the largest.
        class_id: The class that counts; by default all.
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> print(f"{float(keras.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])):.3f}")
        0.667
    """

    _other_count = "false_positives"


class Recall(_Ratio):
    """How many of those that are positive are found. Arguments as in `Precision`.

    Example:
        >>> print(f"{float(keras.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])):.3f}")
        0.667
    """

    _other_count = "false_negatives"
