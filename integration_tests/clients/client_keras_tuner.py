"""KerasTuner: every tuner searches, is reloaded and gives its best model."""

import keras
import keras_tuner
import numpy as np
import pytest

X = np.random.default_rng(0).random((32, 5)).astype("float32")
Y = X.sum(1, keepdims=True) / 5


def build_model(hp):
    model = keras.Sequential([keras.Input((5,))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Choice(f"units_{i}", [2, 4]), activation="relu"))
    if hp.Boolean("dropout"):
        model.add(keras.layers.Dropout(0.1))
    model.add(keras.layers.Dense(1))
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


class Hyper(keras_tuner.HyperModel):
    def build(self, hp):
        return build_model(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [8, 16]), **kwargs)


TUNERS = {
    "random": (keras_tuner.RandomSearch, {"max_trials": 2}),
    "grid": (keras_tuner.GridSearch, {"max_trials": 2}),
    "bayesian": (keras_tuner.BayesianOptimization, {"max_trials": 3, "num_initial_points": 2}),
    "hyperband": (keras_tuner.Hyperband, {"max_epochs": 2, "hyperband_iterations": 1}),
}


@pytest.mark.parametrize("hypermodel", [build_model, Hyper()], ids=["function", "class"])
@pytest.mark.parametrize("name", TUNERS)
def test_search(name, hypermodel, tmp_path):
    cls, options = TUNERS[name]
    made = dict(objective="val_loss", directory=str(tmp_path), project_name="p", seed=0, **options)
    tuner = cls(hypermodel, **made)
    tuner.search(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    (best,) = tuner.get_best_models(1)
    assert best.predict(X, verbose=0).shape == Y.shape
    assert best.evaluate(X, Y, verbose=0, return_dict=True)["loss"] < 10
    tuner.results_summary()
    again = cls(hypermodel, overwrite=False, **made)
    values = again.get_best_hyperparameters()[0].values
    assert values == tuner.get_best_hyperparameters()[0].values


def test_executions_per_trial_and_callbacks(tmp_path):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(sorted(logs))

    tuner = keras_tuner.RandomSearch(
        build_model, "val_mae", 2, executions_per_trial=2, directory=str(tmp_path)
    )
    stop = keras.callbacks.EarlyStopping(patience=1)
    tuner.search(X, Y, epochs=2, validation_split=0.25, verbose=0, callbacks=[Watch(), stop])
    assert len(tuner.oracle.trials) == 2


@pytest.mark.parametrize("direction", ["min", "max"])
def test_objective(direction, tmp_path):
    tuner = keras_tuner.RandomSearch(
        build_model, keras_tuner.Objective("val_mae", direction), 2, directory=str(tmp_path)
    )
    tuner.search(X, Y, epochs=1, validation_data=(X, Y), verbose=0)
    assert len(tuner.get_best_hyperparameters(2)) == 2


def test_a_custom_tuner(tmp_path):
    class Own(keras_tuner.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            model = self.hypermodel.build(trial.hyperparameters)
            optimizer = keras.optimizers.SGD(0.01)
            model.compile(optimizer, "mse")
            model.train_on_batch(X, Y)
            return float(model.evaluate(X, Y, verbose=0))

    tuner = Own(build_model, max_trials=2, directory=str(tmp_path))
    tuner.search()
    assert tuner.get_best_hyperparameters()


def test_tuned_arguments_of_compile(tmp_path):
    tuner = keras_tuner.RandomSearch(
        build_model, "val_loss", 2, directory=str(tmp_path), optimizer="sgd", loss="mae",
        metrics=["mse"],
    )  # fmt: skip
    tuner.search(X, Y, epochs=1, validation_data=(X, Y), verbose=0)
    assert tuner.get_best_models()[0].optimizer.name.lower() == "sgd"


@pytest.mark.parametrize("cls", ["HyperResNet", "HyperXception"])
def test_hyper_applications(cls):
    hyper = getattr(keras_tuner.applications, cls)(input_shape=(32, 32, 3), classes=2)
    model = hyper.build(keras_tuner.HyperParameters())
    assert model.output_shape == (None, 2)


def test_hyper_image_augment():
    hyper = keras_tuner.applications.HyperImageAugment(input_shape=(16, 16, 3))
    model = hyper.build(keras_tuner.HyperParameters())
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")
    assert model.predict(images, verbose=0).shape == (2, 16, 16, 3)


def test_trial_checkpoints_and_epochs(tmp_path):
    tuner = keras_tuner.RandomSearch(build_model, "val_loss", 1, directory=str(tmp_path))
    tuner.search(X, Y, epochs=3, validation_data=(X, Y), verbose=0)
    (trial,) = tuner.oracle.get_best_trials(1)
    assert trial.best_step in (0, 1, 2)
    loaded = tuner.load_model(trial)
    assert loaded.predict(X, verbose=0).shape == Y.shape
