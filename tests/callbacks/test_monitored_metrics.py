"""Callbacks that monitor a metric of a compiled model: its names, and its direction."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, losses, metrics
from keras_fn.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau

X, Y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


def model_of(compiled_metrics, outputs=1, loss="mse"):
    inputs = keras.Input((2,))
    parts = [layers.Dense(1, activation="sigmoid", name=n)(inputs) for n in "ab"[:outputs]]
    model = keras.Model(inputs, parts if outputs > 1 else parts[0])
    model.compile("sgd", loss, metrics=compiled_metrics)
    model._build_for_training(([X], [Y] * outputs, None))  # as `fit` does
    return model


def chosen_mode(callback, model):
    callback.set_model(model)
    callback.on_train_begin()
    callback._set_monitor_op(dict.fromkeys(model.metrics_names))
    return {"lt": "min", "gt": "max"}[callback.monitor_op.__name__]


def difference(y_true, y_pred):
    return y_true - y_pred


MODES = {
    "loss": "min",
    "accuracy": "max",
    "acc": "max",
    "binary_accuracy": "max",
    "BinaryAccuracy": "max",
    "auc": "max",
    "AUC": "max",
    "precision": "max",
    "r2_score": "max",
    "cosine_similarity": "max",
    "mse": "min",
    "MAE": "min",
    "mean_squared_error": "min",
    "MeanAbsoluteError": "min",
    "bce": "min",
    "ce": "min",
    "crossentropy": "min",
    "hinge": "min",
    "poisson": "min",
}


def test_names_of_metrics_have_the_direction_of_the_metric():
    names = [name for name in MODES if name != "loss"]
    model = model_of(names)
    for name, mode in MODES.items():
        for monitor in (name, f"val_{name}"):
            assert chosen_mode(EarlyStopping(monitor), model) == mode, monitor


def test_names_of_outputs_come_before_names_of_metrics():
    model = model_of({"a": ["accuracy", "mse"], "b": metrics.AUC(name="area")}, outputs=2)
    modes = {"a_accuracy": "max", "a_mse": "min", "b_area": "max", "a_loss": "min", "b_loss": "min"}
    for name, mode in modes.items():
        assert chosen_mode(EarlyStopping(f"val_{name}"), model) == mode, name


@pytest.mark.parametrize(
    ("metric", "name", "mode"),
    [
        (metrics.binary_accuracy, "binary_accuracy", "max"),
        (losses.mean_squared_error, "mean_squared_error", "min"),
        (losses.cosine_similarity, "cosine_similarity", "min"),
        (losses.Huber(), "huber_loss", "min"),
        (metrics.MeanMetricWrapper(losses.hinge, name="mine"), "mine", "min"),
        (metrics.TopKCategoricalAccuracy(1), "top_k_categorical_accuracy", "max"),
    ],
)
def test_functions_and_losses_as_metrics_have_a_direction(metric, name, mode):
    assert chosen_mode(EarlyStopping(name), model_of([metric])) == mode


@pytest.mark.parametrize(
    "make",
    [
        EarlyStopping,
        ReduceLROnPlateau,
        lambda monitor: ModelCheckpoint("m.keras", monitor, save_best_only=True),
    ],
)
def test_every_monitoring_callback_knows_the_direction(make):
    model = model_of(["acc", difference])
    assert chosen_mode(make("val_acc"), model) == "max"
    with pytest.raises(ValueError, match="pass mode='max' if higher is better"):
        make_and_begin(make, model)


def make_and_begin(make, model):
    callback = make("val_difference")
    callback.set_model(model)
    callback.on_train_begin()  # before anything runs


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    model = model_of(["accuracy"])
    with pytest.raises(ValueError, match="monitor='val_accuracy'") as error:
        model.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[EarlyStopping("val_acuracy")])
    assert "accuracy, loss, val_accuracy, val_loss" in str(error.value)


def test_training_stops_by_an_accuracy_that_does_not_rise():
    model = model_of(["accuracy"])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["accuracy"])
    callback = EarlyStopping("val_accuracy", patience=2)
    history = model.fit(X, Y, validation_data=(X, Y), epochs=9, verbose=0, callbacks=callback)
    assert len(history.epoch) == 3


def test_a_loss_of_a_custom_step_is_minimized():
    class Parts(keras.Model):
        def train_step(self, data):
            return {"loss": keras.ops.zeros(()), "kl_loss": keras.ops.ones(())}

    inputs = keras.Input((2,))
    model = Parts(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    callback = EarlyStopping("kl_loss", patience=1)
    assert len(model.fit(X, Y, epochs=9, verbose=0, callbacks=callback).epoch) == 2
