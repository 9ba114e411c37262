"""Crossentropies and divergences of predicted probabilities; margins."""

from typing import Any

from keras_fn import losses
from keras_fn.metrics.reduction_metrics import BuiltInMean


class Hinge(BuiltInMean):
    """The mean of how much `y_true * y_pred` falls short of 1.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> float(keras.metrics.Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.0
    """

    function = staticmethod(losses.hinge)
    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None):
        super().__init__(name, dtype)


class SquaredHinge(BuiltInMean):
    """The mean square of what `Hinge` measures. Arguments as in `Hinge`.

    Example:
        >>> float(keras.metrics.SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))
        1.25
    """

    function = staticmethod(losses.squared_hinge)
    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None):
        super().__init__(name, dtype)


class CategoricalHinge(BuiltInMean):
    """How much the score of the class falls short of 1 above the others. Arguments as in `Hinge`.

    Example:
        >>> float(keras.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]))
        0.5
    """

    function = staticmethod(losses.categorical_hinge)
    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None):
        super().__init__(name, dtype)
