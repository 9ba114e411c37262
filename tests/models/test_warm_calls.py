"""Calls of a model with inputs that it has seen before, which skip the checks of the first one."""

import numpy as np
import pytest
import scipy.sparse

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.sparse import is_sparse


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


def test_sparse_inputs_become_dense_after_warm_calls_with_dense_ones():
    seen = []

    class Noted(layers.Layer):
        def call(self, inputs):
            seen.append(is_sparse(inputs))
            return inputs

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Noted()(inputs))
    dense = ops.convert_to_tensor(numbers())
    sparse = ops.convert_to_tensor(scipy.sparse.csr_matrix(numbers()))
    assert is_sparse(sparse)
    for x in (dense, dense, dense, sparse, sparse):
        np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), numbers())
    assert not any(seen)


def test_inputs_are_matched_once_for_each_spec():
    a, b = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([a, b], layers.Add()([a, b]))
    binder, calls = model.input_binder, []
    bind = binder.bind
    binder.bind = lambda inputs: (calls.append(1), bind(inputs))[1]
    xs = [ops.convert_to_tensor(numbers())] * 2
    for _ in range(3):
        model(xs)
    calls.clear()
    model(xs)
    assert len(calls) == 1


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


class Brightened(layers.Layer):
    """A layer of a program, with a layer inside that transforms unless the mode is inference."""

    def __init__(self):
        super().__init__()
        self.inner = layers.RandomBrightness(0.5, seed=1)

    def call(self, inputs):
        return self.inner(inputs)


class BrightenedByDefault(Brightened):
    """The same with a mode of its own."""

    def call(self, inputs, *others, training=False):
        return self.inner(inputs)


def test_layers_inside_have_the_mode_of_the_first_call_in_warm_calls():
    image = np.full((1, 2, 2, 3), 127.5, "float32")
    x = ops.convert_to_tensor(image)
    inputs = keras.Input((2, 2, 3))
    model = keras.Model(inputs, Brightened()(inputs))
    sequential = keras.Sequential([keras.Input((2, 2, 3)), Brightened()])
    layer, of_several = BrightenedByDefault(), BrightenedByDefault()
    for call in (model, sequential, layer, lambda x, **options: of_several(x, x, **options)):
        for _ in range(4):
            np.testing.assert_array_equal(ops.convert_to_numpy(call(x)), image)
        assert (ops.convert_to_numpy(call(x, training=True)) != image).all()


@pytest.mark.skipif(keras.config.backend() != "torch", reason="nested tensors of PyTorch")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_padded_after_warm_calls_with_others():
    import torch

    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, layers.Identity()(inputs))
    for _ in range(3):
        model(torch.ones(2, 4, 3))
    for layout in (torch.strided, torch.jagged):
        rows = [torch.ones(2, 3), torch.ones(4, 3)]
        found = model(torch.nested.nested_tensor(rows, layout=layout))
        assert found.sum(-1).tolist() == [[3, 3, 0, 0], [3, 3, 3, 3]]
