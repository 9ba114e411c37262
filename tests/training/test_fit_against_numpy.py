"""Training, number by number, against a loop written in NumPy."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

RNG = np.random.default_rng(7)
X = RNG.normal(size=(10, 3)).astype("float32")
Y = RNG.normal(size=(10, 2)).astype("float32")
W = RNG.uniform(0.5, 2, size=10).astype("float32")
KERNEL = RNG.normal(size=(3, 2)).astype("float32")
RATE = 0.1


def linear(**compiled):
    """Returns a linear model that starts at KERNEL and 0."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.layers[0].set_weights([KERNEL, np.zeros(2)])
    model.compile(keras.optimizers.SGD(RATE), "mse", **compiled)
    return model


class Loop:
    """The same model in NumPy."""

    def __init__(self):
        self.kernel, self.bias = KERNEL.astype("float64"), np.zeros(2)

    def predict(self, x):
        return x @ self.kernel + self.bias

    def loss(self, x, y, w=None):
        losses = ((self.predict(x) - y) ** 2).mean(-1)
        return float((losses if w is None else losses * w).mean())

    def step(self, x, y, w=None):
        """Trains on a batch; returns its loss before."""
        loss = self.loss(x, y, w)
        slope = 2 * (self.predict(x) - y) / y.size * (1.0 if w is None else w[:, None])
        self.kernel -= RATE * x.T @ slope
        self.bias -= RATE * slope.sum(0)
        return loss

    def epoch(self, x, y, w=None, size=4):
        """Trains on all batches; returns the mean of their losses over the samples."""
        total = 0.0
        for i in range(0, len(x), size):
            batch = x[i : i + size], y[i : i + size], None if w is None else w[i : i + size]
            total += self.step(*batch) * len(batch[0])
        return total / len(x)


def assert_same(model, loop):
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, loop.kernel, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(bias, loop.bias, rtol=1e-5, atol=1e-6)


def fit(model, x, y, **options):
    return model.fit(x, y, batch_size=4, shuffle=False, verbose=0, **options).history


@pytest.mark.parametrize("compiled", [{}, {"run_eagerly": True}, {"jit_compile": False}])
def test_epochs_of_batches_with_a_partial_last_one(compiled):
    model, loop = linear(**compiled), Loop()
    history = fit(model, X, Y, epochs=3)
    expected = [loop.epoch(X, Y) for _ in range(3)]
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)
    assert_same(model, loop)
    assert int(model.optimizer.iterations.numpy()) == 9


def test_sample_weights():
    model, loop = linear(), Loop()
    history = fit(model, X, Y, sample_weight=W, epochs=2)
    np.testing.assert_allclose(history["loss"], [loop.epoch(X, Y, W) for _ in range(2)], rtol=1e-5)
    assert_same(model, loop)


@pytest.mark.parametrize("form", ["numbers", "column", "one hot"])
def test_class_weights(form):
    labels = np.array([0, 1, 2, 1, 0, 2, 2, 1, 0, 1])
    targets = {"numbers": labels, "column": labels[:, None], "one hot": np.eye(3)[labels]}[form]
    weights = np.array([1.0, 2.0, 5.0])[labels]

    def trained(**options):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(3, activation="softmax")])
        model.layers[0].set_weights([np.eye(3), np.zeros(3)])
        loss = (
            "categorical_crossentropy" if form == "one hot" else "sparse_categorical_crossentropy"
        )
        model.compile(keras.optimizers.SGD(RATE), loss)
        return fit(model, X, targets, **options)["loss"], model.get_weights()

    loss, found = trained(class_weight={1: 2.0, 2: 5.0})
    expected_loss, expected = trained(sample_weight=weights)
    assert loss == expected_loss
    np.testing.assert_array_equal(found[0], expected[0])
    assert loss != trained()[0]


def test_class_weights_multiply_sample_weights():
    model, loop = linear(), Loop()
    labels = np.array([0, 1] * 5)
    y = np.stack([1 - labels, labels], -1).astype("float32")
    fit(model, X, y, sample_weight=W, class_weight={0: 1.0, 1: 3.0})
    loop.epoch(X, y, W * np.where(labels, 3.0, 1.0))
    assert_same(model, loop)


def test_the_validation_split_is_the_last_part_and_is_not_trained_on():
    model, loop = linear(), Loop()
    history = fit(model, X, Y, validation_split=0.3, epochs=2)
    for epoch in range(2):
        np.testing.assert_allclose(history["loss"][epoch], loop.epoch(X[:7], Y[:7]), rtol=1e-5)
        np.testing.assert_allclose(history["val_loss"][epoch], loop.loss(X[7:], Y[7:]), rtol=1e-5)
    assert_same(model, loop)


