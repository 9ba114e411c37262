"""Overlap losses for segmentation: Dice and Tversky."""

from keras_fn import ops
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.settings import settings
from keras_fn.types import Axis, DTypeLike, Tensor, TensorLike


def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axis = None) -> Tensor:
    """Dice loss: `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: Ground truth masks from 0 to 1, of the same shape as `y_pred`.
        y_pred: Predicted probabilities of any shape, in a float dtype.
        axis: Axes that are summed over. Default None, for all.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.dice([0.0, 1.0, 1.0], [0.0, 1.0, 0.0])):.3f}")
        0.333

    References:
        Milletari et al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
        Segmentation", 2016. https://arxiv.org/abs/1606.04797
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    intersection = ops.sum(ops.multiply(y_true, y_pred), axis)
    total = ops.add(ops.sum(y_true, axis), ops.sum(y_pred, axis))
    return ops.subtract(
        1.0, ops.divide(ops.multiply(intersection, 2.0), ops.add(total, settings.epsilon))
    )


def tversky(
    y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None
) -> Tensor:
    """Tversky loss: `1 - TP / (TP + alpha * FN + beta * FP)`, with soft counts.

    `TP` is `sum(y_true * y_pred)`, `FP` is `sum((1 - y_true) * y_pred)`, and `FN` is
    `sum(y_true * (1 - y_pred))`.

    Args:
        y_true: Ground truth masks from 0 to 1, of the same shape as `y_pred`.
        y_pred: Predicted probabilities of any shape, in a float dtype.
        alpha: Weight of false negatives. Default 0.5.
        beta: Weight of false positives. Default 0.5.
        axis: Axes that are summed over. Default None, for all.

    Returns:
        Losses of the shape of `y_pred` without `axis`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.tversky([0.0, 1.0, 1.0], [0.0, 1.0, 0.0], alpha=1.0)):.3f}")
        0.500

    References:
        Salehi et al., "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional
        Deep Networks", 2017. https://arxiv.org/abs/1706.05721
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    intersection = ops.sum(ops.multiply(y_true, y_pred), axis)
    false_negatives = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis)
    false_positives = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis)
    errors = ops.add(ops.multiply(false_negatives, alpha), ops.multiply(false_positives, beta))
    total = ops.add(ops.add(intersection, errors), settings.epsilon)
    return ops.subtract(1.0, ops.divide(intersection, total))


def _sums_over_batch(axis: Axis) -> bool:
    return axis is None or 0 in ([axis] if isinstance(axis, int) else axis)


class Dice(BuiltInLoss):
    """Dice loss: 1 less the Dice coefficient of ground truth and predictions.

    Args:
        axis: Axes that are summed over. Default None, for all, including the batch.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.losses.Dice()([[0.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]])):.3f}")
        0.333

    References:
        Milletari et al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
        Segmentation", 2016. https://arxiv.org/abs/1606.04797
    """

    function = staticmethod(dice)
    target_check = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axis = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype, axis=axis)
        self._compares_samples = _sums_over_batch(axis)


class Tversky(BuiltInLoss):
    """Tversky loss: a Dice loss with weights for false positives and false negatives.

    Args:
        alpha: Weight of false negatives. Default 0.5.
        beta: Weight of false positives. Default 0.5.
        axis: Axes that are summed over. Default None, for all, including the batch.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> loss = keras.losses.Tversky(alpha=1.0)
        >>> print(f"{float(loss([[0.0, 1.0, 1.0]], [[0.0, 1.0, 0.0]])):.3f}")
        0.500

    References:
        Salehi et al., "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional
        Deep Networks", 2017. https://arxiv.org/abs/1706.05721
    """

    function = staticmethod(tversky)
    target_check = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
        self._compares_samples = _sums_over_batch(axis)
