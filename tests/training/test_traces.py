"""Traced values do not leak: JAX's leak checker finds none."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current

X = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
Y = {"value": X[:, :1], "kind": np.arange(7) % 3}
BATCHES = [(X[:4], {name: y[:4] for name, y in Y.items()})]


class Own(keras.Model):
    """With a custom step that calls `compute_loss`."""

    def train_step(self, data):
        x, y = data

        def forward():
            return self.compute_loss(x, y, self(x, training=True))

        loss, gradients = keras.value_and_grad(forward, self.trainable_variables)()
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def built(cls=keras.Model):
    """A model with losses of outputs, weights and activities, and all state that a step changes."""
    x = keras.Input((4,))
    h = layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l2")(x)
    h = layers.Dropout(0.4)(layers.BatchNormalization()(h))
    outputs = {"value": layers.Dense(1)(h), "kind": layers.Dense(3, activation="softmax")(h)}
    model = cls(x, outputs)
    losses = {"value": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("adam", losses, metrics={"value": ["mae"], "kind": ["accuracy"]})
    return model


RUNS = {
    "fit": lambda: built().fit(X, Y, batch_size=4, validation_data=(X, Y), verbose=0),
    "fit with batches": lambda: built().fit(iter(BATCHES), verbose=0),
    "fit with a custom step": lambda: built(Own).fit(X, Y, batch_size=7, verbose=0),
    "evaluate": lambda: built().evaluate(X, Y, batch_size=7, verbose=0),
    "predict": lambda: built().predict(X, verbose=0),
    "train_on_batch": lambda: built().train_on_batch(X, Y),
    "calls": lambda: [model(X) for model in [built()] * 3],
}


@pytest.mark.skipif(current().name != "jax", reason="only JAX has a leak checker")
@pytest.mark.parametrize("run", RUNS)
def test_no_traced_value_leaks(run):
    import jax

    with jax.checking_leaks():
        kept = RUNS[run]()
    del kept


@pytest.mark.parametrize("cls", [keras.Model, Own])
def test_no_losses_remain_after_a_step(cls):
    model = built(cls)
    model.fit(X, Y, batch_size=4, verbose=0)
    model.predict(X, verbose=0)
    assert not [loss for layer in model._flatten_layers() for loss in layer._losses]
    assert model._output_losses is None


def test_the_loss_of_each_output_is_logged():
    model = built()
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    value, kind = (model.predict(X, verbose=0)[name] for name in ("value", "kind"))
    assert logs["value_loss"] == pytest.approx(np.mean((value - Y["value"]) ** 2), rel=1e-5)
    assert logs["kind_loss"] == pytest.approx(
        -np.mean(np.log(kind[np.arange(7), Y["kind"]])), rel=1e-5
    )
    fitted = built()
    history = fitted.fit(X, Y, batch_size=7, verbose=0).history
    assert {"value_loss", "kind_loss"} <= history.keys()
