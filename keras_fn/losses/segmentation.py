"""Losses of overlap, for segmentation, and of similarity, for embeddings."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.losses import target_validation as targets
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.settings import settings

Tensor = Any

Axis = int | Sequence[int] | None


def dice(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: Targets from 0 to 1, of the shape of `y_pred`.
        y_pred: Probabilities, of any shape.
        axis: The axes that are summed over; None for all.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

    Example:
        >>> print(f"{float(keras.losses.dice([0.0, 1.0, 1.0], [0.0, 1.0, 0.0])):.3f}")
        0.333

    References:
        Milletari et al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
        Segmentation", 2016. https://arxiv.org/abs/1606.04797
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    both = ops.sum(ops.multiply(y_true, y_pred), axis)
    total = ops.add(ops.sum(y_true, axis), ops.sum(y_pred, axis))
    return ops.subtract(1.0, ops.divide(ops.multiply(both, 2.0), ops.add(total, settings.epsilon)))


def tversky(
    y_true: Tensor, y_pred: Tensor, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None
) -> Tensor:
    """`1 - both / (both + alpha * missed + beta * wrong)`, a Dice loss that weighs errors apart.

    `both` is `sum(y_true * y_pred)`, `missed` is `sum(y_true * (1 - y_pred))` and `wrong` is
    `sum((1 - y_true) * y_pred)`.

    Args:
        y_true: Targets from 0 to 1, of the shape of `y_pred`.
        y_pred: Probabilities, of any shape.
        alpha: The weight of what was missed.
        beta: The weight of what was found wrongly.
        axis: The axes that are summed over; None for all.

    Returns:
        Losses of the shape of `y_pred` without `axis`.

    Example:
        >>> print(f"{float(keras.losses.tversky([0.0, 1.0, 1.0], [0.0, 1.0, 0.0], alpha=1.0)):.3f}")
        0.500

    References:
        Salehi et al., "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional
        Deep Networks", 2017. https://arxiv.org/abs/1706.05721
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    both = ops.sum(ops.multiply(y_true, y_pred), axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis)
    wrong = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis)
    errors = ops.add(ops.multiply(missed, alpha), ops.multiply(wrong, beta))
    total = ops.add(ops.add(both, errors), settings.epsilon)
    return ops.subtract(1.0, ops.divide(both, total))


class Dice(BuiltInLoss):
    """How little targets and predictions overlap, from 0 to 1.

    Args:
        reduction: As in `Loss`.
        name: A name.
        axis: The axes that are summed over; None for all, the batch too.
        dtype: As in `Loss`.

    Example:
        >>> print(f"{float(keras.losses.Dice()([[0.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]])):.3f}")
        0.333

    References:
        Milletari et al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
        Segmentation", 2016. https://arxiv.org/abs/1606.04797
    """

    function = staticmethod(dice)
    targets = staticmethod(targets.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axis = None,
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype, axis=axis)


class Tversky(BuiltInLoss):
    """How little targets and predictions overlap, with a weight for each kind of error.

    Args:
        alpha: The weight of what was missed.
        beta: The weight of what was found wrongly.
        reduction: As in `Loss`.
        name: A name.
        axis: The axes that are summed over; None for all, the batch too.
        dtype: As in `Loss`.

    Example:
        >>> loss = keras.losses.Tversky(alpha=1.0)
        >>> print(f"{float(loss([[0.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]])):.3f}")
        0.500

    References:
        Salehi et al., "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional
        Deep Networks", 2017. https://arxiv.org/abs/1706.05721
    """

    function = staticmethod(tversky)
    targets = staticmethod(targets.check_broadcastable)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
