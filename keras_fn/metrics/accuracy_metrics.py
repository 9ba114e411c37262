"""Accuracy metrics."""

from keras_fn import ops
from keras_fn.losses.reduction import convert_to_same_rank, squeeze_or_expand_to_same_rank
from keras_fn.metrics.reduction_metrics import BuiltInMean
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


def _is_correct(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return ops.cast(ops.equal(y_true, y_pred), settings.floatx)


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Accuracy: 1 where label and prediction are equal, else 0.

    Args:
        y_true: Labels, of the same shape as `y_pred`.
        y_pred: Predictions of any shape.

    Returns:
        A tensor of the shape of `y_pred`, in `floatx()`.

    Example:
        >>> from keras_fn.metrics.accuracy_metrics import accuracy
        >>> convert_to_numpy(accuracy([1, 2], [1, 3])).tolist()
        [1.0, 0.0]
    """
    return _is_correct(*convert_to_same_rank(y_true, y_pred))


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """Binary accuracy: 1 where the thresholded prediction equals the label, else 0.

    Args:
        y_true: Labels 0 and 1, of the same shape as `y_pred`.
        y_pred: Predictions of any shape.
        threshold: Predictions above it count as 1. Default 0.5.

    Returns:
        A tensor of the shape of `y_pred`, in `floatx()`.

    Example:
        >>> convert_to_numpy(keras.metrics.binary_accuracy([1, 0], [0.7, 0.6])).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(
        ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    )
    return _is_correct(y_true, ops.cast(ops.greater(y_pred, threshold), ops.dtype(y_true)))


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Categorical accuracy: 1 where the highest score is at the one-hot label, else 0.

    Args:
        y_true: One-hot labels, of the same shape as `y_pred`.
        y_pred: Predicted scores of shape `(batch, ..., classes)`.

    Returns:
        1.0 for each correct prediction, else 0.0, of shape `(batch, ...)`.

    Example:
        >>> convert_to_numpy(keras.metrics.categorical_accuracy([[0, 1]], [[0.2, 0.8]])).tolist()
        [1.0]
    """
    return sparse_categorical_accuracy(ops.argmax(y_true, -1), y_pred)


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Sparse categorical accuracy: 1 where the highest score is at the class index, else 0.

    Args:
        y_true: Class indices of shape `(batch, ...)`, or `(batch, ..., 1)`.
        y_pred: Predicted scores of shape `(batch, ..., classes)`.

    Returns:
        1.0 for each correct prediction, else 0.0, of shape `(batch, ...)`; a last axis of size 1 is
        dropped.

    Example:
        >>> convert_to_numpy(keras.metrics.sparse_categorical_accuracy([1], [[0.2, 0.8]])).tolist()
        [1.0]
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    correct = _is_correct(ops.cast(y_true, "int32"), ops.argmax(y_pred, -1))
    if len(correct.shape) > 1 and correct.shape[-1] == 1:
        correct = ops.squeeze(correct, -1)
    return correct


def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """Top-k accuracy: 1 where the one-hot label is among the `k` highest scores, else 0.

    Args:
        y_true: One-hot labels, of the same shape as `y_pred`.
        y_pred: Predicted scores of shape `(batch, ..., classes)`.
        k: Number of the highest scores that count; all if there are fewer classes. Default 5.

    Returns:
        1.0 for each correct prediction, else 0.0, of shape `(batch, ...)`.

    Example:
        >>> y_true, y_pred = [[0, 0, 1]], [[0.1, 0.9, 0.8]]
        >>> float(keras.metrics.top_k_categorical_accuracy(y_true, y_pred, k=2)[0])
        1.0
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """Sparse top-k accuracy: 1 where the class index is among the `k` highest scores, else 0.

    Args:
        y_true: Class indices of shape `(batch, ...)`.
        y_pred: Predicted scores of shape `(batch, ..., classes)`, or sorted class indices.
        k: Number of the highest scores that count; all if there are fewer classes. Default 5.
        from_sorted_ids: Whether `y_pred` holds class indices, best first. Default False.

    Returns:
        1.0 for each correct prediction, else 0.0, of the shape of `y_true`.

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
        top_k = ops.getitem(scores, (slice(None), slice(None, k)))
        correct = ops.any(ops.equal(ops.expand_dims(labels, 1), top_k), 1)
    else:
        correct = ops.in_top_k(labels, scores, k=k if classes is None else min(k, classes))
    correct = ops.cast(correct, settings.floatx)
    return ops.reshape(correct, shape) if len(shape) > 1 else correct


class Accuracy(BuiltInMean):
    """Accuracy: how often labels and predictions are equal.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.Accuracy()([1, 2, 3, 4], [1, 2, 3, 0]))
        0.75
    """

    function = staticmethod(accuracy)
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class BinaryAccuracy(BuiltInMean):
    """Binary accuracy: how often thresholded predictions equal the labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        threshold: Predictions above it count as 1. Default 0.5.

    Example:
        >>> float(keras.metrics.BinaryAccuracy()([[1], [0]], [[0.7], [0.6]]))
        0.5
    """

    function = staticmethod(binary_accuracy)
    _direction = "up"

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: DTypeLike | None = None,
        threshold: float = 0.5,
    ):
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(BuiltInMean):
    """Categorical accuracy: how often the highest score is at the one-hot label.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.1, 0.9]]))
        0.5
    """

    function = staticmethod(categorical_accuracy)
    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class SparseCategoricalAccuracy(BuiltInMean):
    """Sparse categorical accuracy: how often the highest score is at the class index.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.1, 0.9]]))
        0.5
    """

    function = staticmethod(sparse_categorical_accuracy)
    _direction = "up"

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: DTypeLike | None = None
    ):
        super().__init__(name, dtype)


class TopKCategoricalAccuracy(BuiltInMean):
    """Top-k accuracy: how often the one-hot label is among the `k` highest scores.

    Args:
        k: Number of the highest scores that count; all if there are fewer classes. Default 5.
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.9, 0.8]]))
        1.0
    """

    function = staticmethod(top_k_categorical_accuracy)
    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(BuiltInMean):
    """Sparse top-k accuracy: how often the class index is among the `k` highest scores.

    Args:
        k: Number of the highest scores that count; all if there are fewer classes. Default 5.
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        from_sorted_ids: Whether predictions are class indices, best first. Default False.

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
        dtype: DTypeLike | None = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(name, dtype, k=k, from_sorted_ids=from_sorted_ids)
