"""Cases of one-hot and multi-hot encoding."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import Case, OneOf, Refusal, array, case, refusal, tensor


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    return np.stack([np.asarray(x == i, "float64") for i in range(num_classes)], axis)


def multi_hot(x: Any, num_classes: int, axis: int = -1) -> Any:
    first, place = int(x.ndim > 1), axis % (x.ndim + 1)
    place -= place > first  # the axis of the integers is reduced away
    return np.stack([np.any(x == i, first) for i in range(num_classes)], place).astype("float64")


CASES: list[Case] = [
    case(
        "one_hot",
        tensor("...", -1, 4, "int32"),
        OneOf([1, 4]),
        ref=one_hot,
        dtypes=("float32",),
        result_dtype="float32",
        axis=OneOf([-1, 0]),
    ),
    case(
        "one_hot",
        tensor("a", -1, 4, "int8"),
        3,
        ref=one_hot,
        dtypes=("float32",),
        result_dtype="int32",
        dtype="int32",
    ),
    case(
        "multi_hot",
        tensor("a", -1, 4, "int32"),
        3,
        ref=multi_hot,
        dtypes=("float32",),
        result_dtype="float32",
        min_size=1,
    ),
    case(
        "multi_hot",
        tensor("a b", -1, 4, "int32"),
        3,
        ref=multi_hot,
        dtypes=("float32",),
        result_dtype="float32",
        axis=OneOf([-1, 0, 1]),
        min_size=1,
    ),
    case(
        "multi_hot",
        tensor("a b c", -1, 4, "int32"),
        3,
        ref=multi_hot,
        dtypes=("float32",),
        result_dtype="float32",
        axis=OneOf([-1, 0, 1, 2]),
        min_size=1,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("one_hot", array([1, 2]), 3, axis=4, match="an axis from -2 to 1"),
    refusal("multi_hot", array([1, 2]), match="num_classes"),
    refusal("multi_hot", array([1, 2]), 3, tokens=1, match="num_classes"),
]
