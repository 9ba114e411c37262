"""Hinge metrics (maximum margin)."""

from keras_fn import losses
from keras_fn.metrics.reduction_metrics import BuiltInMean
from keras_fn.types import DTypeLike


class Hinge(BuiltInMean):
    """Hinge: mean of `max(1 - y_true * y_pred, 0)`, for labels -1 and 1 (or 0 and 1).

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.0
    """

    function = staticmethod(losses.hinge)
    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class SquaredHinge(BuiltInMean):
    """Squared hinge: mean of `max(1 - y_true * y_pred, 0) ** 2`, for labels -1 and 1.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.25
    """

    function = staticmethod(losses.squared_hinge)
    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class CategoricalHinge(BuiltInMean):
    """Categorical hinge: how far the true class is from leading the others by a margin of 1.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> float(keras.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]))
        0.5
    """

    function = staticmethod(losses.categorical_hinge)
    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)
