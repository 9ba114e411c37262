"""Focal cross-entropy losses, and the generalized cross-entropy for noisy labels."""

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.losses import target_validation
from keras_fn.losses.crossentropy import check_class_axis, smooth_binary_labels, smooth_labels
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary focal cross-entropy: `(1 - p_t) ** gamma` times the binary cross-entropy.

    `p_t` is the predicted probability of the true class, so easy examples are down-weighted.

    Args:
        y_true: Ground truth labels from 0 to 1, of the same shape as `y_pred`.
        y_pred: Predicted probabilities of any shape, in a float dtype; logits with
            `from_logits=True`.
        apply_class_balancing: Whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
            Default False.
        alpha: Weight of class 1. Default 0.25.
        gamma: Focusing parameter; 0 for the plain cross-entropy. Default 2.0.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are moved toward
            0.5.
        axis: Axis over which the mean is taken. Default -1.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.binary_focal_crossentropy([0.0, 1.0], [0.5, 0.5])):.3f}")
        0.173

    References:
        Lin et al., "Focal Loss for Dense Object Detection", 2017.
        https://arxiv.org/abs/1708.02002
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    y_true = smooth_binary_labels(y_true, label_smoothing)
    crossentropy = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    y_false = ops.subtract(1.0, y_true)
    p_false = ops.add(
        ops.multiply(y_true, ops.subtract(1.0, p)), ops.multiply(y_false, p)
    )  # the predicted probability of the false class
    losses = ops.multiply(ops.power(p_false, gamma), crossentropy)
    if apply_class_balancing:
        weight = ops.add(ops.multiply(y_true, alpha), ops.multiply(y_false, 1.0 - alpha))
        losses = ops.multiply(weight, losses)
    return ops.mean(losses, axis)


def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Categorical focal cross-entropy: `-sum(alpha * (1 - p) ** gamma * y_true * log(p))`.

    Args:
        y_true: One-hot labels or class probabilities, of the same shape as `y_pred`.
        y_pred: Predicted class probabilities of shape `(batch, ..., classes)`, normalized to sum to
            1; logits with `from_logits=True`.
        alpha: Weight: a number, or one for each class. Default 0.25.
        gamma: Focusing parameter; 0 for the plain cross-entropy. Default 2.0.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are mixed with the
            uniform distribution.
        axis: Axis of the classes. Default -1.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Raises:
        TypeError: `axis` is not an integer.

    Example:
        >>> value = keras.losses.categorical_focal_crossentropy([0.0, 1.0], [0.5, 0.5])
        >>> print(f"{float(value):.3f}")
        0.043

    References:
        Lin et al., "Focal Loss for Dense Object Detection", 2017.
        https://arxiv.org/abs/1708.02002
    """
    check_class_axis(axis, "categorical_focal_crossentropy")
    y_true, y_pred = convert_inputs(y_true, y_pred)
    y_true = smooth_labels(y_true, label_smoothing, axis)
    if from_logits:
        log_p = ops.log_softmax(y_pred, axis=axis)
        p = ops.exp(log_p)
    else:
        p = ops.divide(y_pred, ops.sum(y_pred, axis, True))
        p = ops.clip(p, settings.epsilon, 1.0 - settings.epsilon)
        log_p = ops.log(p)
    factor = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    return ops.negative(ops.sum(ops.multiply(factor, ops.multiply(y_true, log_p)), axis))


def categorical_generalized_cross_entropy(
    y_true: TensorLike, y_pred: TensorLike, q: float
) -> Tensor:
    """Generalized cross-entropy: `(1 - p ** q) / q`, robust to noisy labels.

    `p` is the predicted probability of the true class.

    Args:
        y_true: Class indices of shape `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: Predicted class probabilities of shape `(batch, ..., classes)`.
        q: Robustness parameter: near 0 it is the cross-entropy, at 1 the mean absolute error.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> losses = keras.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
        >>> convert_to_numpy(losses).tolist()
        [1.0]

    References:
        Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels", 2018. https://arxiv.org/abs/1805.07836
    """
    y_pred, y_true = ops.convert_to_tensor(y_pred), ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    classes = ops.expand_dims(ops.cast(y_true, "int32"), -1)
    p = ops.squeeze(ops.take_along_axis(y_pred, classes, axis=-1), -1)
    return ops.divide(ops.subtract(1.0, ops.power(p, q)), q)


class BinaryFocalCrossentropy(BuiltInLoss):
    """Binary focal cross-entropy: down-weights easy examples.

    Args:
        apply_class_balancing: Whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
            Default False.
        alpha: Weight of class 1. Default 0.25.
        gamma: Focusing parameter; 0 for the plain cross-entropy. Default 2.0.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are moved toward
            0.5.
        axis: Axis over which the mean is taken. Default -1.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> loss = keras.losses.BinaryFocalCrossentropy(gamma=2.0)
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.173

    References:
        Lin et al., "Focal Loss for Dense Object Detection", 2017.
        https://arxiv.org/abs/1708.02002
    """

    function = staticmethod(binary_focal_crossentropy)
    target_check = staticmethod(target_validation.check_same_shape)
    _averages_last_axis = True

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(BuiltInLoss):
    """Categorical focal cross-entropy for one-hot labels: down-weights easy examples.

    Args:
        alpha: Weight: a number, or one for each class. Default 0.25.
        gamma: Focusing parameter; 0 for the plain cross-entropy. Default 2.0.
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
        >>> loss = keras.losses.CategoricalFocalCrossentropy()
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.043

    References:
        Lin et al., "Focal Loss for Dense Object Detection", 2017.
        https://arxiv.org/abs/1708.02002
    """

    function = staticmethod(categorical_focal_crossentropy)
    target_check = staticmethod(target_validation.check_one_hot)

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: DTypeLike | None = None,
    ):
        check_class_axis(axis, "CategoricalFocalCrossentropy")
        super().__init__(
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(BuiltInLoss):
    """Generalized cross-entropy for class indices: robust to noisy labels.

    Args:
        q: Robustness parameter between 0 (cross-entropy) and 1 (mean absolute error). Default 0.5.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: `q` is not between 0 and 1.

    Example:
        >>> float(keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5)([1], [[0.75, 0.25]]))
        1.0

    References:
        Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels", 2018. https://arxiv.org/abs/1805.07836
    """

    function = staticmethod(categorical_generalized_cross_entropy)
    target_check = staticmethod(target_validation.check_class_indices)
    _casts_targets = False

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: DTypeLike | None = None,
    ):
        if not 0 < q < 1:
            raise SpecError(
                "CategoricalGeneralizedCrossEntropy",
                expected="q between 0 and 1, both excluded",
                received=f"q={q!r}",
                fix="q=0.5 is the default; for q=0 use SparseCategoricalCrossentropy",
            )
        super().__init__(reduction, name, dtype, q=q)
