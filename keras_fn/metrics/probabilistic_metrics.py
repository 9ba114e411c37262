"""Crossentropies and divergences of predicted probabilities; margins."""

from typing import Any

from keras_fn import losses
from keras_fn.metrics.reduction_metrics import BuiltInMean


class KLDivergence(BuiltInMean):
    """The mean divergence of Kullback and Leibler of targets and predictions.

    Args:
        name: A name.
        dtype: As in `Metric`.

    Example:
        >>> print(f"{float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])):.3f}")
        0.144
    """

    function = staticmethod(losses.kl_divergence)
    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None):
        super().__init__(name, dtype)


class Poisson(BuiltInMean):
    """The mean of `y_pred - y_true * log(y_pred)`. Arguments as in `KLDivergence`.

    Example:
        >>> print(f"{float(keras.metrics.Poisson()([[2.0]], [[1.0]])):.3f}")
        1.000
    """

    function = staticmethod(losses.poisson)
    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None):
        super().__init__(name, dtype)


class BinaryCrossentropy(BuiltInMean):
    """The mean crossentropy of two classes, 0 and 1.

    Args:
        name: A name.
        dtype: As in `Metric`.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far targets are drawn towards 0.5: from 0, not at all, to 1.

    Example:
        >>> print(f"{float(keras.metrics.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.693
    """

    function = staticmethod(losses.binary_crossentropy)
    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(BuiltInMean):
    """The mean crossentropy of many classes, for one-hot targets.

    Args:
        name: A name.
        dtype: As in `Metric`.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How much of a target is shared out equally among all classes.
        axis: The axis of the classes.

    Example:
        >>> metric = keras.metrics.CategoricalCrossentropy()
        >>> print(f"{float(metric([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.693
    """

    function = staticmethod(losses.categorical_crossentropy)
    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(
            name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )


class SparseCategoricalCrossentropy(BuiltInMean):
    """The mean crossentropy of many classes, for targets that are class numbers.

    Args:
        name: A name.
        dtype: As in `Metric`.
        from_logits: Whether predictions are logits rather than probabilities.
        ignore_class: A class number that does not count.
        axis: The axis of the classes.

    Example:
        >>> metric = keras.metrics.SparseCategoricalCrossentropy(ignore_class=-1)
        >>> print(f"{float(metric([1, -1], [[0.5, 0.5], [0.1, 0.9]])):.3f}")
        0.693

    Note:
        Keras counts ignored targets as losses of 0, unless there are sample weights; here they
        do not count, as in the loss of this name.
    """

    function = staticmethod(losses.sparse_categorical_crossentropy)
    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)
