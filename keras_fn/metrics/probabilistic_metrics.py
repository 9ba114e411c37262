"""Metrics of predicted probabilities: cross-entropies, KL divergence, Poisson."""

from keras_fn import losses
from keras_fn.metrics.reduction_metrics import BuiltInMean
from keras_fn.types import DTypeLike


class KLDivergence(BuiltInMean):
    """Kullback-Leibler divergence between ground truth and predicted distributions, averaged.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])):.3f}")
        0.144
    """

    function = staticmethod(losses.kl_divergence)
    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class Poisson(BuiltInMean):
    """Poisson metric: mean of `y_pred - y_true * log(y_pred)`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.metrics.Poisson()([[2.0]], [[1.0]])):.3f}")
        1.000
    """

    function = staticmethod(losses.poisson)
    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: DTypeLike | None = None):
        super().__init__(name, dtype)


class BinaryCrossentropy(BuiltInMean):
    """Binary cross-entropy between labels (0 and 1) and predictions, averaged.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are moved toward
            0.5.

    Example:
        >>> print(f"{float(keras.metrics.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])):.3f}")
        0.693
    """

    function = staticmethod(losses.binary_crossentropy)
    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: DTypeLike | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(BuiltInMean):
    """Categorical cross-entropy between one-hot labels and predictions, averaged.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        label_smoothing: Amount of label smoothing, from 0 (default) to 1: labels are mixed with the
            uniform distribution.
        axis: Axis of the classes. Default -1.

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
        dtype: DTypeLike | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(
            name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )


class SparseCategoricalCrossentropy(BuiltInMean):
    """Sparse categorical cross-entropy between class indices and predictions, averaged.

    Args:
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        from_logits: Whether predictions are logits rather than probabilities. Default False.
        ignore_class: Class index of labels that are ignored. Default None.
        axis: Axis of the classes. Default -1.

    Example:
        >>> metric = keras.metrics.SparseCategoricalCrossentropy(ignore_class=-1)
        >>> print(f"{float(metric([1, -1], [[0.5, 0.5], [0.1, 0.9]])):.3f}")
        0.693

    Note:
        Keras counts ignored labels as losses of 0, unless there are sample weights; here they are
        left out of the mean, as in the loss of this name.
    """

    function = staticmethod(losses.sparse_categorical_crossentropy)
    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypeLike | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)
