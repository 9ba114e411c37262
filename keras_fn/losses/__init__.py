"""Losses: the functions that are minimized during training."""

from collections.abc import Callable

from keras_fn.core import registry
from keras_fn.core.object_lookup import ObjectLookup
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
from keras_fn.losses.loss import BuiltInLoss, Loss as Loss, LossFunctionWrapper
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

_CLASSES: tuple[type[BuiltInLoss], ...] = (
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
    "loss", "keras.losses", (Loss, LossFunctionWrapper, *_CLASSES, *_FUNCTIONS), **_ALIASES
)


serialize, deserialize, get = ObjectLookup[LossLike, Loss | Callable[..., Tensor]](
    "loss",
    accepts="A name of a class or of a function, a config, a loss or its class, a function "
    "`f(y_true, y_pred)`, or None.",
    returns="A `Loss` or a function; None for None.",
).functions(
    __name__,
    examples=(
        """>>> keras.losses.serialize(keras.losses.Huber())["class_name"]
'Huber'""",
        """>>> keras.losses.deserialize(keras.losses.serialize(keras.losses.Huber(delta=2.0))).delta
2.0""",
        """>>> keras.losses.get("mse") is keras.losses.mean_squared_error
True
>>> keras.losses.get("MeanSquaredError").name
'mean_squared_error'""",
    ),
    config_parameter="name",
)
__test__ = {"serialize": serialize, "deserialize": deserialize, "get": get}  # doctests
