"""A model hands its layers what it was given: it does not round at its border."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

HAS_FLOAT64 = keras.config.backend() != "jax"  # JAX has no float64 by default
TABLE = np.arange(4000, dtype="float32").reshape(4000, 1)


@pytest.fixture
def mixed():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


class Subclassed(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x):
        return self.layer(x)


def functional(layer, shape, dtype=None):
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, layer(x))


def nested(layer, shape, dtype=None):
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, functional(layer, shape, dtype)(x))


# Models around one layer, for samples of a shape.
MODELS = {
    "functional": functional,
    "nested": nested,
    "sequential": lambda layer, shape, dtype=None: keras.Sequential([layer]),
    "nested sequential": lambda layer, shape, dtype=None: keras.Sequential(
        [keras.Sequential([layer])]
    ),
    "subclassed": lambda layer, shape, dtype=None: Subclassed(layer),
    "a subclass of a graph": lambda layer, shape, dtype=None: type("Own", (keras.Model,), {})(
        *((x := keras.Input(shape, dtype=dtype)), layer(x))
    ),
}


def results(name, layer, x, target, dtype=None):
    """What call, predict, evaluate and fit make of the data; the losses are those of a target."""
    model = MODELS[name](layer, x.shape[1:], dtype)
    yield ops.convert_to_numpy(model(x))
    yield model.predict(x, verbose=0)
    if name in ("functional", "sequential", "subclassed"):
        model.compile(keras.optimizers.SGD(0.0), "mae")
        y = np.broadcast_to(target, (1, 1))
        yield target + model.evaluate(x, y, verbose=0)
        yield target + model.fit(x, y, verbose=0).history["loss"][0]


@pytest.mark.parametrize("name", MODELS)
def test_large_numbers_reach_a_float32_layer_of_a_mixed_model(name, mixed):
    x = np.array([[3e5]], "float32")
    for result in results(name, layers.Rescaling(1e-5, dtype="float32"), x, 0.0):
        np.testing.assert_allclose(np.ravel(result), [3.0], rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_token_sent_as_a_float_looks_up_its_own_row(name, mixed):
    layer = layers.Embedding(4000, 1, weights=TABLE, dtype="float32")
    for result in results(name, layer, np.array([[2909.0]], "float32"), 2909.0):
        assert np.ravel(result) == [2909.0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.skipif(not HAS_FLOAT64, reason="JAX has no float64 by default")
def test_float64_reaches_a_float64_layer(name):
    layer = layers.Rescaling(1.0, -1.0, dtype="float64")
    for result in results(name, layer, np.array([[1 + 2**-40]]), 0.0, "float64"):
        np.testing.assert_allclose(np.ravel(result), [2**-40], rtol=1e-3)


def test_ids_above_the_integers_of_float32_reach_an_embedding():
    seen = []

    class Look(layers.Layer):
        def __init__(self):
            super().__init__(autocast=False)

        def call(self, x):
            if not isinstance(x, keras.KerasTensor):  # building is symbolic
                seen.append(ops.dtype(x))
            return ops.cast(x, "float32")

    model = keras.Sequential([Look()])
    model.predict(np.array([[2**24 + 1]], "int32"), verbose=0)
    model(np.array([[2**24 + 1]], "int32"))
    assert set(seen) == {"int32"}


def test_other_layers_cast_as_before(mixed):
    class Look(layers.Layer):
        def call(self, x):
            assert ops.dtype(x) == "float16"
            return x

    x = np.ones((1, 2), "float32")
    for make in MODELS.values():
        assert ops.dtype(make(Look(), (2,))(x)) == "float16"


def test_what_a_model_computes_itself_is_not_rounded(mixed):
    class Scale(keras.Model):
        def call(self, x):
            return x / 1e5

    for data in (np.array([[2e5]], "float32"), np.array([[2e5]])):  # NumPy's default was not chosen
        y = Scale()(data)
        assert ops.dtype(y) == "float32" and float(ops.convert_to_numpy(y)[0, 0]) == 2.0


def test_numpys_default_dtype_is_no_choice_of_float64():
    class Double(keras.Model):
        def call(self, x):
            return x * 2

    assert ops.dtype(Double()(np.ones((1, 2)))) == "float32"
    assert Double().predict(np.ones((1, 2)), verbose=0).dtype == "float32"


WRAPPERS = {
    "time distributed": (layers.TimeDistributed, layers.Rescaling, (1e-5,)),
    "rnn": (
        layers.RNN,
        layers.SimpleRNNCell,
        (1, None, True, keras.initializers.Constant(1e-5)),
    ),
    "stacked": (
        lambda inner: layers.RNN(layers.StackedRNNCells([inner]), dtype="float32"),
        layers.SimpleRNNCell,
        (1, None, True, keras.initializers.Constant(1e-5)),
    ),
    "bidirectional": (
        lambda inner: layers.Bidirectional(inner, "ave"),
        layers.SimpleRNN,
        (1, None, True, keras.initializers.Constant(1e-5)),
    ),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_leaves_the_cast_to_the_layer_inside(name, mixed):
    wrap, cls, arguments = WRAPPERS[name]
    y = wrap(cls(*arguments, dtype="float32"))(np.array([[[2e5]]], "float32"))
    np.testing.assert_allclose(ops.convert_to_numpy(y).ravel(), [2.0], rtol=1e-3)
