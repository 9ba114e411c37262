"""Confusion matrix of a batch at several thresholds: TP, FP, TN and FN."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.losses.reduction import align_weight, squeeze_or_expand_to_same_rank
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike

NEG_INF = -1e10
"""Score of predictions outside the top k. As a threshold, all other predictions exceed it."""


class ConfusionCounts(NamedTuple):
    """Tensors of shape `(thresholds,)`, or `(thresholds, labels)` for counts by label."""

    true_positives: Tensor
    false_positives: Tensor
    true_negatives: Tensor
    false_negatives: Tensor


class Thresholds:
    """Thresholds in ascending order.

    Attributes:
        values: The thresholds.
        is_evenly_spaced: Whether predictions can be counted in buckets of equal width.
        first_is_negative: Whether every prediction exceeds the first threshold.
    """

    def __init__(self, values: Sequence[float]):
        self.values = [float(value) for value in values]
        steps = np.linspace(0.0, 1.0, max(len(self.values), 1))
        # AUC's first and last thresholds are epsilon() outside of [0, 1].
        self.is_evenly_spaced = len(self.values) > 2 and bool(
            np.allclose(self.values, steps, atol=2 * settings.epsilon)
        )
        self.first_is_negative = self.values[0] < 0.0

    def __len__(self) -> int:
        return len(self.values)


def evenly_spaced_thresholds(count: int, margin: float = 0.0) -> list[float]:
    """Returns `count` thresholds from 0 to 1, with the ends moved outward by `margin`."""
    inner = [i / (count - 1) for i in range(1, count - 1)]
    return [0.0 - margin, *inner, 1.0 + margin]


def check_thresholds(thresholds: Any, default: float, source: str) -> list[float]:
    """Returns thresholds as a list of floats.

    Raises:
        ValueError: A threshold is not between 0 and 1.
    """
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    if not values or any(t is None or not 0 <= t <= 1 for t in values):
        raise SpecError(
            source,
            expected="thresholds from 0 to 1",
            received=f"thresholds={thresholds!r}",
            fix="predictions are compared as probabilities; convert logits to probabilities",
        )
    return [float(t) for t in values]


def compute_confusion_counts(
    y_true: TensorLike,
    y_pred: TensorLike,
    thresholds: Thresholds,
    metric: Any,
    sample_weight: TensorLike | None = None,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: Tensor | None = None,
    by_label: bool = False,
    dtype: str = "float32",
) -> ConfusionCounts:
    """Returns the confusion matrix of a batch at each threshold.

    Args:
        y_true: Labels 0 and 1, of the same shape as `y_pred`.
        y_pred: Predictions of shape `(batch, ...)`; those above a threshold are positive.
        thresholds: The thresholds.
        metric: The metric, for errors.
        sample_weight: Weights for the first axes of `y_pred`, or None.
        top_k: Number of predictions of a row that may be positive. Default None, for all.
        class_id: Index of the class of the last axis that is counted. Default None, for all.
        label_weights: Weights of the last axis, or None.
        by_label: Whether the labels of the last axis are counted separately. Default False.
        dtype: Dtype of the counts. Default float32.

    Returns:
        Counts of shape `(thresholds,)`, or `(thresholds, labels)` with `by_label`.

    Raises:
        SpecError: The weights do not fit the first axes of `y_pred`.
    """
    y_true = ops.convert_to_tensor(y_true, dtype=dtype)
    y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
    y_pred, y_true = squeeze_or_expand_to_same_rank(y_pred, y_true)
    if top_k is not None:
        y_pred = _top_k_only(y_pred, top_k)
    weight: Any = 1
    if sample_weight is not None:
        weight = align_weight(ops.convert_to_tensor(sample_weight, dtype=dtype), y_pred, metric)
    if class_id is not None:
        if sample_weight is not None and len(weight.shape) and weight.shape[-1] != 1:
            weight = _select_class(weight, class_id)
        y_true, y_pred = (_select_class(y, class_id) for y in (y_true, y_pred))
    weight = ops.multiply(ops.ones_like(y_pred), weight)
    if label_weights is not None:
        weight = ops.multiply(weight, label_weights)
    labels = ops.cast(ops.not_equal(y_true, 0), dtype)
    positive = ops.multiply(labels, weight)
    negative = ops.subtract(weight, positive)
    if not by_label:
        y_pred, positive, negative = (ops.reshape(x, (-1,)) for x in (y_pred, positive, negative))
    count = _bucketized_counts if thresholds.is_evenly_spaced else _broadcast_counts
    return count(y_pred, positive, negative, thresholds)


def _top_k_only(y_pred: Tensor, k: int) -> Tensor:
    _, indices = ops.top_k(y_pred, k)
    in_top_k = ops.sum(ops.one_hot(indices, y_pred.shape[-1], dtype=ops.dtype(y_pred)), -2)
    return ops.where(ops.greater(in_top_k, 0), y_pred, NEG_INF)


def _select_class(y: Tensor, class_id: int) -> Tensor:
    if len(y.shape) < 2 or not -y.shape[-1] <= class_id < y.shape[-1]:
        raise SpecError(
            "class_id",
            expected=f"targets and predictions of shape (batch, classes), with class {class_id}",
            received=f"shape {tuple(y.shape)}",
            fix="use class_id=None, or count the classes from 0",
        )
    return ops.expand_dims(ops.getitem(y, (Ellipsis, class_id)), -1)


def _broadcast_counts(
    y_pred: Tensor, positive: Tensor, negative: Tensor, thresholds: Thresholds
) -> ConfusionCounts:
    """Compares every prediction with every threshold."""
    dtype = ops.dtype(y_pred)
    limits = np.reshape(np.asarray(thresholds.values), (-1, *(1 for _ in y_pred.shape)))
    limits = ops.convert_to_tensor(limits, dtype=dtype)
    above = ops.cast(ops.greater(ops.expand_dims(y_pred, 0), limits), dtype)
    below = ops.subtract(1, above)

    def total(selected: Tensor, weight: Tensor) -> Tensor:
        return ops.sum(ops.multiply(selected, weight), 1)

    return ConfusionCounts(
        true_positives=total(above, positive),
        false_positives=total(above, negative),
        true_negatives=total(below, negative),
        false_negatives=total(below, positive),
    )


def _bucketized_counts(
    y_pred: Tensor, positive: Tensor, negative: Tensor, thresholds: Thresholds
) -> ConfusionCounts:
    """Sums weights by bucket, then cumulatively from the top: constant work per threshold.

    Bucket k holds the predictions that exceed exactly k thresholds (of those from 0 on).
    """
    size = len(thresholds)
    p = ops.clip(y_pred, 0.0, 1.0)
    buckets = ops.cast(ops.ceil(ops.multiply(p, float(size - 1))), "int32")

    def sum_above(weight: Tensor) -> tuple[Tensor, Tensor]:
        sums = segment_sum_columns(weight, buckets, size)
        from_top = ops.flip(ops.cumsum(ops.flip(sums, 0), 0), 0)
        total, above = from_top[:1], from_top[1:]
        zero = ops.zeros_like(total)
        if thresholds.first_is_negative:
            return ops.concatenate([total, above[1:], zero], 0), total
        return ops.concatenate([above, zero], 0), total

    true_positives, positives = sum_above(positive)
    false_positives, negatives = sum_above(negative)
    return ConfusionCounts(
        true_positives=true_positives,
        false_positives=false_positives,
        true_negatives=ops.subtract(negatives, false_positives),
        false_negatives=ops.subtract(positives, true_positives),
    )


def segment_sum_columns(values: Tensor, buckets: Tensor, size: int) -> Tensor:
    """Returns the sums of the values of each bucket, separately for each column.

    Args:
        values: Tensor of shape `(n,)` or `(n, columns)`.
        buckets: Bucket indices, of the shape of `values`.
        size: Number of buckets.

    Returns:
        A tensor of shape `(size,)` or `(size, columns)`.
    """
    if len(values.shape) == 1:
        return ops.segment_sum(values, buckets, num_segments=size)
    columns = values.shape[1]
    buckets = ops.add(ops.multiply(buckets, columns), ops.arange(columns, dtype="int32"))
    values, buckets = (ops.reshape(x, (-1,)) for x in (values, buckets))
    sums = ops.segment_sum(values, buckets, num_segments=size * columns)
    return ops.reshape(sums, (size, columns))
