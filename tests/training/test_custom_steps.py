"""Custom steps: portable, with the gradients of each framework, and stateless."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current

BACKEND = current().name
X = np.random.default_rng(5).normal(size=(20, 4)).astype("float32")
Y = X @ np.ones((4, 1), "float32")


def build(cls=keras.Model):
    keras.utils.set_random_seed(3)
    x = keras.Input((4,))
    h = layers.BatchNormalization()(layers.Dense(3)(x))
    model = cls(x, layers.Dense(1)(h))
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


class Portable(keras.Model):
    def train_step(self, data):
        x, y = data

        def forward():
            y_pred = self(x, training=True)
            return self.compute_loss(x, y, y_pred), y_pred

        variables = self.trainable_variables
        (loss, y_pred), grads = keras.value_and_grad(forward, variables, has_aux=True)()
        self.optimizer.apply(grads, variables)
        return show(self, loss, y, y_pred)


def show(model, loss, y, y_pred):
    for metric in model.metrics:
        if metric.name == "loss":
            metric.update_state(loss)
        else:
            metric.update_state(y, y_pred)
    return {m.name: m.result() for m in model.metrics}


class Pure(keras.Model):
    """As in Keras's guide for JAX."""

    def compute_loss_and_updates(
        self, trainable_variables, non_trainable_variables, x, y, training=False
    ):
        y_pred, non_trainable_variables = self.stateless_call(
            trainable_variables, non_trainable_variables, x, training=training
        )
        loss = self.compute_loss(x, y, y_pred)
        return loss, (y_pred, non_trainable_variables)

    def train_step(self, state, data):
        import jax

        trainable, rest, optimizer, measured = state
        x, y = data
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, rest)), grads = grad_fn(trainable, rest, x, y, training=True)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        logs, measured = self.measured(measured, loss, y, y_pred)
        return logs, (trainable, rest, optimizer, measured)

    def measured(self, variables, loss, y, y_pred):
        new, logs = [], {}
        for metric in self.metrics:
            now = variables[len(new) : len(new) + len(metric.variables)]
            args = (loss,) if metric.name == "loss" else (y, y_pred)
            now = metric.stateless_update_state(now, *args)
            logs[metric.name] = metric.stateless_result(now)
            new += now
        return logs, new

    def test_step(self, state, data):
        trainable, rest, measured = state
        x, y = data
        y_pred, rest = self.stateless_call(trainable, rest, x, training=False)
        loss = self.compute_loss(x, y, y_pred)
        logs, measured = self.measured(measured, loss, y, y_pred)
        return logs, (trainable, rest, measured)

    def predict_step(self, state, data):
        trainable, rest = state
        x = data
        outputs, rest = self.stateless_call(trainable, rest, x, training=False)
        return outputs, rest


class Torch(keras.Model):
    """As in Keras's guide for PyTorch."""

    def train_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        trainable_weights = [v for v in self.trainable_weights]
        gradients = [v.value.grad for v in trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, trainable_weights)
        return show(self, loss, y, y_pred)


class TensorFlow(keras.Model):
    """As in Keras's guide for TensorFlow."""

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        trainable_vars = self.trainable_variables
        gradients = tape.gradient(loss, trainable_vars)
        self.optimizer.apply(gradients, trainable_vars)
        return show(self, loss, y, y_pred)


FORMS = {"jax": [Pure], "torch": [Torch], "tensorflow": [TensorFlow]}


