"""Correlation metrics: Pearson and concordance."""

from keras_fn import ops
from keras_fn.losses.reduction import convert_to_same_rank
from keras_fn.metrics.reduction_metrics import BuiltInMean
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Pearson correlation coefficient along `axis`, from -1 to 1; NaN for constant values.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`.
        y_pred: Predictions of any shape.
        axis: Axis along which the correlation is computed. Default -1.

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
    """Shifts and scales to mean 0 and standard deviation 1."""
    x = ops.subtract(x, ops.mean(x, axis, True))
    return ops.divide(x, ops.std(x, axis, True))


def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Concordance correlation coefficient along `axis`: 1 only for equal values.

    Args:
        y_true: Ground truth values, of the same shape as `y_pred`.
        y_pred: Predictions of any shape.
        axis: Axis along which the correlation is computed. Default -1.

    Returns:
        A tensor of the shape of `y_pred` without `axis`.

    Example:
        >>> y_true, y_pred = [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]
        >>> print(f"{float(keras.metrics.concordance_correlation(y_true, y_pred)):.3f}")
        0.571

    References:
        Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.
    """
    y_true, y_pred = convert_to_same_rank(y_true, y_pred)
    true_mean, pred_mean = ops.mean(y_true, axis, True), ops.mean(y_pred, axis, True)
    covariance = ops.multiply(ops.subtract(y_true, true_mean), ops.subtract(y_pred, pred_mean))
    denominator = ops.add(
        ops.add(ops.var(y_true, axis, True), ops.var(y_pred, axis, True)),
        ops.square(ops.subtract(true_mean, pred_mean)),
    )
    ratio = ops.divide(ops.multiply(covariance, 2.0), ops.add(denominator, settings.epsilon))
    return ops.mean(ratio, axis)


class PearsonCorrelation(BuiltInMean):
    """Pearson correlation coefficient between ground truth and predictions, averaged.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        axis: Axis along which the correlation is computed; 0, with all data in one batch, for the
            correlation over samples. Default -1.

    Example:
        >>> metric = keras.metrics.PearsonCorrelation()
        >>> print(f"{float(metric([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])):.3f}")
        1.000
    """

    function = staticmethod(pearson_correlation)
    _direction = "up"

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: DTypeLike | None = None,
        axis: int = -1,
    ):
        super().__init__(name, dtype, axis=axis)


class ConcordanceCorrelation(BuiltInMean):
    """Concordance correlation coefficient between ground truth and predictions, averaged.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        axis: Axis along which the correlation is computed; 0, with all data in one batch, for the
            correlation over samples. Default -1.

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
        self,
        name: str | None = "concordance_correlation",
        dtype: DTypeLike | None = None,
        axis: int = -1,
    ):
        super().__init__(name, dtype, axis=axis)
