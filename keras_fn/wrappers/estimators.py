"""scikit-learn estimators: models in its pipelines, grid searches and cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from keras_fn.errors import DTypeError, SpecError
from keras_fn.models import Model, clone_model

try:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        RegressorMixin,
        TransformerMixin,
    )
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "keras.wrappers needs scikit-learn 1.6 or later: pip install 'keras-fn[sklearn]'"
    ) from error

_validate: Any = validate_data  # type checkers infer str from its defaults


class Estimator(BaseEstimator):
    """Base class of the scikit-learn estimators.

    Args:
        model: A compiled model, of which a clone with new weights is trained; or a function that
            returns one when called with `X` and `y` as NumPy arrays.
        warm_start: Whether `fit` continues to train the model of the previous `fit`, and the first
            `fit` trains `model` itself instead of a clone.
        model_kwargs: Keyword arguments for the function `model`.
        fit_kwargs: Keyword arguments of `model.fit`; arguments of `fit` override them.
    """

    _has_numeric_targets = True

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X: ArrayLike, y: ArrayLike, **kwargs: Any) -> Self:
        """Fits the model.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.
            y: Targets, array-like of shape `(n_samples,)` or, except for classifiers,
                `(n_samples, n_outputs)`.
            **kwargs: Keyword arguments of `model.fit`, such as `epochs` or `sample_weight`.

        Returns:
            The estimator, with the fitted model as `model_` and its history as `history_`.

        Raises:
            ValueError: The data is not numeric, not finite or empty; or the model is not compiled.
            TypeError: `model` is neither a model nor a function that returns one.
        """
        is_numeric = self._has_numeric_targets
        samples, targets = _validate(
            self, X, y, multi_output=is_numeric, y_numeric=is_numeric, allow_nd=True
        )
        is_continued = self.warm_start and hasattr(self, "model_")
        targets = self._encode_targets(targets, is_continued)
        if not is_continued:
            self.model_ = self._create_model(samples, targets)
        self.history_ = self.model_.fit(samples, targets, **{**(self.fit_kwargs or {}), **kwargs})
        return self

    def _create_model(self, X: np.ndarray, y: np.ndarray) -> Model:
        model: Any = self.model
        if not isinstance(model, Model) and callable(model):
            model = model(X=X, y=y, **(self.model_kwargs or {}))
        if not isinstance(model, Model):
            raise DTypeError(
                type(self).__name__,
                expected="model to be a model, or a function that returns one",
                received=f"{model!r} of type {type(model).__name__}",
                fix="return the model from the function, after model.compile(...)",
            )
        if not model.compiled:
            raise SpecError(
                type(self).__name__,
                expected="a compiled model",
                received=f"model {model.name!r}, which is not compiled",
                fix="call model.compile(optimizer=..., loss=...) first",
            )
        if model is self.model and not self.warm_start:
            model = clone_model(model)
        return model

    def _encode_targets(self, y: np.ndarray, is_continued: bool) -> np.ndarray:
        """Returns the targets in the form that the model is trained on."""
        del is_continued
        self._flat = y.ndim == 1
        return y

    def _predict_outputs(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        samples = _validate(self, X, reset=False, allow_nd=True)
        return self.model_.predict(samples, verbose=0)

    @property
    def epoch_(self) -> int:
        """The number of epochs of the last `fit`; 0 before it."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def set_fit_request(self, **kwargs: bool | str | None) -> Any:
        """Configures the metadata that is passed to `fit`, for scikit-learn's metadata routing.

        Args:
            **kwargs: For each name, True, False, None, or an alias of the metadata.

        Returns:
            The estimator.
        """
        requests = self._get_metadata_request()
        for name, alias in kwargs.items():
            requests.fit.add_request(param=name, alias=alias)
        self._metadata_request = requests
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # random weights, shuffled samples
        tags.target_tags.required = True
        return tags


