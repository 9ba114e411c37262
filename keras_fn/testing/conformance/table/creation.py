"""Cases of the ops that create tensors."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

MOVED = dict(dtypes=ALL, non_finite=True)


def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    return np.vander(x, N, increasing).astype(x.dtype)


OFFSET = OneOf([0, 1, -1, 2, -3, 5, -5])

ONLY = {"symbolic": False, "jit": False, "gradient": False, "dtypes": ("float32",)}

FILLED = {"zeros": np.zeros, "ones": np.ones, "empty": np.zeros}

CASES: list[Case] = [
    case("diagonal", tensor("a b"), OFFSET, ref=np.diagonal, **MOVED),
    case(
        "diagonal",
        tensor("a b c d"),
        OneOf([0, 1, -1]),
        ref=np.diagonal,
        axis1=OneOf([0, -1]),
        axis2=OneOf([1, 2]),
    ),
    case("diag", tensor("a"), OFFSET, ref=np.diag, **MOVED),
    case("diag", tensor("a b"), OFFSET, ref=np.diag, **MOVED),
    case("diagflat", tensor("..."), OneOf([0, 1, -2]), ref=np.diagflat, rank=(1, 3), **MOVED),
    case("tril", tensor("... a b"), OFFSET, ref=np.tril, rank=(0, 2), **MOVED),
    case("triu", tensor("... a b"), OFFSET, ref=np.triu, rank=(0, 2), **MOVED),
    case("vander", tensor("a"), ref=vander, min_size=1),
    case("vander", tensor("a"), N=OneOf([1, 2, 4]), increasing=OneOf([True, False]), ref=vander),
    case("vander", array([0.0, 1.0, -2.0], "float32"), ref=vander, result_dtype="float32"),
    *(
        case(
            n,
            OneOf([(), (2,), 3, (2, 0, 1), [1, 2]]),
            ref=f,
            dtype=OneOf([None, "float32"]),
            **ONLY,
        )
        for n, f in FILLED.items()
    ),
    *(
        case(n, OneOf([(2, 3), 3]), ref=f, dtype="int8", **ONLY | {"result_dtype": "int8"})
        for n, f in FILLED.items()
    ),
    case("full", OneOf([(), (2,), 3]), OneOf([7, 0.5, True]), ref=np.full, dtype="float32", **ONLY),
    case(
        "full",
        (2, 3),
        array([1, 2, 3], "int32"),
        ref=np.full,
        dtype="int32",
        **ONLY | {"result_dtype": "int32"},
    ),
    *(
        case(n, tensor(), ref=f, dtypes=(*ALL, "uint8"), gradient=False)
        for n, f in {"zeros_like": np.zeros_like, "ones_like": np.ones_like}.items()
    ),
    *(
        case(n, tensor(), ref=f, dtypes=ALL, result_dtype="int8", dtype="int8", gradient=False)
        for n, f in {"zeros_like": np.zeros_like, "ones_like": np.ones_like}.items()
    ),
    case("full_like", tensor(), OneOf([3, -2]), ref=np.full_like, gradient=False),
    case(
        "full_like",
        tensor(),
        0.5,
        ref=np.full_like,
        result_dtype="float32",
        dtype="float32",
        gradient=False,
    ),
    case("arange", OneOf([0, 3, -2]), ref=np.arange, **ONLY | {"result_dtype": "int32"}),
    case(
        "arange",
        OneOf([1, 4]),
        OneOf([7, -5]),
        OneOf([1, 2, -3]),
        ref=np.arange,
        **ONLY | {"result_dtype": "int32"},
    ),
    case("arange", 0.5, 3, 0.5, ref=np.arange, **ONLY),
    case("arange", 5, ref=np.arange, dtype=OneOf(["uint8"]), **ONLY | {"result_dtype": "uint8"}),
    case("eye", OneOf([0, 2, 3]), OneOf([None, 0, 2, 4]), k=OneOf([0, 1, -1]), ref=np.eye, **ONLY),
    case("eye", 3, 0, ref=np.eye, **ONLY),
    case("tri", 3, 0, ref=np.tri, **ONLY),
    case("eye", 2, ref=np.eye, dtype="int32", **ONLY | {"result_dtype": "int32"}),
    case("identity", OneOf([0, 3]), ref=np.identity, **ONLY),
    case("tri", OneOf([0, 2, 3]), OneOf([None, 0, 2, 4]), k=OneOf([0, 1, -1]), ref=np.tri, **ONLY),
    case(
        "empty_like",
        tensor("..."),
        check=lambda values, x: np.testing.assert_equal(values[0].shape, x.shape),
        dtypes=ALL,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("diag", array([[[1]]]), match="rank 1 or 2"),
    refusal("diagonal", array([1]), match="rank 2 or more"),
    refusal("diagonal", array([[1]]), axis1=0, axis2=0, match="two different axes"),
    refusal("tril", array([1]), match="rank 2 or more"),
    refusal("triu", array([1]), match="rank 2 or more"),
    refusal("vander", array([[1]]), match="rank 1"),
]
