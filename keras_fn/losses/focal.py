"""Losses of probabilities beside the crossentropies: focal ones, divergence, Poisson."""

from typing import Any

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.losses import target_validation as targets
from keras_fn.losses.crossentropy import check_class_axis, smooth_binary_labels, smooth_labels
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.settings import settings

Tensor = Any


def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary crossentropy times `(1 - p) ** gamma`, p being the probability of what is true.

    What is easy weighs little, so that rare classes are not drowned.

    Args:
        y_true: Targets from 0 to 1, of the shape of `y_pred`.
        y_pred: Probabilities, or logits.
        apply_class_balancing: Whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
        alpha: The weight of class 1.
        gamma: The exponent; 0 for the plain crossentropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far targets are drawn towards 0.5: from 0, not at all, to 1.
        axis: The axis over which the mean is taken.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

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
    not_true = ops.subtract(1.0, y_true)
    wrong = ops.add(
        ops.multiply(y_true, ops.subtract(1.0, p)), ops.multiply(not_true, p)
    )  # the probability of what is not true
    losses = ops.multiply(ops.power(wrong, gamma), crossentropy)
    if apply_class_balancing:
        weight = ops.add(ops.multiply(y_true, alpha), ops.multiply(not_true, 1.0 - alpha))
        losses = ops.multiply(weight, losses)
    return ops.mean(losses, axis)


def categorical_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """`-sum(alpha * (1 - p) ** gamma * y_true * log(p))` over the classes.

    Args:
        y_true: One-hot targets, or probabilities, of the shape of `y_pred`.
        y_pred: Probabilities p, which are divided by their sum, or logits with
            `p = softmax(y_pred)`.
        alpha: The weight: a number, or one for each class.
        gamma: The exponent.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How much of a target is shared out equally among all classes.
        axis: The axis of the classes.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

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


def categorical_generalized_cross_entropy(y_true: Tensor, y_pred: Tensor, q: float) -> Tensor:
    """`(1 - p ** q) / q`, p being the probability of the true class: robust to wrong labels.

    Args:
        y_true: Class numbers of shape `(batch, ...)`.
        y_pred: Probabilities of shape `(batch, ..., classes)`.
        q: From 0 (like the crossentropy) to 1 (like the absolute error).

    Returns:
        Losses of shape `(batch, ...)`.

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
    """Crossentropy of two classes that weighs easy examples little.

    Args:
        apply_class_balancing: Whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
        alpha: The weight of class 1.
        gamma: How little what is easy weighs; 0 for the plain crossentropy.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far targets are drawn towards 0.5: from 0, not at all, to 1.
        axis: The axis over which the mean is taken.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> loss = keras.losses.BinaryFocalCrossentropy(gamma=2.0)
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.173

    References:
        Lin et al., "Focal Loss for Dense Object Detection", 2017.
        https://arxiv.org/abs/1708.02002
    """

    function = staticmethod(binary_focal_crossentropy)
    targets = staticmethod(targets.check_same_shape)

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
        dtype: Any = None,
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
    """Crossentropy of many classes that weighs easy examples little, for one-hot targets.

    Args:
        alpha: The weight: a number, or one for each class.
        gamma: How little what is easy weighs.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How much of a target is shared out equally among all classes.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> loss = keras.losses.CategoricalFocalCrossentropy()
        >>> print(f"{float(loss([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.043

    References:
        Lin et al., "Focal Loss for Dense Object Detection", 2017.
        https://arxiv.org/abs/1708.02002
    """

    function = staticmethod(categorical_focal_crossentropy)
    targets = staticmethod(targets.check_one_hot)

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
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
    """A crossentropy that bears wrong labels, for targets that are class numbers.

    Args:
        q: Between 0 (like the crossentropy) and 1 (like the absolute error).
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

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
    targets = staticmethod(targets.check_class_indices)
    _casts_targets = False

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):
        if not 0 < q < 1:
            raise SpecError(
                "CategoricalGeneralizedCrossEntropy",
                expected="q between 0 and 1, both excluded",
                received=f"q={q!r}",
                fix="q=0.5 is the default; for q=0 use SparseCategoricalCrossentropy",
            )
        super().__init__(reduction, name, dtype, q=q)
