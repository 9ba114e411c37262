"""Models as estimators: the checks of scikit-learn itself, and what else they promise."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from keras_fn.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer


def make(X, y, loss="mse", activation=None, units=8, **more):
    """A small model for samples and targets like these; the same for each call."""
    keras.utils.set_random_seed(0)
    x = keras.Input(X.shape[1:])
    h = layers.Dense(units, activation="relu")(layers.Flatten()(x))
    outputs = 1 if y.ndim == 1 else y.shape[1]
    model = keras.Model(x, layers.Dense(outputs, activation=activation)(h))
    model.compile(keras.optimizers.Adam(0.05), loss, **more)
    return model


CLASSES = {"loss": "categorical_crossentropy", "activation": "softmax"}
# The checks fit hundreds of models to a handful of samples: compiling each would take minutes.
EAGER = {"run_eagerly": True}
FIT = {"verbose": 0, "epochs": 2}


ESTIMATORS = (
    SKLearnClassifier(make, model_kwargs={**CLASSES, **EAGER}, fit_kwargs=FIT),
    SKLearnRegressor(make, model_kwargs=EAGER, fit_kwargs=FIT),
    SKLearnTransformer(make, model_kwargs=EAGER, fit_kwargs=FIT),
)
CHECKS = [pair for estimator in ESTIMATORS for pair in estimator_checks_generator(estimator)]


def _name(x):  # of its own: scikit-learn's names hold addresses, and differ between processes
    return getattr(x, "func", type(x)).__name__


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=_name)
@pytest.mark.filterwarnings("ignore")  # some checks provoke them
def test_the_checks_of_scikit_learn_pass(estimator, check):
    check(estimator)


def points(n=120):
    """Points of three classes, around three corners."""
    rng = np.random.default_rng(0)
    numbers = np.arange(n) % 3
    corners = np.array([[0.0, 0.0, 3.0], [0.0, 3.0, 0.0], [3.0, 0.0, 0.0]])
    X = corners[numbers] + rng.normal(size=(n, 3)) * 0.3
    return X, np.array(["ant", "bee", "cow"])[numbers]


def classifier(**options):
    return SKLearnClassifier(
        make, model_kwargs=CLASSES, fit_kwargs={"verbose": 0, "epochs": 15}, **options
    )


def test_a_classifier_learns_labels_of_any_kind():
    X, y = points()
    estimator = classifier().fit(X, y)
    assert estimator.classes_.tolist() == ["ant", "bee", "cow"]
    assert estimator.score(X, y) > 0.95
    assert len(estimator.history_.history["loss"]) == 15
    found = estimator.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
    assert (estimator.classes_[found.argmax(axis=1)] == estimator.predict(X)).all()
    np.testing.assert_allclose(estimator.decision_function(X), found, atol=1e-6)


def test_two_classes_have_one_decision_value():
    X, y = points()
    estimator = classifier().fit(X, y == "bee")
    decision = estimator.decision_function(X)
    assert decision.shape == (len(X),)
    assert ((decision > 0) == estimator.predict(X)).all()
    assert estimator.predict(X).dtype == bool


def test_estimators_work_in_pipelines_searches_and_cross_validation():
    X, y = points()
    pipeline = make_pipeline(StandardScaler(), classifier())
    assert cross_val_score(pipeline, X, y, cv=3).min() > 0.9
    sizes = [{**CLASSES, "units": units} for units in (1, 8)]
    search = GridSearchCV(classifier(), {"model_kwargs": sizes}, cv=2, scoring="neg_log_loss")
    assert search.fit(X, y).best_params_["model_kwargs"]["units"] == 8


def test_a_transformer_passes_features_to_the_next_step():
    X, y = points()
    targets = (y[:, None] == np.unique(y)).astype("float32")
    estimator = SKLearnTransformer(make, fit_kwargs={"verbose": 0, "epochs": 30})
    features = estimator.fit(X, targets).transform(X)
    assert features.shape == (len(X), 3)
    assert LogisticRegression().fit(features, y).score(features, y) > 0.95
    names = estimator.get_feature_names_out().tolist()
    assert names == [f"sklearntransformer{i}" for i in range(3)]


def test_a_regressor_predicts_in_the_shape_of_the_targets():
    X, _ = points()
    options = {"fit_kwargs": {"verbose": 0, "epochs": 60, "batch_size": 16}}
    estimator = SKLearnRegressor(make, **options).fit(X, X[:, 0])
    assert estimator.predict(X).shape == (len(X),)
    assert estimator.score(X, X[:, 0]) > 0.9
    assert SKLearnRegressor(make, **options).fit(X, X[:, :2]).predict(X).shape == (len(X), 2)


def compiled(rate=0.01, units=1):
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(units)(x))
    model.compile(keras.optimizers.SGD(rate), lambda a, b: ops.mean((a - b) ** 2), metrics=["mae"])
    return model


@pytest.mark.parametrize("trained", [False, True])
def test_a_clone_of_the_model_is_trained(trained):
    X, _ = points()
    model = compiled()
    if trained:
        model.fit(X, X[:, :1], verbose=0)
    before = model.get_weights()
    estimator = SKLearnRegressor(model, fit_kwargs={"verbose": 0}).fit(X, X[:, 0])
    assert estimator.model_ is not model
    assert estimator.model_.optimizer is not model.optimizer
    assert estimator.history_.history.keys() == {"loss", "mae"}
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_warm_start_continues_training():
    X, y = points()
    model = compiled()
    before = model.get_weights()[0]
    estimator = SKLearnRegressor(model, warm_start=True, fit_kwargs={"verbose": 0})
    assert estimator.fit(X, X[:, 0]).model_ is model
    assert (model.get_weights()[0] != before).any()
    assert clone(estimator).model is not model  # folds of a cross-validation share nothing
    again = classifier(warm_start=True).fit(X, y)
    first = again.model_
    assert again.fit(X[y != "bee"], y[y != "bee"]).model_ is first
    assert again.classes_.tolist() == ["ant", "bee", "cow"]
    with pytest.raises(ValueError, match=r"received: +\['dog'\] as well"):
        again.fit(X, np.where(y == "bee", "dog", y))


def test_arguments_of_fit_override_fit_kwargs():
    X, y = points()
    estimator = classifier().fit(X, y, epochs=1, sample_weight=np.ones(len(X)))
    assert len(estimator.history_.history["loss"]) == 1


def test_the_same_seed_results_in_the_same_model():
    X, y = points()
    one, other = (classifier().fit(X, y, epochs=2) for _ in range(2))
    np.testing.assert_array_equal(one.decision_function(X), other.decision_function(X))


def test_samples_may_be_images():
    X, y = points()
    pictures = np.repeat(X[:, None, :, None], 2, axis=1)
    estimator = classifier().fit(pictures, y)
    assert estimator.score(pictures, y) > 0.95


def test_anything_but_a_model_raises():
    X, _ = points()
    with pytest.raises(NotFittedError):
        SKLearnRegressor(compiled()).predict(X)
    for wrong in (3, lambda X, y: 3):
        with pytest.raises(TypeError, match="a function that returns one"):
            SKLearnRegressor(wrong).fit(X, X[:, 0])
    x = keras.Input((3,))
    with pytest.raises(ValueError, match="which is not compiled"):
        SKLearnRegressor(keras.Model(x, layers.Dense(1)(x))).fit(X, X[:, 0])


def test_metadata_routing_can_be_configured():
    estimator = SKLearnRegressor(compiled()).set_fit_request(sample_weight="weights")
    request = estimator.get_metadata_routing().fit.requests
    assert request == {"sample_weight": "weights"}
