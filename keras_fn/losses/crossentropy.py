"""Crossentropies of two classes, of many, and of class numbers."""

from typing import Any

from keras_fn import ops
from keras_fn.core.masking import set_mask
from keras_fn.errors import DTypeError, SpecError
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs

Tensor = Any


def smooth_binary_labels(y_true: Tensor, label_smoothing: float) -> Tensor:
    """Targets drawn towards 0.5."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)


def smooth_labels(y_true: Tensor, label_smoothing: float, axis: int) -> Tensor:
    """Targets drawn towards the same probability for every class."""
    if not label_smoothing:
        return y_true
    classes = y_true.shape[axis]
    if classes is None:
        raise SpecError(
            "label_smoothing",
            expected="targets whose number of classes is known",
            received=f"shape {tuple(y_true.shape)}",
            fix="give Input the size of the axis of the classes",
        )
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes)


def check_class_axis(axis: Any, source: str) -> None:
    """Refuses `axis=True`, which is where an argument too many ends up.

    Raises:
        TypeError: `axis` is no integer.
    """
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise DTypeError(
            source,
            expected="axis to be an integer",
            received=f"axis={axis!r}",
            fix="pass from_logits and label_smoothing by name",
        )


def binary_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The mean over `axis` of `-y_true * log(p) - (1 - y_true) * log(1 - p)`.

    Args:
        y_true: Targets from 0 to 1, of the shape of `y_pred`.
        y_pred: Probabilities p, or logits with `p = sigmoid(y_pred)`.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far targets are drawn towards 0.5: from 0, not at all, to 1.
        axis: The axis over which the mean is taken.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

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
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """`-sum(y_true * log(p))` over the classes.

    Args:
        y_true: One-hot targets, or probabilities, of the shape of `y_pred`.
        y_pred: Probabilities p, which are divided by their sum, or logits with
            `p = softmax(y_pred)`.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How much of a target is shared out equally among all classes.
        axis: The axis of the classes.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> print(f"{float(keras.losses.categorical_crossentropy([0.0, 1.0], [0.5, 0.5])):.3f}")
        0.693
    """
    check_class_axis(axis, "categorical_crossentropy")
    y_true, y_pred = convert_inputs(y_true, y_pred)
    y_true = smooth_labels(y_true, label_smoothing, axis)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """`-log(p)` of the class whose number is the target.

    Args:
        y_true: Class numbers, of the shape of `y_pred` without `axis`, or with size 1 there.
        y_pred: Probabilities p, which are divided by their sum, or logits with
            `p = softmax(y_pred)`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A class number whose loss is 0 and which a mean does not count.
        axis: The axis of the classes.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

    Raises:
        ValueError: The shapes do not fit.

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
    counts = ops.not_equal(y_true, ignore_class)
    # What is ignored may be no class, and its predictions NaN: neither may reach the gradient.
    y_true = ops.where(counts, y_true, 0)
    y_pred = ops.where(ops.expand_dims(counts, axis), y_pred, 0)
    losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    losses = ops.where(counts, losses, 0)
    set_mask(losses, counts)
    return losses


class BinaryCrossentropy(BuiltInLoss):
    """Crossentropy of two classes, 0 and 1.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far targets are drawn towards 0.5: from 0, not at all, to 1.
        axis: The axis over which the mean is taken.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> loss = keras.losses.BinaryCrossentropy(from_logits=True)
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.0, 0.0]])):.3f}")
        0.693
    """

    function = staticmethod(binary_crossentropy)
    targets = staticmethod(target_validation.check_same_shape)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
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
    """Crossentropy of many classes, for one-hot targets.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How much of a target is shared out equally among all classes.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.0, 0.0]])):.3f}")
        0.693
    """

    function = staticmethod(categorical_crossentropy)
    targets = staticmethod(target_validation.check_one_hot)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
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
    """Crossentropy of many classes, for targets that are class numbers.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        ignore_class: A class number that does not count, for example -1 or 255.
        reduction: As in `Loss`.
        axis: The axis of the classes.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> print(f"{float(loss([1, 0], [[0.0, 0.0], [0.0, 0.0]])):.3f}")
        0.693
    """

    function = staticmethod(sparse_categorical_crossentropy)
    targets = staticmethod(target_validation.check_class_indices)
    _casts_targets = False

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            reduction, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )
