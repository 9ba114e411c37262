"""Cases of pooling."""

import math

import numpy as np

from keras_fn.testing.conformance.case import NUMBERS, Case, Refusal, array, case, refusal, tensor
from keras_fn.testing.conformance.table.convolution import (
    F32,
    FIRST,
    IMAGE,
    LAST,
    SAME,
    SEQUENCE,
    channels_last,
    each,
    windows,
)


def pool(reduce, fill):
    @channels_last
    def call(x, pool_size, strides=None, padding="valid"):
        rank = x.ndim - 2
        window = each(pool_size, rank)
        steps = window if strides is None else each(strides, rank)
        view = windows(np.asarray(x, "float64"), window, steps, padding, (1,) * rank, fill)
        return reduce(view, tuple(range(-rank, 0)))

    return call


def adaptive(reduce):
    @channels_last
    def call(x, output_size):
        sizes = x.shape[1:-1]
        wanted = each(output_size, len(sizes))
        out = np.zeros((x.shape[0], *wanted, x.shape[-1]))
        for place in np.ndindex(*wanted):
            box = [
                slice(math.floor(i * n / m), math.ceil((i + 1) * n / m))
                for i, n, m in zip(place, sizes, wanted, strict=True)
            ]
            part = x[(slice(None), *box)]
            out[(slice(None), *place)] = reduce(part, tuple(range(1, len(sizes) + 1)))
        return out

    return call


POOLED = [
    ("b 7 3", 2, {**LAST}),
    ("b 7 5 3", 2, {**SAME, **LAST}),
    ("b 3 7 6", (3, 2), {"strides": (2, 1), **SAME, **FIRST}),
    ("b 6 6 3", 3, {"strides": 2, **SAME, **LAST}),
    ("b 5 4", 2, {"strides": 1, **SAME, **LAST}),
    ("1 4 5 6 2", (2, 3, 2), {"strides": 2, **SAME, **LAST}),
    ("1 2 4 5 6", 2, {**FIRST}),
]

ADAPTIVE = [
    ("b 5 2", 3, LAST),
    ("b 6 2", 3, LAST),
    ("b 3 2", 5, FIRST),
    ("b 5 7 2", (3, 2), LAST),
    ("b 3 4 6", 2, FIRST),
    ("1 3 4 5 2", (2, 3, 5), LAST),
    ("b 1 2", 1, LAST),
]

CASES: list[Case] = [
    *(
        case(
            name, tensor(x), size, ref=pool(f, fill), options=o, dtypes=dtypes, result_dtype=result
        )
        for name, f, fill, dtypes, result in (
            ("max_pool", np.max, -np.inf, (*NUMBERS, "int8", "uint8", "bool"), "same"),
            ("average_pool", np.nanmean, np.nan, NUMBERS, "float"),
        )
        for x, size, o in POOLED
    ),
    *(
        case(name, tensor(x), size, ref=adaptive(f), options=o, result_dtype=result)
        for name, f, result in (
            ("adaptive_average_pool", np.mean, "float"),
            ("adaptive_max_pool", np.max, "same"),
        )
        for x, size, o in ADAPTIVE
    ),
    case(
        "adaptive_average_pool",
        array([[[np.inf], [1.0], [2.0], [np.nan], [3.0]]]),
        4,
        **F32,
        ref=adaptive(np.mean),
        gradient=False,
        **LAST,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("max_pool", array(np.ones((4, 3))), 2, match="rank 3, 4 or 5"),
    refusal("max_pool", SEQUENCE, 5, match=r"hold a window of \(5,\)", **LAST),
    refusal("average_pool", SEQUENCE, 5, match=r"hold a window of \(5,\)", **LAST),
    refusal("adaptive_max_pool", IMAGE, (2, 2, 2), match="or 2, one for each spatial axis"),
    refusal("adaptive_average_pool", IMAGE, 0, match="output_size: a positive integer"),
    refusal("adaptive_average_pool", array(np.ones((4, 3))), 1, match="rank 3, 4 or 5"),
]
