"""Regression losses."""

from keras_fn import ops
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_to_same_rank
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean squared error: mean of `(y_true - y_pred) ** 2` over the last axis.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`. Cast to the dtype of `y_pred`.
        y_pred: Predictions, of shape `(batch, ..., d)` and a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.mean_squared_error([0.0, 1.0], [2.0, 1.0]))
        2.0
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), -1)


def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean absolute error: mean of `|y_true - y_pred|` over the last axis.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`. Cast to the dtype of `y_pred`.
        y_pred: Predictions, of shape `(batch, ..., d)` and a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.mean_absolute_error([0.0, 1.0], [2.0, 1.0]))
        1.0
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), -1)


def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean absolute percentage error: mean of `100 * |y_true - y_pred| / |y_true|`.

    Over the last axis. The divisor is `epsilon()` at least.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`. Cast to the dtype of `y_pred`.
        y_pred: Predictions, of shape `(batch, ..., d)` and a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.mean_absolute_percentage_error([1.0, 2.0], [2.0, 2.0]))
        50.0
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    divisor = ops.maximum(ops.absolute(y_true), settings.epsilon)
    return ops.multiply(
        ops.mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), divisor)), -1), 100.0
    )


def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean squared logarithmic error: mean of `(log(1 + y_true) - log(1 + y_pred)) ** 2`.

    Over the last axis. Values below `epsilon()` are raised to it.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`. Cast to the dtype of `y_pred`.
        y_pred: Predictions, of shape `(batch, ..., d)` and a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.mean_squared_logarithmic_error([0.0], [1.0])):.3f}")
        0.480
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)

    def log(x: Tensor) -> Tensor:
        return ops.log(ops.add(ops.maximum(x, settings.epsilon), 1.0))

    return ops.mean(ops.square(ops.subtract(log(y_pred), log(y_true))), -1)


def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Negative cosine similarity between ground truth and predictions: -1 for the same direction.

    Args:
        y_true: Ground truth vectors, of the same shape as `y_pred`.
        y_pred: Predicted vectors of any shape, in a float dtype.
        axis: Axis of the vectors. Default -1.

    Returns:
        Losses of the shape of `y_pred` without `axis`, from -1 to 1; 0 where a vector is 0.

    Example:
        >>> float(keras.losses.cosine_similarity([0.0, 1.0], [0.0, 2.0]))
        -1.0
    """
    return ops.negative(cosine(y_true, y_pred, axis))


def cosine(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Cosine similarity between ground truth and predictions: 1 for the same direction."""
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    # The square of epsilon() would be 0 in float16.
    epsilon = 1e-3 if ops.dtype(y_pred) == "float16" else None
    y_true, y_pred = (ops.normalize(x, axis=axis, epsilon=epsilon) for x in (y_true, y_pred))
    return ops.sum(ops.multiply(y_true, y_pred), axis)


def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """Huber loss: quadratic for errors up to `delta`, linear beyond; mean over the last axis.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`. Cast to the dtype of `y_pred`.
        y_pred: Predictions, of shape `(batch, ..., d)` and a float dtype.
        delta: Absolute error at which the loss changes from quadratic to linear. Default 1.0.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> float(keras.losses.huber([0.0, 0.0], [1.0, 3.0]))
        1.5

    References:
        Huber, "Robust Estimation of a Location Parameter", 1964.
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    error = ops.absolute(ops.subtract(y_pred, y_true))
    quadratic = ops.multiply(ops.square(error), 0.5)
    linear = ops.subtract(ops.multiply(error, delta), 0.5 * delta**2)
    return ops.mean(ops.where(ops.less_equal(error, delta), quadratic, linear), -1)


def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Log-cosh loss: mean of `log(cosh(y_pred - y_true))` over the last axis, without overflow.

    Close to half the squared error near 0, and to the absolute error less `log(2)` far from it.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`. Cast to the dtype of `y_pred`.
        y_pred: Predictions, of shape `(batch, ..., d)` and a float dtype.

    Returns:
        Per-sample losses of shape `(batch, ...)`, in the dtype of `y_pred`.

    Example:
        >>> print(f"{float(keras.losses.log_cosh([0.0], [1.0])):.3f}")
        0.434
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    log_2 = 0.6931471805599453
    values = ops.subtract(ops.add(error, ops.softplus(ops.multiply(error, -2.0))), log_2)
    return ops.mean(values, -1)


class MeanSquaredError(BuiltInLoss):
    """Mean squared error between ground truth and predictions.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
        2.0
    """

    function = staticmethod(mean_squared_error)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class MeanAbsoluteError(BuiltInLoss):
    """Mean absolute error between ground truth and predictions.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
        1.0
    """

    function = staticmethod(mean_absolute_error)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class MeanAbsolutePercentageError(BuiltInLoss):
    """Mean absolute percentage error between ground truth and predictions.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 2.0]]))
        50.0
    """

    function = staticmethod(mean_absolute_percentage_error)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class MeanSquaredLogarithmicError(BuiltInLoss):
    """Mean squared logarithmic error between ground truth and predictions.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.losses.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])):.3f}")
        0.480
    """

    function = staticmethod(mean_squared_logarithmic_error)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)


class CosineSimilarity(BuiltInLoss):
    """Negative cosine similarity between ground truth and predictions: -1 for the same direction.

    Args:
        axis: Axis of the vectors. Default -1.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.CosineSimilarity()([[0.0, 1.0]], [[0.0, 2.0]]))
        -1.0
    """

    function = staticmethod(cosine_similarity)
    target_check = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype, axis=axis)


class Huber(BuiltInLoss):
    """Huber loss: quadratic for errors up to `delta`, linear beyond, so outliers weigh less.

    Args:
        delta: Absolute error at which the loss changes from quadratic to linear. Default 1.0.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    function = staticmethod(huber)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype, delta=delta)


class LogCosh(BuiltInLoss):
    """Log-cosh loss: mean of `log(cosh(y_pred - y_true))`, a smooth Huber loss.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.losses.LogCosh()([[0.0]], [[1.0]])):.3f}")
        0.434
    """

    function = staticmethod(log_cosh)
    target_check = staticmethod(target_validation.check_broadcastable)
    _averages_last_axis = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)
