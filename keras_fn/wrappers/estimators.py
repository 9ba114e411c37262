"""Models as scikit-learn's estimators: in its pipelines, searches and cross-validation."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

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


class Estimator(BaseEstimator):
    """Base of the three: fits a model, and asks it.

    Args:
        model: A compiled model, which stays as it is (a copy with new weights is trained); or a
            function that returns one for `(X=..., y=...)`, NumPy arrays as `fit` hands them to it.
        warm_start: Whether a further `fit` goes on with the model of the one before, and the first
            with the given model itself.
        model_kwargs: More arguments for a function `model`.
        fit_kwargs: Arguments of `model.fit`; those of the estimator's `fit` go before them.
    """

    _targets_are_numbers = True

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

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Trains a model.

        Args:
            X: Samples: an array of shape `(n_samples, n_features, ...)`, or what makes one.
            y: Targets: shape `(n_samples,)` or, but for classifiers, `(n_samples, n_outputs)`.
            **kwargs: Arguments of `model.fit`, such as `epochs` or `sample_weight`.

        Returns:
            The estimator, which has the model as `model_` and its history as `history_`.

        Raises:
            ValueError: The data is not numeric, not finite or empty; or the model is not compiled.
            TypeError: `model` is neither a model nor a function that returns one.
        """
        several = self._targets_are_numbers
        X, y = validate_data(self, X, y, multi_output=several, y_numeric=several, allow_nd=True)
        goes_on = self.warm_start and hasattr(self, "model_")
        y = self._encoded(y, goes_on)
        if not goes_on:
            self.model_ = self._new_model(X, y)
        self.history_ = self.model_.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        return self

    def _new_model(self, X: np.ndarray, y: np.ndarray) -> Model:
        made: Any = self.model
        if not isinstance(made, Model) and callable(made):
            made = made(X=X, y=y, **(self.model_kwargs or {}))
        if not isinstance(made, Model):
            raise DTypeError(
                type(self).__name__,
                expected="model to be a model, or a function that returns one",
                received=f"{made!r} of type {type(made).__name__}",
                fix="return the model from the function, after model.compile(...)",
            )
        if not made.compiled:
            raise SpecError(
                type(self).__name__,
                expected="a compiled model",
                received=f"model {made.name!r}, which is not compiled",
                fix="call model.compile(optimizer=..., loss=...) before",
            )
        if made is self.model and not self.warm_start:
            made = _copy(made)
        return made

    def _encoded(self, y: np.ndarray, goes_on: bool) -> np.ndarray:
        """Returns the targets as the model gets them."""
        del goes_on
        self._flat = y.ndim == 1
        return y

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, allow_nd=True)
        return self.model_.predict(X, verbose=0)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Says which metadata `fit` wants to be passed, as scikit-learn's metadata routing has it.

        Args:
            **kwargs: For each name, True, False, None, or the name under which it comes.

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
        tags.non_deterministic = True  # weights are drawn at random, and samples shuffled
        tags.target_tags.required = True
        return tags


def _copy(model: Model) -> Model:
    """Returns a model of the same layers, with new weights, compiled likewise."""
    arguments: dict[str, Any] = {**(model._compile_arguments or {})}
    optimizer = arguments.pop("optimizer")
    if optimizer is not None and optimizer.built:
        optimizer = type(optimizer).from_config(optimizer.get_config())
    made = clone_model(model)
    made.compile(**copy.deepcopy({"optimizer": optimizer, **arguments}), auto_scale_loss=False)
    return made


