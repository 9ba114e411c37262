"""How predictions vary together with targets."""

from typing import Any

from keras_fn import ops
from keras_fn.losses.reduction import convert_to_same_rank
from keras_fn.metrics.reduction_metrics import BuiltInMean
from keras_fn.settings import settings

Tensor = Any


def pearson_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The correlation along `axis`, from -1 to 1; NaN of what does not vary.

    Args:
        y_true: Targets, of the shape of `y_pred`.
        y_pred: Predictions, of any shape.
        axis: The axis along which they vary.

    Returns:
        A tensor of the shape of `y_pred` without `axis`.

    Example:
        >>> value = keras.metrics.pearson_correlation([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
        >>> print(f"{float(value):.3f}")
        1.000
    """
    y_true, y_pred = (_standardize(y, axis) for y in convert_to_same_rank(y_true, y_pred))
    return ops.mean(ops.multiply(y_true, y_pred), axis)


def _standardize(x: Tensor, axis: int) -> Tensor:
    """Shifted and scaled to mean 0 and standard deviation 1."""
    x = ops.subtract(x, ops.mean(x, axis, True))
    return ops.divide(x, ops.std(x, axis, True))


def concordance_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The correlation that is 1 only for equal values. Arguments as in `pearson_correlation`.

    Example:
        >>> y_true, y_pred = [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]
        >>> print(f"{float(keras.metrics.concordance_correlation(y_true, y_pred)):.3f}")
        0.571

    References:
        Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    true_mean, pred_mean = ops.mean(y_true, axis, True), ops.mean(y_pred, axis, True)
    together = ops.multiply(ops.subtract(y_true, true_mean), ops.subtract(y_pred, pred_mean))
    apart = ops.add(
        ops.add(ops.var(y_true, axis, True), ops.var(y_pred, axis, True)),
        ops.square(ops.subtract(true_mean, pred_mean)),
    )
    ratio = ops.divide(ops.multiply(together, 2.0), ops.add(apart, settings.epsilon))
    return ops.mean(ratio, axis)


class PearsonCorrelation(BuiltInMean):
    """The mean correlation of targets and predictions along an axis.

    Args:
        name: A name.
        dtype: As in `Metric`.
        axis: The axis along which they vary; 0, with the whole data as one batch, for the
            correlation over samples.

    Example:
        >>> metric = keras.metrics.PearsonCorrelation()
        >>> print(f"{float(metric([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])):.3f}")
        1.000
    """

    function = staticmethod(pearson_correlation)
    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(name, dtype, axis=axis)


class ConcordanceCorrelation(BuiltInMean):
    """The mean concordance of targets and predictions. Arguments as in `PearsonCorrelation`.

    Example:
        >>> metric = keras.metrics.ConcordanceCorrelation()
        >>> print(f"{float(metric([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])):.3f}")
        0.571

    References:
        Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.
    """

    function = staticmethod(concordance_correlation)
    _direction = "up"

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1
    ):
        super().__init__(name, dtype, axis=axis)
