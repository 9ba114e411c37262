"""Results of symbolic calls of composites are remembered: by all that they depend on."""

import pytest

import keras_fn as keras
from keras_fn import KerasTensor, ops
from keras_fn.errors import DTypeError
from keras_fn.ops import _inference_memo
from keras_fn.ops._op import get_op


@pytest.fixture
def calls(monkeypatch):
    """Counts how often the body of `ops.logsumexp` or another composite runs."""
    counted = []

    def count(function):
        memo = _inference_memo.InferenceMemo(get_op(function).body, True)
        body = memo.body
        memo.body = lambda *args, **kwargs: counted.append(1) or body(*args, **kwargs)
        monkeypatch.setattr(get_op(function), "inferred", memo)
        return counted

    return count


def test_a_body_runs_once_for_equal_specs_and_options(calls):
    counted = calls(ops.moments)
    first, second = (ops.moments(KerasTensor((2, 3)), [0]) for _ in range(2))
    assert len(counted) == 1 and [x.shape for x in second] == [(3,), (3,)]
    assert not {id(x) for x in first} & {id(x) for x in second}  # each call has its own tensors
    for x, axes in (((2, 4), [0]), ((2, 3), [1]), ((None, 3), [0]), ((2, 3), (0,))):
        ops.moments(KerasTensor(x), axes)
    ops.moments(KerasTensor((2, 3), "float16"), [0])
    ops.moments(KerasTensor((2, 3)), [0], keepdims=True)
    assert len(counted) == 7


def test_settings_and_kinds_of_numbers_are_part_of_the_call(calls):
    counted = calls(ops.batch_normalization)
    x, mean = KerasTensor((2, 3)), KerasTensor((3,))
    for axis in (1, True):
        ops.batch_normalization(x, mean, mean, axis)
    assert len(counted) == 2
    ops.batch_normalization(x, keras.Variable([0.0, 0.0, 0.0]), mean, 1)
    assert len(counted) == 3
    keras.config.set_floatx("float64")
    try:
        ops.batch_normalization(x, mean, mean, 1)
    finally:
        keras.config.set_floatx("float32")
    assert len(counted) == 4


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX alone has a switch for 64 bits")
def test_results_are_not_taken_from_calls_with_other_widths():
    import jax

    x = KerasTensor((2,), "int32")
    for width in (32, 64, 32):
        with jax.enable_x64(width == 64):
            assert ops.one_hot(x, 4, dtype="float64").dtype == f"float{width}"


def test_errors_are_not_remembered(calls):
    counted = calls(ops.moments)
    for _ in range(2):
        with pytest.raises((DTypeError, ValueError)):
            ops.moments(KerasTensor((2, 3)), [5])
    assert len(counted) == 2


def test_sparse_results_and_names_of_axes_are_not_taken_from_other_calls():
    for sparse in (False, True, False):
        assert ops.relu(KerasTensor((2, 3), sparse=sparse)).sparse is sparse
    for name in ("time", "words"):
        x = keras.Input((name, 3))
        assert keras.layers.Activation("gelu")(x).dim_names[1] == name


def test_the_memo_is_bounded(calls, monkeypatch):
    monkeypatch.setattr(_inference_memo, "_LIMIT", 3)
    calls(ops.moments)
    for size in range(1, 9):
        ops.moments(KerasTensor((size, 3)), [0])
    assert len(get_op(ops.moments).inferred._known) <= 3


def test_types_of_items_are_checked_each_time():
    x = KerasTensor((2, 3))
    assert ops.reshape(x, (3, 2)).shape == (3, 2)
    for wrong in ((3.0, 2), ("3", 2)):
        with pytest.raises((TypeError, ValueError)):
            ops.reshape(x, wrong)
