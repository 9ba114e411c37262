"""Metrics by name and by config."""

import inspect
from typing import Any

from keras_fn import losses
from keras_fn.core import registry, serialization
from keras_fn.core.naming import to_snake_case
from keras_fn.losses.lookup import FUNCTIONS as LOSS_FUNCTIONS
from keras_fn.losses.lookup import SHORT
from keras_fn.metrics import (
    accuracy_metrics,
    auc,
    confusion_metrics,
    correlation_metrics,
    f_score_metrics,
    hinge_metrics,
    iou_metrics,
    probabilistic_metrics,
    reduction_metrics,
    regression_metrics,
    sensitivity_specificity,
)
from keras_fn.metrics.confusion_metrics import Counting
from keras_fn.metrics.metric import Metric
from keras_fn.metrics.reduction_metrics import BuiltInMean

_FAMILIES = (
    reduction_metrics,
    accuracy_metrics,
    regression_metrics,
    probabilistic_metrics,
    hinge_metrics,
    correlation_metrics,
    confusion_metrics,
    sensitivity_specificity,
    auc,
    f_score_metrics,
    iou_metrics,
)
CLASSES = tuple(
    dict.fromkeys(
        cls
        for family in _FAMILIES
        for name, cls in vars(family).items()
        if inspect.isclass(cls)
        and issubclass(cls, Metric)
        and cls not in (BuiltInMean, Counting)
        and not name.startswith("_")
    )
)
FUNCTIONS = (
    accuracy_metrics.accuracy,
    accuracy_metrics.binary_accuracy,
    accuracy_metrics.categorical_accuracy,
    accuracy_metrics.sparse_categorical_accuracy,
    accuracy_metrics.sparse_top_k_categorical_accuracy,
    accuracy_metrics.top_k_categorical_accuracy,
    correlation_metrics.concordance_correlation,
    correlation_metrics.pearson_correlation,
    *(f for f in LOSS_FUNCTIONS if f is not losses.cosine_similarity),
)
registry.register("metric", "keras.metrics", (*CLASSES, *FUNCTIONS))

# A name in snake_case stands for the class here, where a loss of that name is a function.
_CLASS_OF = {to_snake_case(cls.__name__): cls for cls in CLASSES}
_CLASS_OF |= {short: _CLASS_OF[name] for short, name in SHORT.items() if name in _CLASS_OF}
_CLASS_OF |= {"acc": accuracy_metrics.Accuracy, "logcosh": regression_metrics.LogCoshError}


def serialize(metric: Any) -> Any:
    """Returns the config of a metric, or of a metric function, as plain values.

    Example:
        >>> keras.metrics.serialize(keras.metrics.Mean())["class_name"]
        'Mean'
    """
    return serialization.serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the metric, or metric function, of a config.

    Args:
        config: What `serialize` gave.
        custom_objects: Names of the program's own metrics that the config may use.

    Example:
        >>> keras.metrics.deserialize(keras.metrics.serialize(keras.metrics.Mean(name="m"))).name
        'm'
    """
    return serialization.deserialize_as("metric", config, custom_objects)


def get(identifier: Any) -> Any:
    """Returns the metric that `identifier` stands for.

    Args:
        identifier: A name of a class (`"MeanSquaredError"`, `"mean_squared_error"`, `"mse"`) or
            of a function, a config, a class, a metric, any function of targets and predictions,
            or None.

    Returns:
        A `Metric`, a function, or None.

    Raises:
        ValueError: It stands for no metric.

    Example:
        >>> keras.metrics.get("mse").name
        'mean_squared_error'
        >>> keras.metrics.get(None) is None
        True
    """
    if isinstance(identifier, str):
        identifier = _CLASS_OF.get(identifier, identifier)
    return serialization.get_object("metric", identifier)