@pytest.mark.parametrize("form", ["tuple", "list", "weighted", "batches"])
def test_every_form_of_validation_data(form):
    model, loop = linear(), Loop()
    data = {
        "tuple": (X[6:], Y[6:]),
        "list": [X[6:], Y[6:]],
        "weighted": (X[6:], Y[6:], W[6:]),
        "batches": [(X[6:8], Y[6:8]), (X[8:], Y[8:])],
    }[form]
    if form == "batches":
        data = Repeatable(data)
    history = fit(model, X[:6], Y[:6], validation_data=data, epochs=2)
    for epoch in range(2):
        loop.epoch(X[:6], Y[:6])
        weights = W[6:] if form == "weighted" else None
        expected = loop.loss(X[6:], Y[6:], weights)
        np.testing.assert_allclose(history["val_loss"][epoch], expected, rtol=1e-5)
    assert_same(model, loop)


def test_validation_of_some_epochs_only():
    history = fit(linear(), X, Y, validation_data=(X, Y), validation_freq=2, epochs=5)
    assert len(history["val_loss"]) == 2
    history = fit(linear(), X, Y, validation_data=(X, Y), validation_freq=[1, 5], epochs=5)
    assert len(history["val_loss"]) == 2


class Repeatable:
    """Batches that can be iterated over repeatedly."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def batches():
    return [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 10, 4)]


def test_sources_that_yield_batches():
    model, loop = linear(), Loop()
    history = model.fit(Repeatable(batches()), epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], [loop.epoch(X, Y) for _ in range(2)], rtol=1e-5)
    assert_same(model, loop)


def test_an_infinite_generator_yields_steps_per_epoch_and_continues():
    def endless():
        while True:
            yield from batches()

    model, loop = linear(), Loop()
    history = model.fit(endless(), epochs=3, steps_per_epoch=2, verbose=0).history
    every = batches() * 2
    for epoch in range(3):
        pair = every[2 * epoch : 2 * epoch + 2]
        losses = [(loop.step(*batch), len(batch[0])) for batch in pair]
        expected = sum(loss * n for loss, n in losses) / sum(n for _, n in losses)
        np.testing.assert_allclose(history["loss"][epoch], expected, rtol=1e-5)
    assert_same(model, loop)


def test_weights_that_batches_bring():
    model, loop = linear(), Loop()
    data = [(X[i : i + 4], Y[i : i + 4], W[i : i + 4]) for i in range(0, 10, 4)]
    model.fit(Repeatable(data), verbose=0)
    loop.epoch(X, Y, W)
    assert_same(model, loop)


def test_evaluate_and_predict_change_nothing():
    model, loop = linear(metrics=["mae"]), Loop()
    loss, mae = model.evaluate(X, Y, batch_size=4, verbose=0)
    np.testing.assert_allclose(loss, loop.loss(X, Y), rtol=1e-5)
    np.testing.assert_allclose(mae, np.abs(loop.predict(X) - Y).mean(), rtol=1e-5)
    found = model.predict(X, batch_size=4, verbose=0)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, loop.predict(X), rtol=1e-4, atol=1e-6)
    assert_same(model, loop)
    assert model.evaluate(X, Y, verbose=0, return_dict=True).keys() == {"loss", "mae"}


def test_evaluate_with_weights_steps_and_batches():
    model, loop = linear(), Loop()
    weighted = model.evaluate(X, Y, sample_weight=W, batch_size=4, verbose=0)
    np.testing.assert_allclose(weighted, loop.loss(X, Y, W), rtol=1e-5)
    part = model.evaluate(X, Y, batch_size=4, steps=2, verbose=0)
    np.testing.assert_allclose(part, loop.loss(X[:8], Y[:8]), rtol=1e-5)
    whole = model.evaluate(iter(batches()), verbose=0)
    np.testing.assert_allclose(whole, loop.loss(X, Y), rtol=1e-5)
    found = model.predict(iter(batches()), verbose=0)
    np.testing.assert_allclose(found, loop.predict(X), rtol=1e-4, atol=1e-6)


def test_single_batches():
    model, loop = linear(metrics=["mae"]), Loop()
    np.testing.assert_allclose(
        model.test_on_batch(X[:4], Y[:4])[0], loop.loss(X[:4], Y[:4]), rtol=1e-5
    )
    logs = model.train_on_batch(X[:4], Y[:4], return_dict=True)
    np.testing.assert_allclose(logs["loss"], loop.step(X[:4], Y[:4]), rtol=1e-5)
    assert_same(model, loop)
    second = loop.step(X[4:8], Y[4:8], W[4:8])
    logs = model.train_on_batch(X[4:8], Y[4:8], sample_weight=W[4:8], return_dict=True)
    np.testing.assert_allclose(logs["loss"], second, rtol=1e-5)
    assert_same(model, loop)
    found = model.predict_on_batch(X[:4])
    np.testing.assert_allclose(found, loop.predict(X[:4]), rtol=1e-4, atol=1e-6)


def constant_model(metrics=("mae",)):
    """A model that predicts 0 and never learns, so that the losses follow from the targets."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, layers.Dense(1, kernel_initializer="zeros")(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=list(metrics))
    return model