@pytest.mark.parametrize("cls", [Portable, *FORMS[BACKEND]])
@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}], ids=["compiled", "eager"])
def test_a_custom_step_trains_like_the_built_in_one(cls, options):
    found = {}
    for kind in (keras.Model, cls):
        model = build(kind)
        model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], **options)
        logs = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_data=(X, Y)).history
        found[kind] = model.get_weights(), logs, model.predict(X, verbose=0)
    (weights, logs, outputs), (own, own_logs, own_outputs) = found[keras.Model], found[cls]
    for a, b in zip(weights, own, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(outputs, own_outputs, rtol=1e-4, atol=1e-5)
    # The loss is the mean over batches here, over samples there: the last batch is smaller.
    np.testing.assert_allclose(logs["loss"], own_logs["loss"], rtol=0.3)
    np.testing.assert_allclose(logs["val_loss"], own_logs["val_loss"], rtol=0.3)
    assert own_logs["loss"][-1] < own_logs["loss"][0]


def test_stateless_steps_change_no_variable():
    model = build()
    model.fit(X, Y, verbose=0)
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer_variables,
        model.metrics_variables,
    )
    state = tuple([keras.ops.copy(v.value) for v in group] for group in groups)
    data = (ops.convert_to_tensor(X), ops.convert_to_tensor(Y))
    logs, after = model.train_step(state, data)
    assert set(logs) == {"loss", "mae"}
    assert [len(group) for group in after] == [len(group) for group in state]
    assert ops.convert_to_numpy(after[2][0]) == ops.convert_to_numpy(state[2][0]) + 1
    for a, v in zip(before, (*model.variables, *model.optimizer.variables), strict=True):
        np.testing.assert_array_equal(a, v.numpy())
    model.train_on_batch(X, Y)
    for value, v in zip(after[0], model.trainable_variables, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(value), v.numpy(), rtol=1e-5, atol=1e-6)
    outputs, rest = model.predict_step(state[:2], data[:1])
    assert outputs.shape == (20, 1)
    assert len(rest) == len(state[1])


def test_a_stateless_override_can_call_the_built_in_step():
    class Shouting(keras.Model):
        def train_step(self, state, data):
            logs, state = super().train_step(state, data)
            return {**logs, "twice": 2 * logs["loss"]}, state

    history = build(Shouting).fit(X, Y, verbose=0).history
    assert history["twice"][0] == pytest.approx(2 * history["loss"][0])


def test_a_state_that_is_not_complete_is_refused():
    model = build()
    model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="a state of trainable_variables, non_trainable_var"):
        model.train_step(([],), (X, Y))
    with pytest.raises(ValueError, match="6 values of trainable_variables"):
        model.test_step(([], [], []), (X, Y))


def test_the_loss_as_a_pure_function():
    model = build()
    model.fit(X, Y, verbose=0)
    groups = model.trainable_variables, model.non_trainable_variables, model.metrics_variables
    values = [[v.value for v in group] for group in groups]
    y, y_pred = ops.convert_to_tensor(Y), ops.convert_to_tensor(Y + 2)
    loss, after = model.stateless_compute_loss(*values, y=y, y_pred=y_pred)
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(4, rel=1e-5)
    assert [len(group) for group in after] == [len(group) for group in values]


def test_the_state_as_a_tree():
    model = build()
    model.fit(X, Y, verbose=0)
    tree = model.get_state_tree("numpy_array")
    assert list(tree) == [
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    ]
    (optimizer,) = tree["optimizer_variables"].values()
    assert optimizer["iteration"] == 1
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    model.set_state_tree(tree)
    assert int(model.optimizer.iterations.numpy()) == 1
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="nothing/here"):
        model.set_state_tree({"trainable_variables": {"nothing": {"here": 1.0}}})
    with pytest.raises(ValueError, match="value_format"):
        model.get_state_tree("json")


