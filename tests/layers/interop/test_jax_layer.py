"""Functions of JAX as layers, and modules of a stand-in for Flax."""

import sys
import types

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current

if current().name == "torch":
    pytest.skip("functions of JAX", allow_module_level=True)
pytest.importorskip("jax")  # which runs them on TensorFlow, too

import jax
import jax.numpy as jnp

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def noisy_dense(params, state, rng, inputs, training):
    y = inputs @ params["w"] + params["b"]
    if training:
        y = jnp.where(jax.random.bernoulli(rng, 0.5, y.shape), y, 0)
    return y, {"calls": state["calls"] + 1}


def init_noisy_dense(rng, inputs):
    w = jax.random.normal(rng, (inputs.shape[-1], 2))
    return {"w": w, "b": jnp.zeros(2)}, {"calls": 0}


def scale(params, inputs):
    return inputs * params


def test_a_function_with_state_and_keys_is_trained_and_its_weights_go_to_a_file(tmp_path):
    layer = layers.JaxLayer(noisy_dense, init_noisy_dense, seed=3)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 2)
    shapes = [(tuple(v.shape), v.dtype, v.trainable) for v in layer.weights]
    assert shapes == [((2,), "float32", True), ((3, 2), "float32", True), ((), "int32", False)]
    before = layer.get_weights()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((4, 2)), verbose=0)
    b, w, calls = layer.get_weights()
    assert not np.allclose(w, before[1]) and calls == 1
    still = model.predict(X, verbose=0)
    np.testing.assert_allclose(still, X @ w + b, rtol=1e-4, atol=1e-5)
    assert int(layer.state["calls"].value) == 2
    model.save_weights(tmp_path / "model.weights.h5")
    other = keras.Model(inputs, layers.JaxLayer(noisy_dense, init_noisy_dense)(inputs))
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(other.predict(X, verbose=0), still, atol=1e-6)


def test_parameters_can_be_passed_and_a_function_may_have_none():
    layer = layers.JaxLayer(scale, params=np.float32(2.0))
    np.testing.assert_array_equal(layer(X), X * 2)
    assert layer(keras.Input((3,))).shape == (None, 3)
    assert layers.JaxLayer(lambda inputs: inputs + 1)(keras.Input((3,))).shape == (None, 3)
    half = layers.JaxLayer(scale, params=np.float32(2.0), dtype="mixed_bfloat16")
    assert half(X).dtype == half(keras.Input((3,))).dtype == "bfloat16"


def test_a_named_function_is_saved_and_loaded(tmp_path):
    def init(rng, inputs):
        return jnp.ones(())

    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.JaxLayer(scale, init)(inputs))
    model.layers[1].set_weights([3.0])
    named = {"scale": scale, "init": init}
    with keras.saving.custom_object_scope(named):
        model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects=named)
    np.testing.assert_allclose(again.predict(X, verbose=0), X * 3, rtol=1e-6)
    with pytest.raises(TypeError, match="scale"):
        keras.models.load_model(tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"call_fn": lambda x: x}, "call_fn"),
        ({"call_fn": scale}, "init_fn"),
        ({"call_fn": scale, "init_fn": lambda shape: shape}, "init_fn"),
    ],
)
def test_functions_with_other_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=rf"JaxLayer\n(.|\n)*{message}"):
        layers.JaxLayer(**arguments)


class FlaxDense:
    """What `FlaxLayer` uses of a `flax.linen.Module`: a dense layer that counts its calls."""

    def init(self, rngs, inputs, method=None, training=None):
        w = jax.random.normal(rngs["params"], (inputs.shape[-1], 2))
        return {"params": {"w": w}, "counts": {"calls": jnp.zeros((), "int32")}}

    def apply(self, variables, inputs, rngs=None, method=None, mutable=False, training=None):
        y = inputs @ variables["params"]["w"]
        if training:
            y = y * jax.random.uniform(rngs["dropout"], ())
        assert mutable == "all but params"
        return y, {"counts": {"calls": variables["counts"]["calls"] + 1}}

    def __call__(self, inputs, training):
        """Only its signature is read."""


def test_a_module_of_flax_is_a_layer(monkeypatch):
    core = types.ModuleType("flax.core")
    core.DenyList = lambda names: f"all but {names[0]}"
    monkeypatch.setitem(sys.modules, "flax", types.ModuleType("flax"))
    monkeypatch.setitem(sys.modules, "flax.core", core)
    layer = layers.FlaxLayer(FlaxDense(), seed=1)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    assert [v.trainable for v in layer.weights] == [True, False]
    w = layer.get_weights()[0]
    np.testing.assert_allclose(ops.convert_to_numpy(model(X)), X @ w, atol=1e-5)
    assert int(layer.get_weights()[1]) == 1
    model.compile("sgd", "mse")
    model.fit(X, np.ones((4, 2)), verbose=0)
    assert not np.allclose(layer.get_weights()[0], w)
    passed = layers.FlaxLayer(FlaxDense(), variables={"params": {"w": w}, "counts": {"calls": 0}})
    np.testing.assert_allclose(ops.convert_to_numpy(passed(X)), X @ w, atol=1e-5)
