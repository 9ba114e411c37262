"""`saturate_cast` from every dtype to every other one."""

import math

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.dtypes import is_float, limits, numpy_dtype
from keras_fn.testing.conformance.assertions import has_dtype

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
          "float16", "bfloat16", "float32", "float64")  # fmt: skip
NUMBERS = (0, 1, 2, 100, 300, -1, -5, -300, 70_000, -70_000, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
           2**62, -(2**31), -(2**40))  # fmt: skip


def values_of(dtype):
    """Numbers of a dtype, among them its limits."""
    low, high = limits(dtype)
    numbers = [low, high, *NUMBERS]
    if is_float(dtype):
        with np.errstate(over="ignore"):
            return np.array([*numbers, 1.5, -0.5, math.inf, -math.inf]).astype(numpy_dtype(dtype))
    return np.array([n for n in numbers if low <= n <= high], numpy_dtype(dtype))


def saturated(x, source, target):
    """The nearest number of the target dtype, by Python's integers and floats."""
    (low, high), number = limits(target), float(x) if is_float(source) else int(x)
    if is_float(source) and is_float(target):
        low, high = max(low, limits(source)[0]), min(high, limits(source)[1])
    number = min(max(number, low), high)
    return number if is_float(target) else int(number)


@pytest.mark.parametrize("target", [name for name in DTYPES if has_dtype(name)])
def test_what_is_out_of_range_becomes_the_nearest_number(target):
    for source in filter(has_dtype, DTYPES):
        x = values_of(source)
        actual = ops.convert_to_numpy(ops.saturate_cast(ops.convert_to_tensor(x), target))
        expected = [saturated(n, source, target) for n in x.tolist()]
        expected = np.array(expected, "float64" if is_float(target) else object)
        assert actual.dtype == numpy_dtype(target)
        np.testing.assert_array_equal(actual, expected.astype(numpy_dtype(target)), source)


def test_nan_is_0_as_an_integer_and_stays_as_a_float():
    x = np.array([math.nan, 3.0], "float32")
    assert ops.convert_to_numpy(ops.saturate_cast(x, "uint32")).tolist() == [0, 3]
    assert np.isnan(ops.convert_to_numpy(ops.saturate_cast(x, "float16"))[0])