def test_a_tree_of_the_state_refuses_two_variables_of_one_path():
    class Twins(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = (keras.layers.Dense(3, name="twin") for _ in range(2))

        def call(self, x):
            return self.second(self.first(x))

    model = Twins()
    model.build((None, 3))
    with pytest.raises(ValueError, match=r"two variables of the path '.*twin/kernel'"):
        model.get_state_tree()


def test_a_model_without_a_call_trains_with_a_custom_step():
    class Pair(keras.Model):
        """Like a GAN: two models, an optimizer, and no call."""

        def __init__(self, one, two):
            super().__init__()
            self.one, self.two = one, two
            self.seen = keras.metrics.Mean(name="seen")

        def compile(self, chosen):
            super().compile()
            self.chosen = chosen

        def train_step(self, data):
            x = data
            variables = self.two.trainable_variables
            grads = keras.value_and_grad(
                lambda: ops.mean(ops.square(self.two(self.one(x)) - 3.0)), variables
            )
            loss, grads = grads()
            self.chosen.apply(grads, variables)
            self.seen.update_state(loss)
            return {"seen": self.seen.result()}

    parts = [keras.Sequential([keras.Input((4,)), layers.Dense(4)]) for _ in range(2)]
    model = Pair(*parts)
    model.compile(keras.optimizers.Adam(0.05))
    history = model.fit(X, batch_size=5, epochs=20, verbose=0).history["seen"]
    assert history[-1] < history[0] / 2
    assert int(model.chosen.iterations.numpy()) == 80


def test_a_step_can_assign_variables_outside_of_the_model():
    stray = keras.metrics.Sum(name="stray")

    class Forgetful(keras.Model):
        def train_step(self, data):
            stray.update_state(1.0)
            return super().train_step(data)

    build(Forgetful).fit(X, Y, batch_size=5, epochs=2, verbose=0)
    assert float(ops.convert_to_numpy(stray.result())) == 8


class Recording(keras.Model):
    """Notes what its steps receive."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)
        self.seen = []

    def call(self, x):
        return self.dense(keras.tree.flatten(x)[0])

    def note(self, kind, data):
        shapes = keras.tree.map_structure(lambda a: a if a is None else tuple(a.shape), data)
        self.seen.append((kind, shapes))

    def train_step(self, data):
        self.note("train", data)
        return {"loss": ops.zeros(())}

    def test_step(self, data):
        self.note("test", data)
        return {"loss": ops.zeros(())}

    def predict_step(self, data):
        self.note("predict", data)
        return super().predict_step(data)


class OneBatch(keras.utils.PyDataset):
    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


ONE = np.ones((4, 3), "float32")
INPUTS_ALONE = {
    "array": lambda: ONE,
    "tensor": lambda: ops.convert_to_tensor(ONE),
    "list of numbers": ONE.tolist,
    "generator": lambda: (batch for batch in [ONE]),
    "generator of tuples": lambda: (batch for batch in [(ONE,)]),
    "loader": lambda: OneBatch(ONE),
    "loader of tuples": lambda: OneBatch((ONE,)),
}


@pytest.mark.parametrize("kind", INPUTS_ALONE)
def test_inputs_alone_reach_a_custom_step_as_they_are(kind):
    model = Recording()
    model.compile("sgd", run_eagerly=True)
    for run in (model.fit, model.evaluate, model.predict):
        run(INPUTS_ALONE[kind](), verbose=0)
    assert model.seen == [("train", (4, 3)), ("test", (4, 3)), ("predict", (4, 3))]


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (({"a": ONE, "b": ONE},), {"a": (4, 3), "b": (4, 3)}),
        (([ONE, ONE],), ([(4, 3), (4, 3)],)),
        ((ONE, ONE[:, 0]), ((4, 3), (4,))),
        ((ONE, ONE[:, 0], ONE[:, 0]), ((4, 3), (4,), (4,))),
        ((ONE, None, ONE[:, 0]), ((4, 3), None, (4,))),
    ],
)
def test_what_a_custom_step_receives_of_other_data(data, seen):
    model = Recording()
    model.compile("sgd", run_eagerly=True)
    model.fit(*data[:2], sample_weight=data[2] if len(data) > 2 else None, verbose=0)
    model.fit(OneBatch(data), verbose=0)
    assert model.seen == [("train", seen)] * 2


def test_a_step_for_inputs_alone_is_compiled():
    class AutoEncoder(keras.Model):
        def train_step(self, data):
            def forward():
                return ops.mean(ops.square(self(data, training=True) - data))

            loss, grads = keras.value_and_grad(forward, self.trainable_variables)()
            self.optimizer.apply(grads, self.trainable_variables)
            return {"loss": loss}

    inputs = keras.Input((3,))
    model = AutoEncoder(inputs, layers.Dense(3)(inputs))
    model.compile("sgd")
    losses = model.fit(np.tile(ONE, (8, 1)), epochs=3, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.train_on_batch(ONE) < losses[0]
