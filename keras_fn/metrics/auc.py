"""Area under the ROC or precision-recall curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.metrics._confusion_matrix import (
    ConfusionCounts,
    Thresholds,
    compute_confusion_counts,
    evenly_spaced_thresholds,
)
from keras_fn.metrics.metric import Metric
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """Area under the ROC or precision-recall curve, by a Riemann sum over thresholds.

    Args:
        num_thresholds: Number of thresholds of the approximation, at least 2. Default 200.
        curve: `"ROC"` (default; true over false positive rate), `"PR"` (precision over recall) or
            `"PRGAIN"` (precision gain over recall gain).
        summation_method: Height between two thresholds: `"interpolation"` (default), `"minoring"`
            (the smaller one) or `"majoring"` (the larger one).
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        thresholds: Thresholds between 0 and 1, instead of `num_thresholds` evenly spaced ones.
        multi_label: Whether the AUC is computed for each label of the last axis, and averaged.
            Default False.
        num_labels: Number of labels. Default: as in the first batch.
        label_weights: Weights of the labels in the average; without `multi_label`, of their
            predictions.
        from_logits: Whether predictions are logits rather than probabilities. Default False.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> metric = keras.metrics.AUC(num_thresholds=3)
        >>> float(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.75

    References:
        Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", 2006.
        Flach and Kull, "Precision-Recall-Gain Curves: PR Analysis Done Right", 2015.
    """

    _direction = "up"
    true_positives: Variable  # one of four, named as the fields of ConfusionCounts

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DTypeLike | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        self.curve = self._one_of("curve", curve, _CURVES, str(curve).upper())
        self.summation_method = self._one_of(
            "summation_method", summation_method, _METHODS, str(summation_method).lower()
        )
        self._user_thresholds = None if thresholds is None else sorted(map(float, thresholds))
        if self._user_thresholds is None:
            if num_thresholds < 2:
                raise self._argument_error(
                    "num_thresholds of 2 or more", "num_thresholds", num_thresholds
                )
            values = evenly_spaced_thresholds(num_thresholds, settings.epsilon)
        else:
            if any(not 0 <= t <= 1 for t in self._user_thresholds):
                raise self._argument_error("thresholds from 0 to 1", "thresholds", thresholds)
            values = [0.0 - settings.epsilon, *self._user_thresholds, 1.0 + settings.epsilon]
        if num_labels and not multi_label:
            raise self._argument_error(
                "num_labels with multi_label=True only", "num_labels", num_labels
            )
        self._thresholds = Thresholds(values)
        self.thresholds, self.num_thresholds = self._thresholds.values, len(values)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights, "float32")
        self._from_logits = from_logits
        self._built = False
        if not multi_label:
            self._build(())
        elif num_labels:
            self._build((num_labels,))

    def _argument_error(self, expected: str, argument: str, value: Any) -> SpecError:
        return SpecError(
            f"AUC {self.name!r}",
            expected=expected,
            received=f"{argument}={value!r}",
            fix=f"check {argument}, or use its default",
        )

    def _one_of(self, argument: str, received: str, choices: tuple[str, ...], value: str) -> str:
        if value not in choices:
            raise self._argument_error(
                f"{argument} to be one of " + ", ".join(map(repr, choices)), argument, received
            )
        return value

    def _build(self, labels: Shape) -> None:
        shape = (self.num_thresholds, *(size or 0 for size in labels))
        for name in ConfusionCounts._fields:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))
        self._built = True

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the confusion matrix of a batch, at each threshold.

        Args:
            y_true: Labels 0 and 1, of the same shape as `y_pred`.
            y_pred: Predictions of shape `(batch, ...)`; `(batch, labels)` with `multi_label`.
            sample_weight: Weights for the first axes of `y_pred`, or None.

        Raises:
            SpecError: `y_pred` does not have one column for each label, with `multi_label`.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        if self.multi_label:
            labels = self.num_labels or (self.true_positives.shape[1] if self._built else None)
            if len(y_pred.shape) != 2 or labels not in (None, y_pred.shape[1]):
                raise SpecError(
                    f"AUC {self.name!r}",
                    expected=f"predictions of shape (batch, {labels or 'labels'}) with multi_label",
                    received=f"shape {tuple(y_pred.shape)}",
                    fix="reshape the predictions, or leave multi_label out",
                )
            if not self._built:
                self._build(tuple(y_pred.shape)[1:])
        counts = compute_confusion_counts(
            y_true,
            ops.sigmoid(y_pred) if self._from_logits else y_pred,
            self._thresholds,
            self,
            sample_weight=sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            by_label=self.multi_label,
            dtype=self.true_positives.dtype,
        )
        for name, count in zip(ConfusionCounts._fields, counts, strict=True):
            getattr(self, name).accumulate(count)

    def result(self) -> Tensor:
        """Returns the area, averaged over labels with `multi_label`: a scalar tensor."""
        if not self._built:
            return ops.zeros((), self._accumulator_dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self.interpolate_pr_auc()
        else:
            x, y = self._curve_points()
            left_height, right_height = y[:-1], y[1:]
            if self.summation_method == "interpolation":
                height = ops.divide(ops.add(left_height, right_height), 2.0)
            else:
                select = ops.minimum if self.summation_method == "minoring" else ops.maximum
                height = select(left_height, right_height)
            areas = ops.multiply(ops.subtract(x[:-1], x[1:]), height)
        areas = ops.sum(areas, 0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        total = float(self.label_weights.sum())
        return ops.divide_no_nan(ops.sum(ops.multiply(areas, self.label_weights)), total)

    def _curve_points(self) -> tuple[Tensor, Tensor]:
        """Returns x and y of the curve, one point for each threshold."""
        tp, fp, tn, fn = (getattr(self, name).value for name in ConfusionCounts._fields)
        recall = ops.divide_no_nan(tp, ops.add(tp, fn))
        if self.curve == "ROC":
            return ops.divide_no_nan(fp, ops.add(fp, tn)), recall
        if self.curve == "PR":
            return recall, ops.divide_no_nan(tp, ops.add(tp, fp))
        odds = ops.divide_no_nan(ops.add(tp, fn), ops.add(tn, fp))
        no_tp = ops.equal(tp, 0.0)

        def gain(errors: Tensor, value_without_tp: float) -> Tensor:
            gain_values = ops.subtract(1.0, ops.multiply(odds, ops.divide_no_nan(errors, tp)))
            return ops.where(no_tp, value_without_tp, gain_values)

        return ops.maximum(gain(fn, 0.0), 0.0), gain(fp, 1.0)

    def interpolate_pr_auc(self) -> Tensor:
        """Returns the areas under the PR curve, with TP linear in TP + FP between thresholds.

        Returns:
            A tensor of shape `(num_thresholds - 1,)`, or `(num_thresholds - 1, num_labels)`.
        """
        tp, fp, fn = (
            getattr(self, name).value
            for name in ("true_positives", "false_positives", "false_negatives")
        )
        positive = ops.add(tp, fp)
        rise = ops.subtract(tp[:-1], tp[1:])
        run = ops.maximum(ops.subtract(positive[:-1], positive[1:]), 0)
        slope = ops.divide_no_nan(rise, run)
        intercept = ops.subtract(tp[1:], ops.multiply(slope, positive[1:]))
        both = ops.logical_and(ops.greater(positive[:-1], 0), ops.greater(positive[1:], 0))
        ratio = ops.where(both, ops.divide_no_nan(positive[:-1], positive[1:]), 1.0)
        area = ops.multiply(slope, ops.add(rise, ops.multiply(intercept, ops.log(ratio))))
        return ops.divide_no_nan(area, ops.maximum(ops.add(tp[1:], fn[1:]), 0))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        weights = self.label_weights
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._user_thresholds is not None:
            config["thresholds"] = self._user_thresholds
        return config
