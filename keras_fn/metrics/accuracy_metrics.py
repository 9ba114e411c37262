"""How often predictions are right."""

from typing import Any

from keras_fn import ops
from keras_fn.losses.reduction import convert_to_same_rank, squeeze_or_expand_to_same_rank
from keras_fn.metrics.reduction_metrics import BuiltInMean
from keras_fn.settings import settings

Tensor = Any


def _is_correct(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return ops.cast(ops.equal(y_true, y_pred), settings.floatx)


def accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where target and prediction are equal, else 0.

    Args:
        y_true: Targets, of the shape of `y_pred`.
        y_pred: Predictions of any shape.

    Example:
        >>> from keras_fn.metrics.accuracy_metrics import accuracy
        >>> convert_to_numpy(accuracy([1, 2], [1, 3])).tolist()
        [1.0, 0.0]
    """
    return _is_correct(*convert_to_same_rank(y_true, y_pred))


def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where the prediction is on the target's side of the threshold, else 0.

    Args:
        y_true: Targets 0 and 1, of the shape of `y_pred`.
        y_pred: Predictions of any shape.
        threshold: A prediction above it stands for 1.

    Example:
        >>> convert_to_numpy(keras.metrics.binary_accuracy([1, 0], [0.7, 0.6])).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(
        ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    )
    return _is_correct(y_true, ops.cast(ops.greater(y_pred, threshold), ops.dtype(y_true)))


def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the largest prediction is that of the target, else 0.

    Args:
        y_true: One-hot targets, of the shape of `y_pred`.
        y_pred: Predictions of shape `(batch, ..., classes)`.

    Returns:
        A tensor of shape `(batch, ...)`.

    Example:
        >>> convert_to_numpy(keras.metrics.categorical_accuracy([[0, 1]], [[0.2, 0.8]])).tolist()
        [1.0]
    """
    return sparse_categorical_accuracy(ops.argmax(y_true, -1), y_pred)


def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the largest prediction is that of the target, else 0.

    Args:
        y_true: Class numbers of shape `(batch, ...)`, or with a further axis of size 1.
        y_pred: Predictions of shape `(batch, ..., classes)`.

    Returns:
        A tensor of shape `(batch, ...)`; a last axis of size 1 is dropped.

    Example:
        >>> convert_to_numpy(keras.metrics.sparse_categorical_accuracy([1], [[0.2, 0.8]])).tolist()
        [1.0]
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    matches = _is_correct(ops.cast(y_true, "int32"), ops.argmax(y_pred, -1))
    if len(matches.shape) > 1 and matches.shape[-1] == 1:
        matches = ops.squeeze(matches, -1)
    return matches


def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where the prediction for the target is among the `k` largest, else 0.

    Args:
        y_true: One-hot targets, of the shape of `y_pred`.
        y_pred: Predictions of shape `(batch, ..., classes)`.
        k: How many of the largest count; all of them where there are fewer classes.

    Returns:
        A tensor of shape `(batch, ...)`.

    Example:
        >>> y_true, y_pred = [[0, 0, 1]], [[0.1, 0.9, 0.8]]
        >>> float(keras.metrics.top_k_categorical_accuracy(y_true, y_pred, k=2)[0])
        1.0
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Tensor, y_pred: Tensor, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1 where the prediction for the target is among the `k` largest, else 0.

    Args:
        y_true: Class numbers of shape `(batch, ...)`.
        y_pred: Predictions of shape `(batch, ..., classes)`, or the numbers of the best classes.
        k: How many of the largest count; all of them where there are fewer classes.
        from_sorted_ids: Whether `y_pred` holds class numbers, the best one first.

    Returns:
        A tensor of the shape of `y_true`.

    Example:
        >>> y_true, y_pred = [2], [[0.1, 0.9, 0.8]]
        >>> float(keras.metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=2)[0])
        1.0
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=ops.dtype(y_pred) if from_sorted_ids else "int32")
    shape, classes = ops.shape(y_true), y_pred.shape[-1]
    scores = ops.reshape(y_pred, (-1, classes)) if len(y_pred.shape) > 2 else y_pred
    labels = ops.reshape(y_true, (-1,)) if len(shape) > 1 else y_true
    if from_sorted_ids:
        best = ops.getitem(scores, (slice(None), slice(None, k)))
        matches = ops.any(ops.equal(ops.expand_dims(labels, 1), best), 1)
    else:
        matches = ops.in_top_k(labels, scores, k=k if classes is None else min(k, classes))
    matches = ops.cast(matches, settings.floatx)
    return ops.reshape(matches, shape) if len(shape) > 1 else matches


class Accuracy(BuiltInMean):
    """How often targets and predictions are equal.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.Accuracy()([1, 2, 3, 4], [1, 2, 3, 0]))
        0.75
    """

    function = staticmethod(accuracy)
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(name, dtype)


class BinaryAccuracy(BuiltInMean):
    """How often predictions are on the side of the threshold that the targets name.

    Args:
        name: A name.
        dtype: As in `Metric`.
        threshold: A prediction above it stands for 1, else for 0.

    Example:
        >>> float(keras.metrics.BinaryAccuracy()([[1], [0]], [[0.7], [0.6]]))
        0.5
    """

    function = staticmethod(binary_accuracy)
    _direction = "up"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ):
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(BuiltInMean):
    """How often the largest prediction is that of the one-hot target.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.1, 0.9]]))
        0.5
    """

    function = staticmethod(categorical_accuracy)
    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(name, dtype)


class SparseCategoricalAccuracy(BuiltInMean):
    """How often the largest prediction is that of the class whose number is the target.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.1, 0.9]]))
        0.5
    """

    function = staticmethod(sparse_categorical_accuracy)
    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(name, dtype)


class TopKCategoricalAccuracy(BuiltInMean):
    """How often the prediction for the one-hot target is among the `k` largest.

    Args:
        k: How many of the largest count.
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.9, 0.8]]))
        1.0
    """

    function = staticmethod(top_k_categorical_accuracy)
    _direction = "up"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ):
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(BuiltInMean):
    """How often the prediction for the class whose number is the target is among the `k` largest.

    Args:
        k: How many of the largest count.
        name: A name.
        dtype: As in `Metric`.
        from_sorted_ids: Whether predictions are class numbers, the best one first.

    Example:
        >>> float(keras.metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.1, 0.9, 0.8]]))
        1.0
    """

    function = staticmethod(sparse_top_k_categorical_accuracy)
    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(name, dtype, k=k, from_sorted_ids=from_sorted_ids)
