"""Ops that move elements about, join and split."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    A,
    Axis,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

MOVED = dict(dtypes=ALL, specials=True)


def flat_concatenate(xs: Any, axis: Any = 0) -> Any:
    return np.concatenate([np.ravel(x) for x in xs] if axis is None else xs, axis=axis or 0)


def unstack(x: Any, num: Any = None, axis: int = 0) -> list[Any]:
    return list(np.moveaxis(x, axis, 0))


def pad(x: Any, width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    if mode != "constant":
        return np.pad(x, width, mode=mode)  # type: ignore[call-overload]
    return np.pad(x, width, constant_values=constant_values or 0)


def squeeze_known(x: Any, axis: Any) -> Any:
    return np.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


def expand(x: Any, axis: Any) -> Any:
    return np.expand_dims(x, tuple(axis) if isinstance(axis, list) else axis)


CASES: list[Case] = [
    case("reshape", T("a 6"), (-1, 3, 2), ref=np.reshape, **MOVED),
    case("reshape", T("2 6"), OneOf([12, (3, 4), [12], (2, 1, -1), (1, 2, 6)]), ref=np.reshape),
    case("reshape", T(""), OneOf([(1,), (), (1, 1), -1]), ref=np.reshape),
    case("transpose", T("..."), ref=np.transpose, **MOVED),
    case("transpose", T("a b c"), OneOf([(1, -1, 0), [2, 0, 1]]), ref=np.transpose),
    case("expand_dims", T("..."), OneOf([0, -1]), ref=expand, **MOVED),
    case("expand_dims", T("a b"), OneOf([(0, -1), [1, 2], (3, 0), 1]), ref=expand),
    case("squeeze", T("a 1 b 1"), OneOf([1, -1, (1, 3), [-1, 1]]), ref=squeeze_known, least=2,
         dtypes=ALL),
    case("squeeze", T("2 1 3 1"), ref=np.squeeze, unknown=False),
    case("concatenate", [T("a b"), T("c b"), T("a b")], ref=flat_concatenate, **MOVED),
    case("concatenate", [T("a b"), T("a c")], OneOf([1, -1]), ref=flat_concatenate),
    case("concatenate", [T("a b"), T("a c")], ref=flat_concatenate, axis=None),
    case("concatenate", [T("a", dtype="int32"), T("b", dtype="bfloat16")], ref=flat_concatenate,
         dtypes=("float32",), result="bfloat16"),
    case("stack", [T("a b"), T("a b")], ref=np.stack, axis=OneOf([0, 1, -1]), **MOVED),
    case("stack", [T(""), T("")], ref=np.stack),
    case("split", T("a 6 b"), OneOf([1, 3, [1, 4], (0, 2, 2), [2]]), ref=np.split,
         axis=OneOf([1, -2]), **MOVED),
    case("split", T("6"), 2, ref=np.split),
    case("unstack", T("a 3"), ref=unstack, axis=OneOf([1, -1]), dtypes=ALL, unknown=False),
    case("unstack", T("2 b"), 2, ref=unstack, unknown=False),
    case("tile", T("a b"), OneOf([2, (2, 1), [1, 3], (2, 1, 2), (0, 1)]), ref=np.tile, **MOVED),
    case("tile", T(""), OneOf([2, (2, 3), ()]), ref=np.tile),
    case("repeat", T("..."), OneOf([0, 1, 3]), ref=np.repeat, rank=(1, 3), **MOVED),
    case("repeat", T("a b c"), OneOf([0, 2]), ref=np.repeat, axis=Axis(none=True)),
    case("repeat", T("a 3"), [1, 0, 2], ref=np.repeat, axis=1),
    case("flip", T("..."), ref=np.flip, axis=Axis(none=True, several=True), **MOVED),
    case("broadcast_to", T("1 3"), OneOf([(2, 3), (1, 3), [2, 4, 3], (0, 3)]),
         ref=np.broadcast_to, **MOVED),
    case("broadcast_to", T(""), OneOf([(2, 3), ()]), ref=np.broadcast_to),
    case("pad", T("a b"), OneOf([0, 1, (1, 2), ((1, 2),), ((0, 0), (2, 1)), [[1, 0], [0, 3]]]),
         ref=pad, **MOVED),
    case("pad", T("a b"), ((0, 1), (2, 0)), ref=pad, constant_values=OneOf([2, -1])),
    case("pad", T("a b"), OneOf([1, ((2, 1), (0, 3)), (7, 5)]), ref=pad, least=1,
         mode=OneOf(["reflect", "symmetric", "edge", "wrap"]), **MOVED),
    case("moveaxis", T("a b c"), OneOf([0, -1]), OneOf([1, -1, 0]), ref=np.moveaxis, **MOVED),
    case("moveaxis", T("a b c"), (0, 1), OneOf([(1, 2), (-1, 0)]), ref=np.moveaxis),
    case("swapaxes", T("a b c"), OneOf([0, -1]), OneOf([1, -1]), ref=np.swapaxes, **MOVED),
    case("ravel", T("..."), ref=np.ravel, **MOVED),
]  # fmt: skip

REFUSALS: list[Refusal] = [
    refusal("reshape", A([1, 2, 3]), (2, 2), match="product is 3"),
    refusal("reshape", A([1, 2, 3]), (2, -1), match="product divides 3"),
    refusal("reshape", A([1, 2, 3]), (-1, -1), match="at most one size of -1"),
    refusal("transpose", A([[1, 2]]), (0, 0), match="each of the 2 axes once"),
    refusal("transpose", A([[1, 2]]), (0,), match="each of the 2 axes once"),
    refusal("expand_dims", A([1, 2]), 3, match="axis=3 for a tensor of rank 2"),
    refusal("squeeze", A([[1, 2]]), 1, match="size 1 at axis 1"),
    refusal("squeeze", A([[1, 2]]), 5, match="an axis from -2 to 1"),
    refusal("concatenate", [A([[1, 2]]), A([[1]])], match="equal but for axis 0"),
    refusal("concatenate", [A([[1, 2]]), A([1])], match="equal but for axis 0"),
    refusal("concatenate", [A([1])], 1, match="an axis from -1 to 0"),
    refusal("stack", [A([1, 2]), A([1])], match="tensors of one shape"),
    refusal("split", A([1, 2, 3]), 2, match="an axis whose size 2 divides"),
    refusal("split", A([1, 2, 3]), 3, axis=1, match="an axis from -1 to 0"),
    refusal("unstack", A([1, 2, 3]), axis=2, match="an axis from -1 to 0"),
    refusal("repeat", A([1, 2, 3]), 2, axis=1, match="an axis from -1 to 0"),
    refusal("flip", A([1, 2, 3]), 1, match="an axis from -1 to 0"),
    refusal("broadcast_to", A([1, 2, 3]), (2, 2), match="repeating axes of size 1"),
    refusal("broadcast_to", A([[1, 2]]), (2,), match="repeating axes of size 1"),
    refusal("pad", A([[1, 2]]), ((1, 1), (1, 1), (1, 1)), match="for each of the 2 axes"),
    refusal("pad", A([1, 2]), (-1, 0), match="numbers from 0 on"),
    refusal("pad", A([1, 2]), 1, "mirror", match="one of the modes constant"),
    refusal("pad", A([1, 2]), 1, "reflect", 3.0, match="constant_values with the first"),
    refusal("moveaxis", A([[1, 2]]), 0, 4, match="an axis from -2 to 1"),
    refusal("moveaxis", A([[1, 2]]), (0, 1), (0, 0), match="as many places as axes"),
    refusal("swapaxes", A([[1, 2]]), 0, 2, match="an axis from -2 to 1"),
]
