"""What a program gets as NumPy arrays is its own: it can be written to, and changes nothing."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")


def build():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    h = layers.BatchNormalization()(layers.Dense(4)(inputs))
    model = keras.Model(inputs, {"a": h, "b": layers.Dense(1)(h)})
    model.compile("sgd", {"a": "mse", "b": "mse"})
    return model


RESULTS = {
    "predict": lambda m: m.predict(X, verbose=0),
    "predict in one batch": lambda m: m.predict(X, batch_size=64, verbose=0),
    "predict with a callback": lambda m: m.predict(
        X, batch_size=64, callbacks=[keras.callbacks.Callback()], verbose=0
    ),
    "predict_on_batch": lambda m: m.predict_on_batch(X),
    "predict_function": lambda m: m.make_predict_function()(iter([(X,)])),
    "get_weights": lambda m: m.get_weights(),
    "weights of a layer": lambda m: m.layers[1].get_weights(),
    "numpy": lambda m: [v.numpy() for v in m.weights],
    "asarray": lambda m: [np.asarray(v) for v in m.weights],
    "convert_to_numpy": lambda m: [ops.convert_to_numpy(v) for v in m.weights],
    "state tree": lambda m: m.get_state_tree("numpy_array")["trainable_variables"],
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_can_be_written_to(name):
    model = build()
    before = keras.tree.map_structure(np.copy, RESULTS[name](model))
    found = RESULTS[name](model)
    for array in keras.tree.flatten(found):
        assert type(array) is np.ndarray
        array[array < 0.5] = -7
        array[...] = 3
    again = RESULTS[name](model)
    for a, b in zip(keras.tree.flatten(before), keras.tree.flatten(again), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool", "bfloat16", "float16", "uint8"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0)])
def test_arrays_of_tensors_can_be_written_to(dtype, shape):
    x = ops.ones(shape, dtype)
    array = ops.convert_to_numpy(x)
    array[...] = 0
    assert array.shape == shape
    np.testing.assert_array_equal(ops.convert_to_numpy(x).astype("float32"), np.ones(shape))


def test_batches_of_outputs_are_copied_once():
    from keras_fn.training.epoch_runner import concat_outputs

    parts = [ops.ones((2, 3)), ops.zeros((1, 3))]
    joined = concat_outputs(parts)
    joined[0] = 5
    assert joined.shape == (3, 3) and joined.base is None
    np.testing.assert_array_equal(ops.convert_to_numpy(parts[0]), np.ones((2, 3)))
