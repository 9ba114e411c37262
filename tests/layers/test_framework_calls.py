"""Layers whose `call` uses the framework's own functions: shapes come from abstract evaluation."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

BACKEND = keras.config.backend()
if BACKEND == "jax":
    import jax
    import jax.numpy as jnp

    def project(x, w):
        return jnp.einsum("...i,ij->...j", jax.nn.relu(x), w)
elif BACKEND == "torch":
    import torch

    def project(x, w):
        return torch.matmul(torch.relu(x), w)
else:
    import tensorflow as tf

    def project(x, w):
        return tf.matmul(tf.nn.relu(x), w)


class Project(layers.Layer):
    """A weight, a counter, a random draw and a framework's own functions."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.seed = keras.random.SeedGenerator(1)
        self.ran = []

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), "ones", name="kernel")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def call(self, inputs):
        self.ran.append(type(inputs).__name__)
        self.count.assign_add(1.0)
        y = project(inputs, self.kernel)
        return y + 0.0 * ops.cast(keras.random.uniform((1,), seed=self.seed), ops.dtype(y))


def numbers(x):
    return ops.convert_to_numpy(x).tolist()


@pytest.mark.parametrize("shape", [(4,), (None, 4)])
def test_a_symbolic_call_infers_and_keeps_unknown_sizes(shape):
    y = Project(3)(keras.Input(shape))
    assert (y.shape, y.dtype) == ((None, *shape[:-1], 3), "float32")


def test_a_symbolic_call_changes_no_weight_and_no_seed():
    layer = Project(3)
    layer(keras.Input((4,)))
    assert float(layer.count.numpy()) == 0.0
    assert layer.seed.state.numpy().tolist() == [1, 0]
    assert layer.kernel.numpy().tolist() == [[1.0] * 3] * 4


def test_the_layer_trains_in_a_model_like_any_other():
    x = keras.Input((4,))
    layer = Project(2)
    model = keras.Model(x, layers.Dense(1)(layer(x)))
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    data = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    target = np.maximum(data, 0).sum(axis=1, keepdims=True)
    history = model.fit(data, target, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert float(layer.count.numpy()) == 3.0
    assert np.ptp(layer.kernel.numpy()) > 0


def test_a_call_on_values_runs_the_function_once():
    layer = Project(2)
    y = layer(np.array([[1.0, -5.0]], "float32"))
    assert numbers(y) == [[1.0, 1.0]]
    assert len(layer.ran) == 1 and float(layer.count.numpy()) == 1.0


def test_a_model_of_it_gives_its_values():
    x = keras.Input((2,))
    model = keras.Model(x, Project(2)(x))
    assert numbers(model(np.array([[1.0, -5.0], [2.0, 3.0]], "float32"))) == [[1, 1], [5, 5]]


def test_several_inputs_and_outputs_keep_their_structure():
    class Pair(layers.Layer):
        def call(self, inputs):
            first = project(inputs["a"], np.ones((2, 3), "float32") if BACKEND != "torch"
                            else ops.ones((2, 3)))  # fmt: skip
            return {"z": first, "b": [inputs["b"] * 2.0]}

    result = Pair()({"b": keras.Input((5,)), "a": keras.Input((2,))})
    assert list(result) == ["z", "b"]
    assert (result["z"].shape, result["b"][0].shape) == ((None, 3), (None, 5))


def test_an_error_of_the_framework_comes_through():
    class Wrong(layers.Layer):
        def call(self, inputs):
            return project(inputs, ops.ones((7, 2)))

    with pytest.raises(Exception) as caught:
        Wrong()(keras.Input((4,)))
    assert "7" in str(caught.value)


def test_mixed_precision_reaches_the_frameworks_functions():
    layer = Project(3, dtype="mixed_bfloat16")
    y = layer(keras.Input((4,)))
    assert (y.dtype, layer.kernel.dtype) == ("bfloat16", "float32")
    assert ops.dtype(layer(np.ones((1, 4), "float32"))) == "bfloat16"
