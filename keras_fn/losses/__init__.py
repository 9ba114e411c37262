"""Losses: the functions that are minimized during training."""

from collections.abc import Callable, Mapping
from typing import Any, overload

from keras_fn.core import namespaces, registry, serialization
from keras_fn.losses.crossentropy import (
    BinaryCrossentropy as BinaryCrossentropy,
    CategoricalCrossentropy as CategoricalCrossentropy,
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
    binary_crossentropy as binary_crossentropy,
    categorical_crossentropy as categorical_crossentropy,
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from keras_fn.losses.ctc import CTC as CTC, ctc as ctc
from keras_fn.losses.focal import (
    BinaryFocalCrossentropy as BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy as CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy as binary_focal_crossentropy,
    categorical_focal_crossentropy as categorical_focal_crossentropy,
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from keras_fn.losses.hinge import (
    CategoricalHinge as CategoricalHinge,
    Hinge as Hinge,
    SquaredHinge as SquaredHinge,
    categorical_hinge as categorical_hinge,
    hinge as hinge,
    squared_hinge as squared_hinge,
)
from keras_fn.losses.loss import (
    BuiltInLoss as _BuiltInLoss,
    Loss as Loss,
    LossFunctionWrapper as _LossFunctionWrapper,
)
from keras_fn.losses.metric_learning import Circle as Circle, circle as circle
from keras_fn.losses.probabilistic import (
    KLDivergence as KLDivergence,
    Poisson as Poisson,
    kl_divergence as kl_divergence,
    poisson as poisson,
)
from keras_fn.losses.regression import (
    CosineSimilarity as CosineSimilarity,
    Huber as Huber,
    LogCosh as LogCosh,
    MeanAbsoluteError as MeanAbsoluteError,
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
    MeanSquaredError as MeanSquaredError,
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
    cosine_similarity as cosine_similarity,
    huber as huber,
    log_cosh as log_cosh,
    mean_absolute_error as mean_absolute_error,
    mean_absolute_percentage_error as mean_absolute_percentage_error,
    mean_squared_error as mean_squared_error,
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from keras_fn.losses.segmentation import (
    Dice as Dice,
    Tversky as Tversky,
    dice as dice,
    tversky as tversky,
)
from keras_fn.types import LossLike, Tensor

_CLASSES: tuple[type[_BuiltInLoss], ...] = (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CTC,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
_FUNCTIONS = tuple(cls.function for cls in _CLASSES)

_ALIASES = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_ALIASES |= {alias.upper(): function for alias, function in _ALIASES.items()}
_ALIASES |= {"kullback_leibler_divergence": kl_divergence, "logcosh": log_cosh}

registry.register(
    "loss", "keras.losses", (Loss, _LossFunctionWrapper, *_CLASSES, *_FUNCTIONS), **_ALIASES
)


def serialize(loss: Loss | Callable[..., Tensor]) -> dict[str, Any]:
    """Serializes a loss to a config, for `deserialize`.

    Args:
        loss: A loss, or a loss function with a name.

    Returns:
        The config, a dict of plain values that can be written as JSON.

    Raises:
        ValueError: It is a lambda, or holds one: a lambda has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.losses.serialize(keras.losses.Huber())["class_name"]
        'Huber'
    """
    return serialization.serialize_keras_object(loss)


def deserialize(
    name: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Loss | Callable[..., Tensor]:
    """Deserializes a loss from a config or a name.

    Args:
        name: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The `Loss`, or the loss function.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> config = keras.losses.serialize(keras.losses.Huber(delta=2.0))
        >>> keras.losses.deserialize(config).delta
        2.0
    """
    return serialization.deserialize_as("loss", name, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: LossLike) -> Loss | Callable[..., Tensor]: ...
def get(identifier: LossLike | None) -> Loss | Callable[..., Tensor] | None:
    """Returns a loss for any of the forms in which one can be passed.

    Args:
        identifier: A name of a class (`"MeanSquaredError"`) or of a function
            (`"mean_squared_error"`, `"mse"`), a config, a loss or its class, a function
            `f(y_true, y_pred)`, or None.

    Returns:
        A `Loss` or a function; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.losses.get("mse") is keras.losses.mean_squared_error
        True
        >>> keras.losses.get("MeanSquaredError").name
        'mean_squared_error'
    """
    return serialization.get_object("loss", identifier)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
