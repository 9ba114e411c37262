"""Calls of a model with inputs that it has seen before, which skip the checks of the first one."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops


@pytest.fixture
def model():
    inputs = keras.Input((3,))
    x = layers.BatchNormalization()(layers.Dense(4, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(2)(layers.Dropout(0.5)(x)))


def numbers(dtype: str = "float32") -> np.ndarray:
    return np.arange(6).reshape(2, 3).astype(dtype)


def test_inputs_of_another_dtype_are_cast_in_each_call(model):
    expected = ops.convert_to_numpy(model(numbers()))
    for dtype in ("float32", "int32", "float16"):
        x = ops.convert_to_tensor(numbers(dtype))
        for _ in range(4):
            np.testing.assert_allclose(ops.convert_to_numpy(model(x)), expected, rtol=1e-6)


def test_another_plan_runs_after_warm_calls(model):
    x = ops.convert_to_tensor(numbers())
    for _ in range(4):
        model(x)

    class Plan:
        def run(self, values, training=None, masks=None):
            return [values[0]]

    with model.substitute_plan(Plan()):
        found = ops.convert_to_numpy(model(x))
    np.testing.assert_array_equal(found, numbers())


def test_a_layer_sees_inference_in_warm_calls():
    modes = []

    class Noted(layers.Layer):
        def call(self, inputs, training=None):
            modes.append(training)
            return inputs

    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dropout(0.5)(Noted()(inputs)))
    modes.clear()
    x = ops.convert_to_tensor(numbers())
    for _ in range(4):
        np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), numbers())
    model(x, training=True)
    assert modes == [False] * 4 + [True]
