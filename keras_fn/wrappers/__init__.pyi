"""The public names of `keras.wrappers`."""

from keras_fn.wrappers.estimators import (
    SKLearnClassifier as SKLearnClassifier,
    SKLearnRegressor as SKLearnRegressor,
    SKLearnTransformer as SKLearnTransformer,
)