def test_single_batches_report_themselves_whatever_came_before():
    model, x = constant_model(), np.ones((4, 1), "float32")
    model.fit(x, 10 * x, verbose=0)
    assert model.train_on_batch(x, x) == [1.0, 1.0]
    assert model.train_on_batch(x, 3 * x) == [9.0, 3.0]
    assert model.test_on_batch(x, 2 * x, return_dict=True) == {"loss": 4.0, "mae": 2.0}
    assert model.train_on_batch(x, 5 * x, sample_weight=np.array([1, 0, 0, 0])) == [6.25, 5.0]
    results = {k: float(v) for k, v in model.get_metrics_result().items()}
    assert results == {"loss": 6.25, "mae": 5.0}


def test_functions_of_an_iterator_average_over_its_batches():
    model, x = constant_model(), np.ones((4, 1), "float32")
    batches = iter([(x, x), (x, 3 * x)])
    train = model.make_train_function()
    assert train(batches) == {"loss": 1.0, "mae": 1.0}
    assert train(batches) == {"loss": 5.0, "mae": 2.0}


def test_training_can_continue_where_it_stopped():
    model, loop = linear(), Loop()
    fit(model, X, Y, epochs=2)
    history = model.fit(X, Y, batch_size=4, shuffle=False, epochs=5, initial_epoch=2, verbose=0)
    assert history.epoch == [2, 3, 4]
    for _ in range(5):
        loop.epoch(X, Y)
    assert_same(model, loop)


def test_frozen_weights_stay_and_thawed_ones_move():
    model, loop = linear(), Loop()
    layer = model.layers[0]
    fit(model, X, Y)
    loop.epoch(X, Y)
    layer.trainable = False
    fit(model, X, Y)
    assert_same(model, loop)
    layer.trainable = True
    model.compile(keras.optimizers.SGD(RATE), "mse")
    fit(model, X, Y)
    loop.epoch(X, Y)
    assert_same(model, loop)


def test_compiling_again_changes_loss_and_rate():
    model, loop = linear(), Loop()
    fit(model, X, Y)
    loop.epoch(X, Y)
    model.compile(keras.optimizers.SGD(0.0), "mae", metrics=["mse"])
    history = fit(model, X, Y)
    assert sorted(history) == ["loss", "mse"]
    np.testing.assert_allclose(history["loss"], [np.abs(loop.predict(X) - Y).mean()], rtol=1e-5)
    assert_same(model, loop)


def test_shuffled_epochs_see_every_sample_once():
    seen = []

    class Noting(keras.Sequential):
        def train_step(self, data):
            seen.append(ops.convert_to_numpy(data[0])[:, 0])
            return super().train_step(data)

    model = Noting([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    data = np.arange(10, dtype="float32")[:, None]
    model.fit(data, data, batch_size=4, epochs=2, verbose=0)
    orders = [np.concatenate(seen[:3]), np.concatenate(seen[3:])]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), data[:, 0])
    assert not np.array_equal(*orders)


def test_a_seed_determines_the_order():
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        losses.append(linear().fit(X, Y, batch_size=2, epochs=2, verbose=0).history["loss"])
    assert losses[0] == losses[1]


def test_regularizers_and_added_losses_are_included():
    class Add(layers.Layer):
        def call(self, x):
            self.add_loss(0.5 * ops.sum(x))
            return x

    x = keras.Input((3,))
    y = Add()(layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.1))(x))
    model = keras.Model(x, y)
    model.layers[1].set_weights([KERNEL, np.zeros(2)])
    model.compile("sgd", "mse")
    expected = ((X @ KERNEL - Y) ** 2).mean() + 0.1 * (KERNEL**2).sum() + 0.5 * (X @ KERNEL).sum()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.fit(X, Y, verbose=0).history["loss"] == [pytest.approx(expected, rel=1e-5)]
