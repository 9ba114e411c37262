"""Cases of joining and splitting."""

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

CASES: list[Case] = [
    case("append", tensor("a b"), tensor("c d"), ref=np.append, **MOVED),
    case("append", tensor("a b"), tensor("c b"), ref=np.append, axis=0),
    case("append", tensor("a b"), tensor("a c"), ref=np.append, axis=-1),
    case("hstack", [tensor("a b c"), tensor("a d c")], ref=np.hstack, **MOVED),
    case("hstack", [tensor("a"), tensor("b")], ref=np.hstack),
    case("hstack", [tensor(""), tensor("")], ref=np.hstack),
    case("vstack", [tensor("a b c"), tensor("d b c")], ref=np.vstack, **MOVED),
    case("vstack", [tensor("b"), tensor("a b"), tensor("b")], ref=np.vstack),
    case("dstack", [tensor("a b c"), tensor("a b d")], ref=np.dstack, **MOVED),
    case("dstack", [tensor("a"), tensor("a")], ref=np.dstack),
    case("dstack", [tensor("a b"), tensor("a b")], ref=np.dstack),
    case(
        "array_split",
        tensor("a 7"),
        OneOf([1, 3, 7, 9, [2, 5], (0, 7, 9)]),
        ref=np.array_split,
        axis=OneOf([1, -1]),
        **MOVED,
    ),
    case("array_split", tensor("a"), OneOf([1, 2, 3]), ref=np.array_split),
    case("hsplit", tensor("a 4 b"), OneOf([2, 4, [1, 3]]), ref=np.hsplit, **MOVED),
    case("hsplit", tensor("4"), 2, ref=np.hsplit),
    case("vsplit", tensor("4 b"), OneOf([2, 4, [1, 3]]), ref=np.vsplit, **MOVED),
    case("dsplit", tensor("a b 4"), OneOf([2, 4, [1, 3]]), ref=np.dsplit, **MOVED),
]

REFUSALS: list[Refusal] = [
    refusal("append", array([[1, 2]]), array([[1]]), axis=0, match="equal except for axis 0"),
    refusal("vstack", [array([1, 2]), array([1])], match="equal except for axis 0"),
    refusal("array_split", array([1, 2]), 0, match="at least one part"),
    refusal("array_split", array([1, 2]), 2, 1, match="an axis from -1 to 0"),
    refusal("vsplit", array([1, 2]), 2, match="rank 2 or more"),
    refusal("dsplit", array([[1, 2]]), 2, match="rank 3 or more"),
]
