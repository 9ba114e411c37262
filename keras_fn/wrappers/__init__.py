"""Floor 7: models as estimators of scikit-learn, which is imported when one is first used."""

from typing import TYPE_CHECKING

from keras_fn._lazy import attach

if TYPE_CHECKING:
    from keras_fn.wrappers.estimators import (
        SKLearnClassifier as SKLearnClassifier,
        SKLearnRegressor as SKLearnRegressor,
        SKLearnTransformer as SKLearnTransformer,
    )

_NAMES = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")
__getattr__, __dir__, __all__ = attach(
    __name__, dict.fromkeys(_NAMES, "keras_fn.wrappers.estimators")
)