class SKLearnClassifier(ClassifierMixin, Estimator):
    """scikit-learn classifier of a Keras model.

    The model is trained on one-hot targets of shape `(n_samples, n_classes)` and has one output per
    class: its loss is `"categorical_crossentropy"` or another loss of one-hot targets.

    Args:
        model: A compiled model, of which a clone with new weights is trained; or a function that
            returns one when called with `X` and `y` as NumPy arrays.
        warm_start: Whether `fit` continues to train the model of the previous `fit`, and the first
            `fit` trains `model` itself instead of a clone.
        model_kwargs: Keyword arguments for the function `model`.
        fit_kwargs: Keyword arguments of `model.fit`; arguments of `fit` override them.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:
        >>> def make(X, y, units=8):
        ...     x = keras.Input(X.shape[1:])
        ...     h = keras.layers.Dense(units, activation="relu")(x)
        ...     model = keras.Model(x, keras.layers.Dense(y.shape[1], activation="softmax")(h))
        ...     model.compile(keras.optimizers.Adam(0.1), "categorical_crossentropy")
        ...     return model
        >>> estimator = keras.wrappers.SKLearnClassifier(make, fit_kwargs={"verbose": 0})
        >>> X = np.repeat([[0.0, 1.0], [1.0, 0.0]], 8, axis=0)
        >>> estimator = estimator.fit(X, ["no"] * 8 + ["yes"] * 8, epochs=20)
        >>> estimator.predict([[1.0, 0.0]]).tolist()
        ['yes']
    """

    _has_numeric_targets = False
    classes_: np.ndarray

    def _encode_targets(self, y: np.ndarray, is_continued: bool) -> np.ndarray:
        check_classification_targets(y)
        if not is_continued:
            self.classes_ = np.unique(y)
        indices = np.searchsorted(self.classes_, y)
        is_known = indices < len(self.classes_)
        is_known &= self.classes_[np.where(is_known, indices, 0)] == y
        if not is_known.all():
            raise SpecError(
                type(self).__name__,
                expected=f"the classes of the first fit, {self.classes_.tolist()}",
                received=f"{np.unique(y[~is_known]).tolist()[:10]} as well",
                fix="include all classes in the first fit, or use warm_start=False",
            )
        return np.eye(len(self.classes_), dtype="float32")[indices]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predicts the class with the largest output for each sample.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.

        Returns:
            Class labels, shape `(n_samples,)`.
        """
        outputs = self._predict_outputs(X)  # raises NotFittedError, before classes_ is missing
        return self.classes_[np.argmax(outputs, axis=-1)]

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Returns confidence scores: the outputs, or for two classes their difference.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.

        Returns:
            Scores, shape `(n_samples, n_classes)`, or `(n_samples,)` for two classes.
        """
        outputs = self._predict_outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Returns class probabilities. The outputs must be probabilities, as of softmax.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.

        Returns:
            Probabilities, shape `(n_samples, n_classes)`, float64; each row is normalized to sum
            to 1 exactly.
        """
        outputs = self._predict_outputs(X).astype("float64")
        return outputs / outputs.sum(axis=-1, keepdims=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # an arbitrary model after one epoch
        return tags


class SKLearnRegressor(RegressorMixin, Estimator):
    """scikit-learn regressor of a Keras model.

    Args:
        model: A compiled model, of which a clone with new weights is trained; or a function that
            returns one when called with `X` and `y` as NumPy arrays.
        warm_start: Whether `fit` continues to train the model of the previous `fit`, and the first
            `fit` trains `model` itself instead of a clone.
        model_kwargs: Keyword arguments for the function `model`.
        fit_kwargs: Keyword arguments of `model.fit`; arguments of `fit` override them.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:
        >>> x = keras.Input((1,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> model.compile(keras.optimizers.Adam(0.1), "mse")
        >>> estimator = keras.wrappers.SKLearnRegressor(model, fit_kwargs={"verbose": 0})
        >>> X = np.linspace(0, 1, 64)[:, None]
        >>> estimator.fit(X, 3 * X[:, 0] + 1, epochs=400).predict([[2.0]]).round(1).tolist()
        [7.0]
    """

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predicts the targets.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.

        Returns:
            Predictions in the shape of the targets: `(n_samples,)` or `(n_samples, n_outputs)`,
            float64.
        """
        outputs = self._predict_outputs(X).astype("float64")  # as scikit-learn's regressors do
        return outputs.reshape(-1) if self._flat else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """scikit-learn transformer of a Keras model: its outputs are features for the next step.

    Args:
        model: A compiled model, of which a clone with new weights is trained; or a function that
            returns one when called with `X` and `y` as NumPy arrays.
        warm_start: Whether `fit` continues to train the model of the previous `fit`, and the first
            `fit` trains `model` itself instead of a clone.
        model_kwargs: Keyword arguments for the function `model`.
        fit_kwargs: Keyword arguments of `model.fit`; arguments of `fit` override them.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:
        >>> x = keras.Input((4,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> model.compile("adam", "mse")
        >>> X = np.ones((8, 4))
        >>> estimator = keras.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0})
        >>> estimator.fit(X, X[:, :2]).transform(X).shape
        (8, 2)
    """

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Transforms samples to the outputs of the model.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.

        Returns:
            Outputs, shape `(n_samples, ...)`.
        """
        return self._predict_outputs(X)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Returns the outputs of the model, as `transform` does.

        Args:
            X: Samples, array-like of shape `(n_samples, n_features, ...)`.

        Returns:
            Outputs, shape `(n_samples, ...)`.
        """
        return self.transform(X)

    @property
    def _n_features_out(self) -> int:  # scikit-learn derives feature names from it
        model: Any = self.model_
        return model.output_shape[-1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # it is the dtype of the model
        return tags
