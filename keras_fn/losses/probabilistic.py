"""Losses between probability distributions: KL divergence and Poisson."""

from keras_fn import ops
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_inputs
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Kullback-Leibler divergence: `sum(y_true * log(y_true / y_pred))` over the last axis.

    Both are clipped to between `epsilon()` and 1.

    Args:
        y_true: Ground truth probabilities, of the same shape as `y_pred`.
        y_pred: Predicted probabilities of shape `(batch, ..., classes)`, in a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.kl_divergence([0.5, 0.5], [0.25, 0.75])):.3f}")
        0.144

    References:
        Kullback and Leibler, "On Information and Sufficiency", 1951.
    """
    y_true, y_pred = (ops.clip(y, settings.epsilon, 1.0) for y in convert_inputs(y_true, y_pred))
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), -1)


def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Poisson loss: mean of `y_pred - y_true * log(y_pred)` over the last axis.

    The negative log-likelihood of counts, up to a constant.

    Args:
        y_true: Observed counts, of the same shape as `y_pred`.
        y_pred: Expected counts of shape `(batch, ..., d)`, not negative, in a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.poisson([2.0], [1.0])):.3f}")
        1.000
    """
    y_true, y_pred = convert_inputs(y_true, y_pred)
    log = ops.log(ops.add(y_pred, settings.epsilon))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, log)), -1)


class KLDivergence(BuiltInLoss):
    """Kullback-Leibler divergence between ground truth and predicted distributions.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])):.3f}")
        0.144

    References:
        Kullback and Leibler, "On Information and Sufficiency", 1951.
    """

    function = staticmethod(kl_divergence)
    target_check = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class Poisson(BuiltInLoss):
    """Poisson loss between observed and expected counts: `mean(y_pred - y_true * log(y_pred))`.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.losses.Poisson()([[2.0]], [[1.0]])):.3f}")
        1.000
    """

    function = staticmethod(poisson)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)
