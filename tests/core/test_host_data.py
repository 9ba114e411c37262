"""Numbers, arrays and nested lists, as tensors: values, shapes and dtypes."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.errors import DTypeError, SpecError

HALF = np.array([2.0, 3.0], "float16")


def tensor(x):
    return ops.convert_to_tensor(x)


LISTS = {
    "arrays": (lambda: [np.ones(3), np.ones(3)], np.ones((2, 3)), "float32"),
    "arrays of half precision": (lambda: [HALF, HALF], [HALF, HALF], "float16"),
    "array and list": (lambda: [HALF, [4.0, 5]], [HALF, [4, 5]], "float16"),
    "NumPy numbers": (lambda: [np.float64(1), np.float64(2)], [1, 2], "float32"),
    "NumPy integers": (lambda: [np.int8(1), 2], [1, 2], "int8"),
    "NumPy's default integers": (lambda: [np.arange(2), [3, 4]], [[0, 1], [3, 4]], "int32"),
    "number and tensor": (lambda: [1.0, tensor(np.float16(2))], [1, 2], "float16"),
    "integer and tensor": (lambda: [1, tensor(np.uint8(2))], [1, 2], "uint8"),
    "tensors": (lambda: [tensor([1, 2]), tensor([0.5, 1])], [[1, 2], [0.5, 1]], "float32"),
    "nested tensors": (lambda: [[1.0, tensor(2.0)], HALF], [[1, 2], HALF], "float32"),
    "variables": (lambda: (keras.Variable(1.0), keras.Variable(2.0)), [1, 2], "float32"),
    "variable and tensor": (lambda: [keras.Variable(HALF), tensor(HALF)], [HALF, HALF], "float16"),
    "booleans and integers": (lambda: [True, 2], [1, 2], "int32"),
    "booleans": (lambda: [[True], [np.bool_(False)]], [[True], [False]], "bool"),
    "complex numbers": (lambda: [1j, 2.0], [1j, 2], "complex64"),
    "range": (lambda: range(3), [0, 1, 2], "int32"),
    "empty": (list, np.zeros(0), "float32"),
    "empty rows": (lambda: [[], []], np.zeros((2, 0)), "float32"),
    "empty row and tensor": (lambda: [[], tensor([])], np.zeros((2, 0)), "float32"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_a_tensor(name):
    make, expected, dtype = LISTS[name]
    for x in (tensor(make()), ops.reshape(make(), np.shape(expected))):
        assert ops.dtype(x) == dtype
        np.testing.assert_array_equal(ops.convert_to_numpy(x), np.asarray(expected))
    if dtype != "complex64":
        assert ops.dtype(ops.convert_to_tensor(make(), "float16")) == "float16"


def test_integers_of_64_bits():
    if ops.dtype(np.zeros(1, "int64")) != "int64":  # JAX without its 64-bit mode
        with pytest.raises(SpecError, match="64-bit"):
            tensor([2**40])
        return
    for value in (2**40, [2**40, 1], -(2**40)):
        assert ops.dtype(tensor(value)) == "int64"
        np.testing.assert_array_equal(ops.convert_to_numpy(tensor(value)), value)


@pytest.mark.parametrize(
    "value",
    [None, [None, 1.0], {1, 2}, object(), [object()], np.array([None])],
    ids=["None", "list with None", "set", "object", "list with an object", "array of objects"],
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(DTypeError, match=r"A tensor\n  expected: numbers"):
        tensor(value)


@pytest.mark.parametrize("make", [lambda: [[1], [1, 2]], lambda: [tensor([1]), [1, 2]]])
def test_rows_of_different_lengths_are_refused(make):
    with pytest.raises(SpecError, match="elements have one shape"):
        tensor(make())