class SKLearnClassifier(ClassifierMixin, Estimator):
    """A model as a classifier of scikit-learn.

    The model gets its targets one-hot, one column a class, and gives as many outputs: so its loss
    is `"categorical_crossentropy"` or another one of such targets.

    Args:
        model: A compiled model, which stays as it is (a copy with new weights is trained); or a
            function that returns one for `(X=..., y=...)`, NumPy arrays as `fit` hands them to it.
        warm_start: Whether a further `fit` goes on with the model of the one before, and the first
            with the given model itself.
        model_kwargs: More arguments for a function `model`.
        fit_kwargs: Arguments of `model.fit`; those of the estimator's `fit` go before them.

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

    _targets_are_numbers = False
    classes_: np.ndarray

    def _encoded(self, y: np.ndarray, goes_on: bool) -> np.ndarray:
        check_classification_targets(y)
        if not goes_on:
            self.classes_ = np.unique(y)
        numbers = np.searchsorted(self.classes_, y)
        known = numbers < len(self.classes_)
        known &= self.classes_[np.where(known, numbers, 0)] == y
        if not known.all():
            raise SpecError(
                type(self).__name__,
                expected=f"the classes of the first fit, {self.classes_.tolist()}",
                received=f"{np.unique(y[~known]).tolist()[:10]} as well",
                fix="let the first fit see all classes, or use warm_start=False",
            )
        return np.eye(len(self.classes_), dtype="float32")[numbers]

    def predict(self, X: Any) -> np.ndarray:
        """Returns the class of the greatest output.

        Args:
            X: Samples.

        Returns:
            Labels, shape `(n_samples,)`.
        """
        outputs = self._outputs(X)  # before classes_ is there, they say so
        return self.classes_[np.argmax(outputs, axis=-1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """Returns the outputs of the model; of two classes, by how much the second is ahead.

        Args:
            X: Samples.

        Returns:
            Shape `(n_samples, n_classes)`, or `(n_samples,)` for two classes.
        """
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns the outputs of the model as probabilities: it must give such, as softmax does.

        Args:
            X: Samples.

        Returns:
            Shape `(n_samples, n_classes)`; rows are divided by their sums, to add up to 1 exactly.
        """
        outputs = self._outputs(X).astype("float64")
        return outputs / outputs.sum(axis=-1, keepdims=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # an untold model, trained for an epoch
        return tags


class SKLearnRegressor(RegressorMixin, Estimator):
    """A model as a regressor of scikit-learn.

    Args:
        model: A compiled model, which stays as it is (a copy with new weights is trained); or a
            function that returns one for `(X=..., y=...)`, NumPy arrays as `fit` hands them to it.
        warm_start: Whether a further `fit` goes on with the model of the one before, and the first
            with the given model itself.
        model_kwargs: More arguments for a function `model`.
        fit_kwargs: Arguments of `model.fit`; those of the estimator's `fit` go before them.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:
        >>> x = keras.Input((1,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> model.compile(keras.optimizers.Adam(0.1), "mse")
        >>> estimator = keras.wrappers.SKLearnRegressor(model, fit_kwargs={"verbose": 0})
        >>> X = np.linspace(0, 1, 64)[:, None]
        >>> estimator.fit(X, 3 * X[:, 0] + 1, epochs=150).predict([[2.0]]).round(1).tolist()
        [7.0]
    """

    def predict(self, X: Any) -> np.ndarray:
        """Returns the outputs of the model.

        Args:
            X: Samples.

        Returns:
            An array nested like the targets of `fit`: `(n_samples,)` or `(n_samples, n_outputs)`.
        """
        outputs = self._outputs(X).astype("float64")  # as scikit-learn's regressors do
        return outputs.reshape(-1) if self._flat else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """A model as a transformer of scikit-learn: its outputs are features for the next step.

    Args:
        model: A compiled model, which stays as it is (a copy with new weights is trained); or a
            function that returns one for `(X=..., y=...)`, NumPy arrays as `fit` hands them to it.
        warm_start: Whether a further `fit` goes on with the model of the one before, and the first
            with the given model itself.
        model_kwargs: More arguments for a function `model`.
        fit_kwargs: Arguments of `model.fit`; those of the estimator's `fit` go before them.

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

    def transform(self, X: Any) -> np.ndarray:
        """Returns the outputs of the model.

        Args:
            X: Samples.

        Returns:
            An array `(n_samples, ...)`.
        """
        return self._outputs(X)

    @property
    def _n_features_out(self) -> int:  # scikit-learn names the features after it
        return self.model_.output_shape[-1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # the model's dtype, whatever the samples'
        return tags
