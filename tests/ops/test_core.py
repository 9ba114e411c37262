"""Conversion, shape, size and dtype of tensors."""

import sys

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.errors import SpecError


@pytest.mark.parametrize("make", [ops.array, ops.convert_to_tensor])
def test_arrays_and_numbers_are_converted_to_tensors(make):
    for value, dtype in (([1.0], "float32"), ([1], "int32"), (True, "bool"), (2, "int32")):
        x = make(value)
        assert ops.is_tensor(x)
        assert ops.dtype(x) == dtype
        np.testing.assert_array_equal(ops.convert_to_numpy(x), value)
    assert ops.dtype(make([1], dtype="bfloat16")) == "bfloat16"
    assert ops.dtype(make(keras.Variable([1.0]), dtype="int32")) == "int32"


@pytest.mark.parametrize("make", [ops.array, ops.convert_to_tensor])
def test_keras_tensors_stay_symbolic(make):
    x = keras.Input((3,))
    assert make(x) is x
    assert (make(x, dtype="int32").shape, make(x, dtype="int32").dtype) == ((None, 3), "int32")


def test_size_counts_elements():
    assert int(ops.size(np.ones((2, 3)))) == 6
    assert int(ops.size(3.0)) == 1
    assert ops.dtype(ops.size([1, 2])) == "int32"
    for shape in ((2, 3), (None, 3)):
        x = keras.KerasTensor(shape)
        assert (ops.size(x).shape, ops.size(x).dtype) == ((), "int32")


def test_shape_ndim_dtype():
    x = keras.KerasTensor((None, 3), "int8")
    assert (ops.shape(x), ops.ndim(x), ops.dtype(x)) == ((None, 3), 2, "int8")
    assert (ops.shape([[1, 2]]), ops.ndim(1.0), ops.dtype(1.0)) == ((1, 2), 0, "float32")
    assert not ops.is_tensor(x)
    assert not ops.is_tensor([1.0])


def test_a_copy_shares_no_memory():
    v = keras.Variable([1.0, 2.0])
    before = ops.copy(v)
    v.assign([5.0, 6.0])
    assert ops.convert_to_numpy(before).tolist() == [1.0, 2.0]


def test_aliases_are_the_same_object():
    assert ops.get_item is ops.getitem
    assert ops.get_item(np.arange(3), 1) == 1


def test_keras_tensors_cannot_be_converted_to_numpy():
    with pytest.raises(TypeError):
        ops.convert_to_numpy(keras.Input((3,)))


def test_unstack_requires_num_if_the_size_is_unknown():
    with pytest.raises(SpecError, match="pass num="):
        ops.unstack(keras.Input((3,)))
    assert [x.shape for x in ops.unstack(keras.Input((3,)), num=2)] == [(3,), (3,)]


BODIES = {
    "diag": (np.float32([1.0, 2.0]), 1),
    "diagonal": (np.arange(12).reshape(3, 4), -1),
    "dynamic_slice": (np.arange(12).reshape(3, 4), [2, 1], (2, 2)),
    "dynamic_slice_update": (np.arange(12).reshape(3, 4), [2, 1], np.full((2, 2), 99)),
    "inner": (np.arange(4), np.arange(4)),
    "nonzero": (np.eye(3),),
    "roll": (np.arange(12).reshape(3, 4), (1, -2), (0, 1)),
    "segment_max": (np.float32([1.0, 2.0, 3.0]), np.array([0, -1, 7]), 2),
    "segment_min": (np.array([1, 2, 3]), np.array([0, 0, 2]), 2),
    "segment_prod": (np.float32([1.0, 2.0, 3.0]), np.array([1, 1, 0]), 3),
    "segment_sum": (np.float32([1.0, 2.0, 3.0]), np.array([1, 1, -2]), 3),
    "tril": (np.arange(12).reshape(3, 4), 1),
    "triu": (np.arange(12).reshape(3, 4), -1),
    "unravel_index": (np.array([5, -1, 99]), (2, 3)),
    "vdot": (np.arange(4), np.arange(4)),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_body_of_a_composite_matches_its_override(name):
    from keras_fn.core.operators import OPS

    args = [current().convert_to_tensor(x) if hasattr(x, "shape") else x for x in BODIES[name]]
    override, body = OPS[name](*args), OPS[name].op.fn(*args)
    for a, b in zip(keras.tree.flatten(override), keras.tree.flatten(body), strict=True):
        assert ops.dtype(a) == ops.dtype(b)
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def test_a_symbolic_call_is_dispatched_once():
    calls = []

    def record(frame, event, _):
        if event == "call":
            calls.append(frame.f_code.co_name)

    x = keras.Input((3,))
    sys.setprofile(record)
    try:
        result = ops.matmul(x, np.ones((3, 2), "float32"))
    finally:
        sys.setprofile(None)
    assert result.shape == (None, 2)
    assert calls.count("slow_path") == 1
    assert calls.count("infer") == 1


def test_a_slice_of_unknown_size_in_a_layer():
    class Positions(keras.layers.Layer):
        def build(self, input_shape):
            self.table = self.add_weight(shape=(8, 2))

        def call(self, x):
            return x + ops.slice(self.table, (0, 0), (ops.shape(x)[1], 2))

    x = keras.Input((None, 2))
    model = keras.Model(x, Positions()(x))
    assert model.output_shape == (None, None, 2)
    assert model.predict(np.ones((1, 3, 2)), verbose=0).shape == (1, 3, 2)
