"""Cross-entropy losses: binary, categorical (one-hot labels) and sparse (class indices)."""

from typing import Any

from keras_fn import ops
from keras_fn.core.masking import set_mask
from keras_fn.errors import DTypeError, SpecError
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.types import DTypeLike, Tensor, TensorLike


def smooth_binary_labels(y_true: Tensor, label_smoothing: float) -> Tensor:
    """Label smoothing for binary labels: moves them toward 0.5."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)


def smooth_labels(y_true: Tensor, label_smoothing: float, axis: int) -> Tensor:
    """Label smoothing for one-hot labels: mixes them with the uniform distribution.

    Raises:
        SpecError: The number of classes is not known.
    """
    if not label_smoothing:
        return y_true
    classes = y_true.shape[axis]
    if classes is None:
        raise SpecError(
            "label_smoothing",
            expected="labels with a known number of classes",
            received=f"shape {tuple(y_true.shape)}",
            fix="pass the size of the class axis to Input",
        )
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes)


def check_class_axis(axis: Any, source: str) -> None:
    """Rejects `axis=True`, where a surplus positional argument ends up.

    Raises:
        TypeError: `axis` is not an integer.
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise DTypeError(
            source,
            expected="axis to be an integer",
            received=f"axis={axis!r}",
            fix="pass from_logits and label_smoothing by name",
        )


def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary cross-entropy: mean of `-y_true * log(p) - (1 - y_true) * log(1 - p)` over `axis`.

    Args:
        y_true: Ground truth labels from 0 to 1, of the same shape as `y_pred`.
        y_pred: Predicted probabilities of any shape, in a float dtype; logits with
            `from_logits=True`.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are moved toward
            0.5.
        axis: Axis over which the mean is taken. Default -1.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> print(f"{float(keras.losses.binary_crossentropy([0.0, 1.0], [0.5, 0.5])):.3f}")
        0.693
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    y_true = smooth_binary_labels(y_true, label_smoothing)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis)


def categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Categorical cross-entropy: `-sum(y_true * log(p))` over the classes.

    Args:
        y_true: One-hot labels or class probabilities, of the same shape as `y_pred`.
        y_pred: Predicted class probabilities of shape `(batch, ..., classes)`, normalized to sum to
            1; logits with `from_logits=True`.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are mixed with the
            uniform distribution.
        axis: Axis of the classes. Default -1.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Raises:
        ValueError: The shapes differ.
        TypeError: `axis` is not an integer.

    Example:
        >>> print(f"{float(keras.losses.categorical_crossentropy([0.0, 1.0], [0.5, 0.5])):.3f}")
        0.693
    """
    check_class_axis(axis, "categorical_crossentropy")
    y_true, y_pred = convert_inputs(y_true, y_pred)
    y_true = smooth_labels(y_true, label_smoothing, axis)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """Sparse categorical cross-entropy: `-log(p[y_true])`, for integer labels.

    Args:
        y_true: Class indices, of the shape of `y_pred` without `axis`, or with size 1 there.
        y_pred: Predicted class probabilities of shape `(batch, ..., classes)`, normalized to sum to
            1; logits with `from_logits=True`.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        ignore_class: Class index whose loss is 0 and which is left out of the mean. Default None.
        axis: Axis of the classes. Default -1.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Raises:
        ValueError: The shapes do not match.

    Example:
        >>> y_true, y_pred = [1, 0], [[0.5, 0.5], [0.25, 0.75]]
        >>> values = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        >>> print(convert_to_numpy(values).round(3))
        [0.693 1.386]
    """
    y_pred, y_true = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    y_true = ops.cast(y_true, "int32")
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(
            y_true, y_pred, from_logits=from_logits, axis=axis
        )
    valid = ops.not_equal(y_true, ignore_class)
    # An ignored label may be out of range, its predictions NaN: neither may reach the gradient.
    y_true = ops.where(valid, y_true, 0)
    y_pred = ops.where(ops.expand_dims(valid, axis), y_pred, 0)
    losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    losses = ops.where(valid, losses, 0)
    set_mask(losses, valid)
    return losses


class BinaryCrossentropy(BuiltInLoss):
    """Binary cross-entropy between labels (0 and 1) and predictions.

    Args:
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are moved toward
            0.5.
        axis: Axis over which the mean is taken. Default -1.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> loss = keras.losses.BinaryCrossentropy(from_logits=True)
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.0, 0.0]])):.3f}")
        0.693
    """

    function = staticmethod(binary_crossentropy)
    target_check = staticmethod(target_validation.check_same_shape)
    _averages_last_axis = True

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(BuiltInLoss):
    """Categorical cross-entropy between one-hot labels and predictions.

    Args:
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are mixed with the
            uniform distribution.
        axis: Axis of the classes. Default -1.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        TypeError: `axis` is not an integer.

    Example:
        >>> loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.0, 0.0]])):.3f}")
        0.693
    """

    function = staticmethod(categorical_crossentropy)
    target_check = staticmethod(target_validation.check_one_hot)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: DTypeLike | None = None,
    ):
        check_class_axis(axis, "CategoricalCrossentropy")
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(BuiltInLoss):
    """Sparse categorical cross-entropy between class indices and predictions.

    Args:
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        ignore_class: Class index that is ignored, for example -1 or 255. Default None.
        axis: Axis of the classes. Default -1.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> print(f"{float(loss([1, 0], [[0.0, 0.0], [0.0, 0.0]])):.3f}")
        0.693
    """

    function = staticmethod(sparse_categorical_crossentropy)
    target_check = staticmethod(target_validation.check_class_indices)
    _casts_targets = False

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(
            reduction, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )
