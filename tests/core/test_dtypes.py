"""Dtype names and promotion."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.core import dtypes

NAMES = {
    "b": "bool", "u1": "uint8", "u2": "uint16", "u4": "uint32", "i1": "int8", "i2": "int16",
    "i4": "int32", "i8": "int64", "bf": "bfloat16", "f2": "float16", "f4": "float32",
    "f8": "float64",
}  # fmt: skip

# `jax.numpy.promote_types` of each pair, noted from JAX with x64 on.
LATTICE = """
     b u1 u2 u4 i1 i2 i4 i8 bf f2 f4 f8
b    b u1 u2 u4 i1 i2 i4 i8 bf f2 f4 f8
u1  u1 u1 u2 u4 i2 i2 i4 i8 bf f2 f4 f8
u2  u2 u2 u2 u4 i4 i4 i4 i8 bf f2 f4 f8
u4  u4 u4 u4 u4 i8 i8 i8 i8 bf f2 f4 f8
i1  i1 i2 i4 i8 i1 i2 i4 i8 bf f2 f4 f8
i2  i2 i2 i4 i8 i2 i2 i4 i8 bf f2 f4 f8
i4  i4 i4 i4 i8 i4 i4 i4 i8 bf f2 f4 f8
i8  i8 i8 i8 i8 i8 i8 i8 i8 bf f2 f4 f8
bf  bf bf bf bf bf bf bf bf bf f4 f4 f8
f2  f2 f2 f2 f2 f2 f2 f2 f2 f4 f2 f4 f8
f4  f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f8
f8  f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8
"""
_HEAD, *_ROWS = [line.split() for line in LATTICE.strip().splitlines()]
PAIRS = {
    (row[0], column): result for row in _ROWS for column, result in zip(_HEAD, row[1:], strict=True)
}


@pytest.mark.parametrize("first", _HEAD)
def test_two_dtypes_meet_where_jax_says(first):
    ours = {b: dtypes.result_type(NAMES[first], NAMES[b]) for b in _HEAD}
    assert ours == {b: NAMES[PAIRS[first, b]] for b in _HEAD}


# A tensor of the dtype and True, 1 or 1.0; where JAX takes its default float, Keras takes floatx.
WITH_NUMBERS = {
    "bool": ("bool", "int32", "float32"),
    "uint8": ("uint8", "uint8", "float32"),
    "int64": ("int64", "int64", "float32"),
    "bfloat16": ("bfloat16", "bfloat16", "bfloat16"),
    "float16": ("float16", "float16", "float16"),
    "float64": ("float64", "float64", "float64"),
}


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_a_python_number_gives_way_to_a_dtype_of_its_kind(name):
    ours = tuple(dtypes.result_type(name, kind) for kind in (bool, int, float))
    assert ours == WITH_NUMBERS[name]


def test_numbers_alone_are_int32_or_floatx():
    assert dtypes.result_type(int) == "int32"
    assert dtypes.result_type(bool) == "bool"
    keras.config.set_floatx("float16")
    try:
        assert dtypes.result_type(int, float) == "float16"
        assert dtypes.result_type("int8", float) == "float16"
        assert dtypes.result_type() == "float16"
    finally:
        keras.config.set_floatx("float32")
    assert dtypes.result_type(int, float) == "float32"


def test_the_order_of_three_dtypes_does_not_matter():
    assert dtypes.result_type("uint8", "int8", "float16") == "float16"
    assert dtypes.result_type("float16", "int8", "uint8") == "float16"
    assert dtypes.result_type("bfloat16", "float16", int) == "float32"


def test_every_form_of_a_dtype_has_its_name():
    forms = [None, float, np.float32, np.dtype("float32"), "float32", ops.ones(1).dtype]
    assert {dtypes.standardize_dtype(form) for form in forms} == {"float32"}
    assert dtypes.standardize_dtype(bool) == dtypes.standardize_dtype(np.bool_) == "bool"
    assert dtypes.standardize_dtype(int) == "int32"
    assert dtypes.standardize_dtype(str) == dtypes.standardize_dtype(np.str_) == "string"


@pytest.mark.parametrize("wrong", ["float31", "", object(), 3, list])
def test_what_is_no_dtype_is_refused(wrong):
    with pytest.raises(ValueError, match="a dtype: one of bool, int8"):
        dtypes.standardize_dtype(wrong)


def test_sums_of_small_integers_are_wider():
    names = ["bool", "int8", "uint8", "uint16", "int64", "float16"]
    wide = ["int32", "int32", "uint32", "uint32", "int64", "float16"]
    assert [dtypes.accumulator_type(n) for n in names] == wide


def test_kinds_and_sizes():
    assert dtypes.is_float_dtype("bfloat16") and not dtypes.is_float_dtype("complex64")
    assert dtypes.is_int_dtype(np.uint8) and not dtypes.is_int_dtype(bool)
    assert [dtypes.itemsize(n) for n in ("bfloat16", "float8_e5m2", "int64")] == [2, 1, 8]


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32"])
def test_a_quotient_with_a_number_keeps_the_float_dtype(name):
    x = ops.cast([1.0, 3.0], name)
    for quotient in (ops.divide_no_nan(x, 2.0), ops.divide_no_nan(x, 2), x / 2):
        assert ops.dtype(quotient) == name
        assert ops.convert_to_numpy(ops.cast(quotient, "float32")).tolist() == [0.5, 1.5]
    assert ops.divide_no_nan(keras.KerasTensor((2,), name), 2.0).dtype == name
    zero = ops.divide_no_nan(x, 0.0)
    assert ops.dtype(zero) == name
    assert ops.convert_to_numpy(ops.cast(zero, "float32")).tolist() == [0.0, 0.0]
    assert ops.dtype(ops.divide_no_nan(2.0, x)) == name


def test_normalizing_zeros_and_large_values_in_float16_stays_finite():
    x = ops.cast([[0.0, 0.0], [300.0, 400.0], [3e-4, 4e-4]], "float16")
    unit = ops.normalize(x)
    assert ops.dtype(unit) == "float16"
    expected = [[0.0, 0.0], [0.6, 0.8], [0.6, 0.8]]
    np.testing.assert_allclose(ops.convert_to_numpy(unit).astype("float32"), expected, atol=2e-3)
    assert ops.normalize(keras.KerasTensor((None, 2), "float16")).dtype == "float16"
