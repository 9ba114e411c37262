"""Hinge losses (maximum margin)."""

from keras_fn import ops
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.types import DTypeLike, Tensor, TensorLike


def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Hinge loss: mean of `max(1 - y_true * y_pred, 0)` over the last axis.

    Args:
        y_true: Labels -1 and 1, of the same shape as `y_pred`. If all are 0 or 1, 0 is converted to
            -1.
        y_pred: Predictions of shape `(batch, ..., d)`, in a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.hinge([-1.0, 1.0], [0.5, 0.5]))
        1.0
    """
    return ops.mean(_hinge_term(y_true, y_pred), -1)


def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Squared hinge loss: mean of `max(1 - y_true * y_pred, 0) ** 2` over the last axis.

    Args:
        y_true: Labels -1 and 1, of the same shape as `y_pred`. If all are 0 or 1, 0 is converted to
            -1.
        y_pred: Predictions of shape `(batch, ..., d)`, in a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.squared_hinge([-1.0, 1.0], [0.5, 0.5]))
        1.25
    """
    return ops.mean(ops.square(_hinge_term(y_true, y_pred)), -1)


def _hinge_term(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Returns `max(1 - y_true * y_pred, 0)`, with binary labels converted to -1 and 1."""
    y_true, y_pred = convert_inputs(y_true, y_pred)
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    signs = ops.where(binary, ops.subtract(ops.multiply(y_true, 2), 1), y_true)
    return ops.maximum(ops.subtract(1.0, ops.multiply(signs, y_pred)), 0.0)


def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Categorical hinge loss: `max(1 + neg - pos, 0)`.

    `pos` is the score of the true class, `neg` the highest score of the other classes.

    Args:
        y_true: One-hot labels, of the same shape as `y_pred`.
        y_pred: Predicted scores of shape `(batch, ..., classes)`, in a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.categorical_hinge([0.0, 1.0], [0.25, 0.75]))
        0.5
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    positive = ops.sum(ops.multiply(y_true, y_pred), -1)
    negative = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), -1)
    return ops.maximum(ops.add(ops.subtract(negative, positive), 1.0), 0.0)


class Hinge(BuiltInLoss):
    """Hinge loss: mean of `max(1 - y_true * y_pred, 0)`, for labels -1 and 1 (or 0 and 1).

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.0
    """

    function = staticmethod(hinge)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class SquaredHinge(BuiltInLoss):
    """Squared hinge loss: mean of `max(1 - y_true * y_pred, 0) ** 2`, for labels -1 and 1.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.25
    """

    function = staticmethod(squared_hinge)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class CategoricalHinge(BuiltInLoss):
    """Categorical hinge loss: how far the true class is from leading the others by a margin of 1.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]))
        0.5
    """

    function = staticmethod(categorical_hinge)
    target_check = staticmethod(target_validation.check_one_hot)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)
