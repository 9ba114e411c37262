"""Metrics: what is measured during training and evaluation, batch by batch."""

from collections.abc import Callable, Mapping
from typing import Any, overload

from keras_fn.core import namespaces, naming, registry, serialization
from keras_fn.losses import (
    _ALIASES as _LOSS_ALIASES,
    _FUNCTIONS as _LOSS_FUNCTIONS,
    binary_crossentropy as binary_crossentropy,
    binary_focal_crossentropy as binary_focal_crossentropy,
    categorical_crossentropy as categorical_crossentropy,
    categorical_focal_crossentropy as categorical_focal_crossentropy,
    categorical_hinge as categorical_hinge,
    cosine_similarity as _cosine_similarity_loss,
    hinge as hinge,
    huber as huber,
    kl_divergence as kl_divergence,
    log_cosh as log_cosh,
    mean_absolute_error as mean_absolute_error,
    mean_absolute_percentage_error as mean_absolute_percentage_error,
    mean_squared_error as mean_squared_error,
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
    poisson as poisson,
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
    squared_hinge as squared_hinge,
)
from keras_fn.metrics.accuracy_metrics import (
    Accuracy as Accuracy,
    BinaryAccuracy as BinaryAccuracy,
    CategoricalAccuracy as CategoricalAccuracy,
    SparseCategoricalAccuracy as SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy as TopKCategoricalAccuracy,
    accuracy as _accuracy,
    binary_accuracy as binary_accuracy,
    categorical_accuracy as categorical_accuracy,
    sparse_categorical_accuracy as sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy as top_k_categorical_accuracy,
)
from keras_fn.metrics.auc import AUC as AUC
from keras_fn.metrics.confusion_metrics import (
    FalseNegatives as FalseNegatives,
    FalsePositives as FalsePositives,
    Precision as Precision,
    Recall as Recall,
    TrueNegatives as TrueNegatives,
    TruePositives as TruePositives,
)
from keras_fn.metrics.correlation_metrics import (
    ConcordanceCorrelation as ConcordanceCorrelation,
    PearsonCorrelation as PearsonCorrelation,
    concordance_correlation as concordance_correlation,
    pearson_correlation as pearson_correlation,
)
from keras_fn.metrics.f_score_metrics import F1Score as F1Score, FBetaScore as FBetaScore
from keras_fn.metrics.hinge_metrics import (
    CategoricalHinge as CategoricalHinge,
    Hinge as Hinge,
    SquaredHinge as SquaredHinge,
)
from keras_fn.metrics.iou_metrics import (
    BinaryIoU as BinaryIoU,
    IoU as IoU,
    MeanIoU as MeanIoU,
    OneHotIoU as OneHotIoU,
    OneHotMeanIoU as OneHotMeanIoU,
)
from keras_fn.metrics.metric import Metric as Metric
from keras_fn.metrics.probabilistic_metrics import (
    BinaryCrossentropy as BinaryCrossentropy,
    CategoricalCrossentropy as CategoricalCrossentropy,
    KLDivergence as KLDivergence,
    Poisson as Poisson,
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from keras_fn.metrics.reduction_metrics import (
    Mean as Mean,
    MeanMetricWrapper as MeanMetricWrapper,
    Sum as Sum,
)
from keras_fn.metrics.regression_metrics import (
    CosineSimilarity as CosineSimilarity,
    LogCoshError as LogCoshError,
    MeanAbsoluteError as MeanAbsoluteError,
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
    MeanSquaredError as MeanSquaredError,
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
    R2Score as R2Score,
    RootMeanSquaredError as RootMeanSquaredError,
)
from keras_fn.metrics.sensitivity_specificity import (
    PrecisionAtRecall as PrecisionAtRecall,
    RecallAtPrecision as RecallAtPrecision,
    SensitivityAtSpecificity as SensitivityAtSpecificity,
    SpecificityAtSensitivity as SpecificityAtSensitivity,
)
from keras_fn.types import MetricLike, Tensor

_CLASSES: tuple[type[Metric], ...] = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    BinaryIoU,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    FalseNegatives,
    FalsePositives,
    Hinge,
    IoU,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanIoU,
    MeanMetricWrapper,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Metric,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    Poisson,
    Precision,
    PrecisionAtRecall,
    R2Score,
    Recall,
    RecallAtPrecision,
    RootMeanSquaredError,
    SensitivityAtSpecificity,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
)
_FUNCTIONS = (
    _accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    *(f for f in _LOSS_FUNCTIONS if f is not _cosine_similarity_loss),
)
registry.register("metric", "keras.metrics", (*_CLASSES, *_FUNCTIONS))

# Unlike for losses, a name in snake_case stands for the class.
_CLASS_ALIASES: dict[str, type[Metric]] = {
    naming.to_snake_case(cls.__name__): cls for cls in _CLASSES
}
_CLASS_ALIASES |= {
    alias: _CLASS_ALIASES[function.__name__]
    for alias, function in _LOSS_ALIASES.items()
    if function.__name__ in _CLASS_ALIASES
}
_CLASS_ALIASES |= {"acc": Accuracy, "logcosh": LogCoshError}


def serialize(metric: Metric | Callable[..., Tensor]) -> dict[str, Any]:
    """Serializes a metric to a config, for `deserialize`.

    Args:
        metric: A metric, or a metric function with a name.

    Returns:
        The config, a dict of plain values that can be written as JSON.

    Raises:
        ValueError: It is a lambda, or holds one: a lambda has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.metrics.serialize(keras.metrics.Mean())["class_name"]
        'Mean'
    """
    return serialization.serialize_keras_object(metric)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Metric | Callable[..., Tensor]:
    """Deserializes a metric from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The `Metric`, or the metric function.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> config = keras.metrics.serialize(keras.metrics.Mean(name="m"))
        >>> keras.metrics.deserialize(config).name
        'm'
    """
    return serialization.deserialize_as("metric", config, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: MetricLike) -> Metric | Callable[..., Tensor]: ...
def get(identifier: MetricLike | None) -> Metric | Callable[..., Tensor] | None:
    """Returns a metric for any of the forms in which one can be passed.

    Args:
        identifier: A name of a class (`"MeanSquaredError"`, `"mean_squared_error"`, `"mse"`) or of
            a function, a config, a metric or its class, a function `f(y_true, y_pred)`, or None.

    Returns:
        A `Metric` or a function; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.metrics.get("mse").name
        'mean_squared_error'
    """
    if isinstance(identifier, str):
        identifier = _CLASS_ALIASES.get(identifier, identifier)
    return serialization.get_object("metric", identifier, _CLASS_ALIASES)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
