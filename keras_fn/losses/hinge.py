"""Losses of margins, for targets of -1 and 1."""

from typing import Any

from keras_fn import ops
from keras_fn.losses import target_validation as targets
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs

Tensor = Any


def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Args:
        y_true: Targets -1 and 1, of the shape of `y_pred`. If all are 0 or 1, 0 stands for -1.
        y_pred: Predictions of shape `(batch, ..., size)`.

    Returns:
        Losses of shape `(batch, ...)`.

    Example:
        >>> float(keras.losses.hinge([-1.0, 1.0], [0.5, 0.5]))
        1.0
    """
    return ops.mean(_hinge_term(y_true, y_pred), -1)


def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(max(1 - y_true * y_pred, 0) ** 2)` over the last axis. Arguments as in `hinge`.

    Example:
        >>> float(keras.losses.squared_hinge([-1.0, 1.0], [0.5, 0.5]))
        1.25
    """
    return ops.mean(ops.square(_hinge_term(y_true, y_pred)), -1)


def _hinge_term(y_true: Tensor, y_pred: Tensor) -> Tensor:
    y_true, y_pred = convert_inputs(y_true, y_pred)
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    signs = ops.where(binary, ops.subtract(ops.multiply(y_true, 2), 1), y_true)
    return ops.maximum(ops.subtract(1.0, ops.multiply(signs, y_pred)), 0.0)


def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`max(1 + neg - pos, 0)`: `pos` is the score of the class, `neg` the best of the others.

    Args:
        y_true: One-hot targets, of the shape of `y_pred`.
        y_pred: Scores of shape `(batch, ..., classes)`.

    Returns:
        Losses of shape `(batch, ...)`.

    Example:
        >>> float(keras.losses.categorical_hinge([0.0, 1.0], [0.25, 0.75]))
        0.5
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    positive = ops.sum(ops.multiply(y_true, y_pred), -1)
    negative = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), -1)
    return ops.maximum(ops.add(ops.subtract(negative, positive), 1.0), 0.0)


class Hinge(BuiltInLoss):
    """How much `y_true * y_pred` falls short of 1, for targets of -1 and 1 (or 0 and 1).

    Args:
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> float(keras.losses.Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.0
    """

    function = staticmethod(hinge)
    targets = staticmethod(targets.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class SquaredHinge(BuiltInLoss):
    """The square of what `Hinge` measures. Arguments as in `Hinge`.

    Example:
        >>> float(keras.losses.SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.25
    """

    function = staticmethod(squared_hinge)
    targets = staticmethod(targets.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class CategoricalHinge(BuiltInLoss):
    """How much the score of the class falls short of 1 above the others. Arguments as in `Hinge`.

    Example:
        >>> float(keras.losses.CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]))
        0.5
    """

    function = staticmethod(categorical_hinge)
    targets = staticmethod(targets.check_one_hot)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)
