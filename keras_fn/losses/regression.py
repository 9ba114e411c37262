"""Losses of numbers: how far predictions are from targets."""

from typing import Any

from keras_fn import ops
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.reduction import convert_to_same_rank
from keras_fn.settings import settings

Tensor = Any


def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean((y_true - y_pred) ** 2)` over the last axis.

    Args:
        y_true: Targets, of the shape of `y_pred`.
        y_pred: Predictions of shape `(batch, ..., size)`.

    Returns:
        Losses of shape `(batch, ...)`.

    Example:
        >>> float(keras.losses.mean_squared_error([0.0, 1.0], [2.0, 1.0]))
        2.0
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), -1)


def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(|y_true - y_pred|)` over the last axis. Shapes as in `mean_squared_error`.

    Example:
        >>> float(keras.losses.mean_absolute_error([0.0, 1.0], [2.0, 1.0]))
        1.0
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), -1)


def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`100 * mean(|y_true - y_pred| / |y_true|)` over the last axis.

    Where `|y_true|` is below `epsilon()`, that is the divisor. Shapes as in `mean_squared_error`.

    Example:
        >>> float(keras.losses.mean_absolute_percentage_error([1.0, 2.0], [2.0, 2.0]))
        50.0
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    size = ops.maximum(ops.absolute(y_true), settings.epsilon)
    return ops.multiply(
        ops.mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), size)), -1), 100.0
    )


def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean((log(1 + y_true) - log(1 + y_pred)) ** 2)` over the last axis.

    Values below `epsilon()` count as that. Shapes as in `mean_squared_error`.

    Example:
        >>> print(f"{float(keras.losses.mean_squared_logarithmic_error([0.0], [1.0])):.3f}")
        0.480
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)

    def log(x: Tensor) -> Tensor:
        return ops.log(ops.add(ops.maximum(x, settings.epsilon), 1.0))

    return ops.mean(ops.square(ops.subtract(log(y_pred), log(y_true))), -1)


def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between target and prediction: -1 for the same direction.

    Args:
        y_true: Targets, of the shape of `y_pred`.
        y_pred: Predictions, of any shape.
        axis: The axis of the vectors.

    Returns:
        Losses of the shape of `y_pred` without `axis`; 0 where a vector is 0.

    Example:
        >>> float(keras.losses.cosine_similarity([0.0, 1.0], [0.0, 2.0]))
        -1.0
    """
    return ops.negative(cosine(y_true, y_pred, axis))


def cosine(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between target and prediction."""
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    # The square of epsilon() would be 0 in float16.
    epsilon = 1e-3 if ops.dtype(y_pred) == "float16" else None
    y_true, y_pred = (ops.normalize(x, axis=axis, epsilon=epsilon) for x in (y_true, y_pred))
    return ops.sum(ops.multiply(y_true, y_pred), axis)


def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """Half the squared error where it is at most `delta`, beyond that linear; the mean of these.

    Args:
        y_true: Targets, of the shape of `y_pred`.
        y_pred: Predictions of shape `(batch, ..., size)`.
        delta: The error at which the parabola becomes a line.

    Returns:
        Losses of shape `(batch, ...)`.

    Example:
        >>> float(keras.losses.huber([0.0, 0.0], [1.0, 3.0]))
        1.5

    References:
        Huber, "Robust Estimation of a Location Parameter", 1964.
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    error = ops.absolute(ops.subtract(y_pred, y_true))
    parabola = ops.multiply(ops.square(error), 0.5)
    line = ops.subtract(ops.multiply(error, delta), 0.5 * delta**2)
    return ops.mean(ops.where(ops.less_equal(error, delta), parabola, line), -1)


def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis, without overflow.

    Near 0 half the square of the error, far from it the error less log(2). Shapes as in
    `mean_squared_error`.

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
    """The mean of squared differences between targets and predictions.

    Args:
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> float(keras.losses.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
        2.0
    """

    function = staticmethod(mean_squared_error)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class MeanAbsoluteError(BuiltInLoss):
    """The mean of absolute differences. Arguments as in `MeanSquaredError`.

    Example:
        >>> float(keras.losses.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
        1.0
    """

    function = staticmethod(mean_absolute_error)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class MeanAbsolutePercentageError(BuiltInLoss):
    """The mean of differences in percent of the targets. Arguments as in `MeanSquaredError`.

    Example:
        >>> float(keras.losses.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 2.0]]))
        50.0
    """

    function = staticmethod(mean_absolute_percentage_error)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class MeanSquaredLogarithmicError(BuiltInLoss):
    """The mean of squared differences of logarithms. Arguments as in `MeanSquaredError`.

    Example:
        >>> print(f"{float(keras.losses.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])):.3f}")
        0.480
    """

    function = staticmethod(mean_squared_logarithmic_error)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)


class CosineSimilarity(BuiltInLoss):
    """Minus the cosine of the angle between targets and predictions.

    Args:
        axis: The axis of the vectors.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> float(keras.losses.CosineSimilarity()([[0.0, 1.0]], [[0.0, 2.0]]))
        -1.0
    """

    function = staticmethod(cosine_similarity)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype, axis=axis)


class Huber(BuiltInLoss):
    """Squared differences up to `delta`, absolute ones beyond: outliers weigh less.

    Args:
        delta: Where the one becomes the other.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> float(keras.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    function = staticmethod(huber)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype, delta=delta)


class LogCosh(BuiltInLoss):
    """The mean of `log(cosh(error))`: a smooth Huber loss. Arguments as in `MeanSquaredError`.

    Example:
        >>> print(f"{float(keras.losses.LogCosh()([[0.0]], [[1.0]])):.3f}")
        0.434
    """

    function = staticmethod(log_cosh)
    targets = staticmethod(target_validation.check_broadcastable)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)
