"""Ops on lists of tensors: which calls may take the fast path, and which must not."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.core.scopes import AutocastScope
from keras_fn.errors import SpecError

OPS = [(ops.concatenate, np.concatenate), (ops.stack, np.stack), (ops.hstack, np.hstack)]


def values(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize(("op", "reference"), OPS)
def test_calls_that_differ_from_earlier_ones_leave_the_fast_path(op, reference):
    a, b = np.array([1.5, 2.5], "float32"), np.array([3, 4], "int32")
    x, y = ops.convert_to_tensor(a), ops.convert_to_tensor(b)
    half = ops.cast(x, "bfloat16")
    variable = keras.Variable(a)
    for _ in range(3):  # after the first iteration the dispatch cache is filled
        for tensors, arrays, dtype in (
            ([x, x], [a, a], "float32"),
            ((x, x, x), [a, a, a], "float32"),
            ([y, y], [b, b], "int32"),
            ([x, y], [a, b], "float32"),
            ([y, x], [b, a], "float32"),
            ([half, x], [a, a], "float32"),
            ([half, half], [a, a], "bfloat16"),
            ([x, a], [a, a], "float32"),
            ([a, x], [a, a], "float32"),
            ([x, [7.0, 8.0]], [a, [7.0, 8.0]], "float32"),
            ([variable, variable], [a, a], "float32"),
            ([x, variable], [a, a], "float32"),
        ):
            result = op(tensors)
            assert ops.dtype(result) == dtype
            expected = reference([np.asarray(a, "float64") for a in arrays])
            assert (values(result).astype("float64") == expected).all()
        symbolic = op([x, keras.KerasTensor((2,))])
        assert symbolic.shape == np.shape(reference([a, a]))
        with AutocastScope("bfloat16"):
            assert ops.dtype(op([variable, variable])) == "bfloat16"


def test_options_by_position_and_by_name():
    x = ops.ones((2, 3))
    for _ in range(2):
        assert tuple(ops.concatenate([x, x], -1).shape) == (2, 6)
        assert tuple(ops.concatenate([x, x], axis=1).shape) == (2, 6)
        assert tuple(ops.concatenate(xs=[x, x]).shape) == (4, 3)
        assert tuple(ops.stack(x=[x, x], axis=2).shape) == (2, 3, 2)


def test_incompatible_shapes_raise_the_error_of_the_rule():
    x, y = ops.ones((2, 3)), ops.ones((2, 4))
    for _ in range(2):
        ops.concatenate([x, x])
        with pytest.raises(ValueError, match=r"(?s)concatenate.*expected"):
            ops.concatenate([x, y])


@pytest.mark.parametrize(("op", "reference"), OPS)
def test_a_single_tensor_is_unstacked(op, reference):
    x = np.arange(6, dtype="float32").reshape(2, 3)
    wanted = reference(x).tolist()
    assert values(op(x)).tolist() == wanted
    assert values(op(ops.convert_to_tensor(x))).tolist() == wanted
    assert op(keras.KerasTensor((2, 3))).shape == reference(x).shape


@pytest.mark.parametrize("op", [op for op, _ in OPS])
def test_an_empty_list_is_refused(op):
    with pytest.raises(SpecError, match="at least one tensor"):
        op([])
