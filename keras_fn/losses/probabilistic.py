"""Losses of probabilities beside the crossentropies: focal ones, divergence, Poisson."""

from typing import Any

from keras_fn import ops
from keras_fn.losses import target_validation as targets
from keras_fn.losses.focal import Tensor
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.settings import settings


def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`sum(y_true * log(y_true / y_pred))` over the last axis.

    Both are clipped to between `epsilon()` and 1.

    Args:
        y_true: Probabilities, of the shape of `y_pred`.
        y_pred: Probabilities of shape `(batch, ..., classes)`.

    Returns:
        Losses of shape `(batch, ...)`.

    Example:
        >>> print(f"{float(keras.losses.kl_divergence([0.5, 0.5], [0.25, 0.75])):.3f}")
        0.144

    References:
        Kullback and Leibler, "On Information and Sufficiency", 1951.
    """
    y_true, y_pred = (ops.clip(y, settings.epsilon, 1.0) for y in convert_inputs(y_true, y_pred))
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), -1)


def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(y_pred - y_true * log(y_pred))` over the last axis: of counts and their expectation.

    Args:
        y_true: Counts, of the shape of `y_pred`.
        y_pred: Expected counts of shape `(batch, ..., size)`, not negative.

    Returns:
        Losses of shape `(batch, ...)`.

    Example:
        >>> print(f"{float(keras.losses.poisson([2.0], [1.0])):.3f}")
        1.000
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    log = ops.log(ops.add(y_pred, settings.epsilon))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, log)), -1)


class KLDivergence(BuiltInLoss):
    """The divergence of Kullback and Leibler of two distributions.

    Args:
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> print(f"{float(keras.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])):.3f}")
        0.144

    References:
        Kullback and Leibler, "On Information and Sufficiency", 1951.
    """

    function = staticmethod(kl_divergence)
    targets = staticmethod(targets.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class Poisson(BuiltInLoss):
    """`mean(y_pred - y_true * log(y_pred))`: of counts. Arguments as in `KLDivergence`.

    Example:
        >>> print(f"{float(keras.losses.Poisson()([[2.0]], [[1.0]])):.3f}")
        1.000
    """

    function = staticmethod(poisson)
    targets = staticmethod(targets.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)
