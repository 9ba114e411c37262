"""SciKeras: its wrappers in scikit-learn's own checks, searches, pipelines and ensembles."""

import copy
import pickle

import keras
import numpy as np
import pytest
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import AdaBoostRegressor, BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, Y = make_classification(60, 6, n_informative=4, n_classes=3, random_state=0)
XR, YR = make_regression(60, 6, random_state=0)
X, XR = X.astype("float32"), XR.astype("float32")
YR = (YR / YR.std()).astype("float32")


def classifier(meta, hidden=8):
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    model.add(keras.layers.Dense(hidden, activation="relu"))
    kind, classes = meta["target_type_"], meta["n_classes_"]
    if kind == "binary":
        model.add(keras.layers.Dense(1, activation="sigmoid"))
        loss = "binary_crossentropy"
    elif kind == "multilabel-indicator":
        model.add(keras.layers.Dense(len(meta["classes_"]), activation="sigmoid"))
        loss = "binary_crossentropy"
    else:
        model.add(keras.layers.Dense(classes, activation="softmax"))
        loss = "sparse_categorical_crossentropy"
    model.compile(loss=loss, optimizer="adam")
    return model


def regressor(meta, compile_kwargs, hidden=8):
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    model.add(keras.layers.Dense(hidden, activation="relu"))
    model.add(keras.layers.Dense(meta["n_outputs_"]))
    model.compile(loss="mean_squared_error", optimizer=compile_kwargs["optimizer"])
    return model


def new_classifier(**options):
    made = {"epochs": 2, "verbose": 0, "random_state": 0, "shuffle": False}
    return KerasClassifier(classifier, **made, **options)


def new_regressor(**options):
    made = {"epochs": 2, "verbose": 0, "random_state": 0, "shuffle": False}
    return KerasRegressor(regressor, optimizer="adam", **made, **options)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "strings"])
def test_classifier(kind):
    y = {
        "binary": Y > 0,
        "multiclass": Y,
        "multilabel": np.stack([Y > 0, Y > 1], 1).astype(int),
        "strings": np.array(["a", "b", "c"])[Y],
    }[kind]
    model = new_classifier().fit(X, y)
    assert model.predict(X).shape == y.shape
    assert len(model.predict_proba(X)) == len(X)
    assert 0 <= model.score(X, y) <= 1
    if kind != "multilabel":
        assert set(model.predict(X)) <= set(y)


@pytest.mark.parametrize("outputs", [1, 2])
def test_regressor(outputs):
    y = YR if outputs == 1 else np.stack([YR, -YR], 1)
    model = new_regressor().fit(XR, y)
    assert model.predict(XR).shape == y.shape
    assert model.score(XR, y) <= 1
    assert len(model.history_["loss"]) == 2


@pytest.mark.parametrize("copy_of", [clone, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("new,x,y", [(new_classifier, X, Y), (new_regressor, XR, YR)])
def test_copies(new, x, y, copy_of):
    model = new()
    if copy_of is not clone:
        model.fit(x, y)
    again = copy_of(model)
    if copy_of is clone:
        model.fit(x, y)
        again.fit(x, y)
    assert np.allclose(model.predict(x), again.predict(x), atol=1e-5)


def test_partial_fit_continues():
    model = new_classifier()
    model.partial_fit(X, Y)
    model.partial_fit(X, Y)
    assert model.current_epoch == 2


def test_the_same_seed_is_the_same_model():
    found = [new_regressor().fit(XR, YR).predict(XR) for _ in range(2)]
    assert np.allclose(*found, atol=1e-6)


def test_warm_start():
    model = new_classifier(warm_start=True).fit(X, Y)
    inner = model.model_
    assert model.fit(X, Y).model_ is inner


@pytest.mark.parametrize("optimizer", ["sgd", "adam", keras.optimizers.RMSprop])
def test_routed_parameters(optimizer):
    options = {"optimizer": optimizer, "optimizer__learning_rate": 0.5}
    model = KerasRegressor(regressor, epochs=1, verbose=0, **options).fit(XR, YR)
    rate = model.model_.optimizer.learning_rate
    assert float(keras.ops.convert_to_numpy(rate)) == 0.5


def test_callbacks_and_validation_split():
    model = new_regressor(
        callbacks=keras.callbacks.EarlyStopping, callbacks__monitor="val_loss",
        callbacks__patience=1, validation_split=0.2,
    )  # fmt: skip
    assert "val_loss" in model.fit(XR, YR).history_


@pytest.mark.parametrize("metric", ["accuracy", keras.metrics.SparseCategoricalAccuracy])
def test_metrics(metric):
    def build(meta, compile_kwargs):
        model = classifier(meta)
        model.compile(loss="sparse_categorical_crossentropy", metrics=compile_kwargs["metrics"])
        return model

    model = KerasClassifier(build, metrics=[metric], epochs=1, verbose=0).fit(X, Y)
    assert len(model.history_) == 2


@pytest.mark.parametrize("weight", ["balanced", {0: 1.0, 1: 2.0, 2: 3.0}, None])
def test_class_weight(weight):
    assert new_classifier(class_weight=weight).fit(X, Y).score(X, Y) >= 0


def test_sample_weight():
    model = new_regressor().fit(XR, YR, sample_weight=np.linspace(0.1, 1, 60))
    assert model.score(XR, YR, sample_weight=np.ones(60)) <= 1


def test_grid_search():
    search = GridSearchCV(new_classifier(hidden=8), {"hidden": [4, 8]}, cv=2, refit=True)
    search.fit(X, Y)
    assert search.best_params_["hidden"] in (4, 8)


def test_pipeline_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), new_classifier())
    assert len(cross_val_score(pipeline, X, Y, cv=2)) == 2
    assert pickle.loads(pickle.dumps(pipeline.fit(X, Y))).predict(X).shape == Y.shape


def test_ensembles():
    assert BaggingClassifier(new_classifier(), n_estimators=2).fit(X, Y).predict(X).shape == Y.shape
    boost = AdaBoostRegressor(new_regressor(), n_estimators=2).fit(XR, YR)
    assert boost.predict(XR).shape == YR.shape


def test_a_subclass_with_two_inputs():
    class TwoInputs(KerasRegressor):
        def _keras_build_fn(self, compile_kwargs):
            a, b = keras.Input((3,)), keras.Input((3,))
            out = keras.layers.Dense(1)(keras.layers.Concatenate()([a, b]))
            model = keras.Model([a, b], out)
            model.compile("sgd", "mse")
            return model

        @property
        def feature_encoder(self):
            from sklearn.preprocessing import FunctionTransformer

            return FunctionTransformer(lambda x: [x[:, :3], x[:, 3:]])

    assert TwoInputs(epochs=1, verbose=0).fit(XR, YR).predict(XR).shape == YR.shape


def test_saving_the_model(tmp_path):
    model = new_regressor().fit(XR, YR)
    path = str(tmp_path / "model.keras")
    model.model_.save(path)
    loaded = KerasRegressor(keras.models.load_model(path), verbose=0)
    loaded.initialize(XR, YR)
    assert np.allclose(loaded.predict(XR), model.predict(XR), atol=1e-6)
