"""Subclassed models."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.random.default_rng(2).normal(size=(6, 3)).astype("float32")
Y = X[:, :2] * 2


def numpy(x):
    return ops.convert_to_numpy(x)


class Plain(keras.Model):
    def __init__(self, units, outputs=2):
        super().__init__()
        self.hidden = layers.Dense(units, activation="relu")
        self.top = layers.Dense(outputs)

    def call(self, x, training=False):
        x = self.top(self.hidden(x))
        return x + 1.0 if training else x


@pytest.mark.parametrize("make", [lambda: Plain(4), lambda: Plain(4, 2), lambda: Plain(units=4)])
def test_a_subclass_takes_arguments_of_its_own(make):
    model = make()
    assert type(model) is Plain
    model.compile("sgd", "mse")
    losses = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert len(model.weights) == 4
    assert model.predict(X, verbose=0).shape == (6, 2)
    np.testing.assert_allclose(model.predict(X, verbose=0), numpy(model(X)), atol=1e-5)
    np.testing.assert_allclose(numpy(model(X, training=True)), numpy(model(X)) + 1, atol=1e-5)


@pytest.mark.parametrize("run", ["predict_on_batch", "train_on_batch", "evaluate"])
def test_the_first_data_build_it(run):
    model = Plain(4)
    model.compile("sgd", "mse")
    getattr(model, run)(*[X] if run == "predict_on_batch" else [X, Y])
    assert len(model.weights) == 4
    assert np.all(np.isfinite(numpy(model(X))))


class OwnStep(keras.Model):
    """Trains with a step of its own, written once for all backends."""

    def train_step(self, data):
        x, y = data

        def loss_of():
            return ops.mean(ops.square(self(x, training=True) - y))

        loss, grads = keras.value_and_grad(loss_of, self.trainable_variables)()
        self.optimizer.apply(grads, self.trainable_variables)
        return {"mine": loss}

    def test_step(self, data):
        return {"tested": ops.sum(data[0])}


def test_own_steps_train_like_the_built_in_one():
    def trained(cls):
        x = keras.Input((3,))
        model = cls(x, layers.Dense(2, kernel_initializer="ones")(x))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        history = model.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0).history
        return model, history

    own, history = trained(OwnStep)
    usual, expected = trained(keras.Model)
    assert isinstance(own, OwnStep)
    assert list(history) == ["mine"]
    np.testing.assert_allclose(history["mine"], expected["loss"], rtol=1e-5)
    for a, b in zip(own.get_weights(), usual.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert own.evaluate(X, Y, verbose=0, return_dict=True) == {
        "tested": pytest.approx(X.sum(), 1e-4)
    }


def test_a_graph_of_a_class_of_the_user_is_a_graph_and_of_the_class():
    x = keras.Input((3,), name="x")
    model = OwnStep(inputs=x, outputs=layers.Dense(2)(x), name="own")
    assert isinstance(model, OwnStep) and isinstance(model, keras.Model)
    assert model.input_names == ["x"]
    assert model.output_shape == (None, 2)
    copy = OwnStep.from_config(model.get_config())
    assert isinstance(copy, OwnStep)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(numpy(copy(X)), numpy(model(X)), atol=1e-6)


class Graph(keras.Model):
    """Hands its graph to the base class."""

    def __init__(self, units, name=None):
        inputs = keras.Input((3,))
        outputs = layers.Dense(units)(inputs)
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.units = units

    def get_config(self):
        return {"units": self.units, "name": self.name}


class Positional(keras.Model):
    def __init__(self, units, scale):
        inputs = keras.Input((3,))
        super().__init__(inputs, layers.Dense(units)(inputs) * scale)
        self.scale = scale


def test_a_subclass_that_gives_its_graph_to_super_is_a_graph():
    model = Graph(2)
    assert isinstance(model, Graph)
    assert model.output_shape == (None, 2)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]
    assert model.units == 2
    copy = Graph.from_config(model.get_config())
    assert isinstance(copy, Graph) and copy.output_shape == (None, 2)
    scaled = Positional(2, 0.0)
    assert isinstance(scaled, Positional)
    np.testing.assert_array_equal(numpy(scaled(X)), np.zeros((6, 2)))
    assert scaled.get_config() == {"units": 2, "scale": 0.0}
    for make in (Positional.from_config, type(scaled).from_config):
        copy = make(scaled.get_config())
        assert isinstance(copy, Positional) and copy.output_shape == (None, 2)


def test_the_config_of_a_subclass_is_what_its_constructor_was_given():
    assert Plain(4).get_config() == {"units": 4}
    copy = Plain.from_config(Plain(4, outputs=5).get_config())
    assert copy(X).shape[-1] == 5

    class Named(keras.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.top = layers.Dense(units)

        def call(self, x):
            return self.top(x)

    config = Named(3, name="mine").get_config()
    assert (config["units"], config["name"]) == (3, "mine")
    assert Named.from_config(config).name == "mine"


def test_a_model_inside_a_model_is_trained_with_it():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Plain(4)
            self.more = [layers.Dense(3), layers.Dense(2)]

        def call(self, x):
            x = self.inner(x)
            for layer in self.more:
                x = layer(x)
            return x

    model = Outer()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert len(model.trainable_weights) == 8


def test_inputs_and_outputs_may_be_nested():
    class Pair(keras.Model):
        def call(self, inputs):
            return {"sum": inputs["b"] + inputs["a"], "b": inputs["b"]}

    model = Pair()
    data = {"b": X, "a": X * 3}
    model.compile("sgd", {"sum": "mse", "b": "mae"})
    found = model.predict(data, batch_size=4, verbose=0)
    assert list(found) == ["sum", "b"]
    again = model.predict(dict(reversed(data.items())), batch_size=4, verbose=0)
    np.testing.assert_array_equal(again["b"], found["b"])
    np.testing.assert_allclose(found["sum"], X * 4, rtol=1e-6)
    np.testing.assert_array_equal(found["b"], X)
    logs = model.evaluate(data, {"b": X, "sum": X * 0}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "sum_loss", "b_loss"]
    assert logs["b_loss"] == 0
    assert logs["sum_loss"] == pytest.approx((16 * X**2).mean(), rel=1e-5)


def test_losses_of_the_users_own():
    class Own(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.sum(y_pred) * 0.0 + (2.0 if training else 3.0)

    model = Own([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    assert model.fit(X, Y, verbose=0).history["loss"] == [2.0]
    assert model.evaluate(X, Y, verbose=0) == 3.0


@pytest.mark.parametrize("calls_super", [True, False])
def test_metrics_of_the_users_own(calls_super):
    class Own(keras.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight) if calls_super else {}
            return {**logs, "largest": ops.max(y_pred)}

    model = Own([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert logs.keys() == ({"loss", "mae", "largest"} if calls_super else {"largest"})
    assert logs["largest"] == pytest.approx(model.predict(X, verbose=0).max(), rel=1e-5)


def test_metrics_that_the_model_holds_are_shown_and_reset():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Sum(name="seen")
            self.top = layers.Dense(2)

        def call(self, x):
            return self.top(x)

        def train_step(self, data):
            logs = super().train_step(data)
            self.seen.update_state(ops.ones((2,)))
            return {**logs, "seen": self.seen.result()}

    model = Own()
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=3, epochs=2, verbose=0).history
    assert history["seen"] == [4.0, 4.0]


def test_inputs_without_outputs_are_refused():
    with pytest.raises(TypeError, match="received: only inputs="):
        keras.Model(inputs=keras.Input((3,)))


def test_a_model_without_a_call_says_so():
    class Empty(keras.Model):
        pass

    with pytest.raises((TypeError, NotImplementedError), match="call"):
        Empty()(X)


def test_the_functional_variant_of_a_subclass_has_its_registered_name(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Backbone(keras.Model):
        def __init__(self, units, **kwargs):
            x = keras.Input((2,))
            super().__init__(x, keras.layers.Dense(units)(x), **kwargs)
            self.units = units

        def get_config(self):
            return {"units": self.units, "name": self.name}

    model = Backbone(3)
    assert keras.saving.get_registered_name(type(model)) == "tests>Backbone"
    model.save(tmp_path / "m.keras")
    assert isinstance(keras.saving.load_model(tmp_path / "m.keras"), Backbone)
