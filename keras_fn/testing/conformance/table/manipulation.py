"""Cases of the ops that rearrange elements."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    ALL,
    AxisArgument,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

MOVED = dict(dtypes=ALL, non_finite=True)


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
    case("fliplr", tensor("a b c"), ref=np.fliplr, **MOVED),
    case("flipud", tensor("..."), ref=np.flipud, rank=(1, 3), **MOVED),
    case(
        "rot90",
        tensor("a b c"),
        ref=np.rot90,
        k=OneOf([0, 1, 2, 3, -1, 6]),
        axes=OneOf([(0, 1), (1, 0), (-1, 0), [1, 2]]),
        **MOVED,
    ),
    case(
        "roll",
        tensor("..."),
        OneOf([0, 1, -2, 9]),
        ref=np.roll,
        axis=AxisArgument(allow_none=True, allow_multiple=True),
        **MOVED,
    ),
    case(
        "roll",
        tensor("a b"),
        OneOf([(1, 2), (-1, 0)]),
        ref=np.roll,
        axis=OneOf([(0, 1), (1, 1), 1]),
    ),
    case("reshape", tensor("a 6"), (-1, 3, 2), ref=np.reshape, **MOVED),
    case(
        "reshape", tensor("2 6"), OneOf([12, (3, 4), [12], (2, 1, -1), (1, 2, 6)]), ref=np.reshape
    ),
    case("reshape", tensor(""), OneOf([(1,), (), (1, 1), -1]), ref=np.reshape),
    case("transpose", tensor("..."), ref=np.transpose, **MOVED),
    case("transpose", tensor("a b c"), OneOf([(1, -1, 0), [2, 0, 1]]), ref=np.transpose),
    case("expand_dims", tensor("..."), OneOf([0, -1]), ref=expand, **MOVED),
    case("expand_dims", tensor("a b"), OneOf([(0, -1), [1, 2], (3, 0), 1]), ref=expand),
    case(
        "squeeze",
        tensor("a 1 b 1"),
        OneOf([1, -1, (1, 3), [-1, 1]]),
        ref=squeeze_known,
        min_size=2,
        dtypes=ALL,
    ),
    case("squeeze", tensor("2 1 3 1"), ref=np.squeeze, dynamic_shapes=False),
    case(
        "concatenate", [tensor("a b"), tensor("c b"), tensor("a b")], ref=flat_concatenate, **MOVED
    ),
    case("concatenate", [tensor("a b"), tensor("a c")], OneOf([1, -1]), ref=flat_concatenate),
    case("concatenate", [tensor("a b"), tensor("a c")], ref=flat_concatenate, axis=None),
    case(
        "concatenate",
        [tensor("a", dtype="int32"), tensor("b", dtype="bfloat16")],
        ref=flat_concatenate,
        dtypes=("float32",),
        result_dtype="bfloat16",
    ),
    case("stack", [tensor("a b"), tensor("a b")], ref=np.stack, axis=OneOf([0, 1, -1]), **MOVED),
    case("stack", [tensor(""), tensor("")], ref=np.stack),
    case(
        "split",
        tensor("a 6 b"),
        OneOf([1, 3, [1, 4], (0, 2, 2), [2]]),
        ref=np.split,
        axis=OneOf([1, -2]),
        **MOVED,
    ),
    case("split", tensor("6"), 2, ref=np.split),
    case(
        "unstack", tensor("a 3"), ref=unstack, axis=OneOf([1, -1]), dtypes=ALL, dynamic_shapes=False
    ),
    case("unstack", tensor("2 b"), 2, ref=unstack, dynamic_shapes=False),
    case(
        "tile", tensor("a b"), OneOf([2, (2, 1), [1, 3], (2, 1, 2), (0, 1)]), ref=np.tile, **MOVED
    ),
    case("tile", tensor(""), OneOf([2, (2, 3), ()]), ref=np.tile),
    case("repeat", tensor("..."), OneOf([0, 1, 3]), ref=np.repeat, rank=(1, 3), **MOVED),
    case(
        "repeat", tensor("a b c"), OneOf([0, 2]), ref=np.repeat, axis=AxisArgument(allow_none=True)
    ),
    case("repeat", tensor("a 3"), [1, 0, 2], ref=np.repeat, axis=1),
    case(
        "flip",
        tensor("..."),
        ref=np.flip,
        axis=AxisArgument(allow_none=True, allow_multiple=True),
        **MOVED,
    ),
    case(
        "broadcast_to",
        tensor("1 3"),
        OneOf([(2, 3), (1, 3), [2, 4, 3], (0, 3)]),
        ref=np.broadcast_to,
        **MOVED,
    ),
    case("broadcast_to", tensor(""), OneOf([(2, 3), ()]), ref=np.broadcast_to),
    case(
        "pad",
        tensor("a b"),
        OneOf([0, 1, (1, 2), ((1, 2),), ((0, 0), (2, 1)), [[1, 0], [0, 3]]]),
        ref=pad,
        **MOVED,
    ),
    case("pad", tensor("a b"), ((0, 1), (2, 0)), ref=pad, constant_values=OneOf([2, -1])),
    case(
        "pad",
        tensor("a b"),
        OneOf([1, ((2, 1), (0, 3)), (7, 5)]),
        ref=pad,
        min_size=1,
        mode=OneOf(["reflect", "symmetric", "edge", "wrap"]),
        **MOVED,
    ),
    case("moveaxis", tensor("a b c"), OneOf([0, -1]), OneOf([1, -1, 0]), ref=np.moveaxis, **MOVED),
    case("moveaxis", tensor("a b c"), (0, 1), OneOf([(1, 2), (-1, 0)]), ref=np.moveaxis),
    case("swapaxes", tensor("a b c"), OneOf([0, -1]), OneOf([1, -1]), ref=np.swapaxes, **MOVED),
    case("ravel", tensor("..."), ref=np.ravel, **MOVED),
]

REFUSALS: list[Refusal] = [
    refusal("fliplr", array([1, 2]), match="rank 2 or more"),
    refusal("rot90", array([1, 2]), match="rank 2 or more"),
    refusal("rot90", array([[1, 2]]), axes=(0, 0), match="each axis once"),
    refusal("roll", array([1, 2]), 1, axis=3, match="an axis from -1 to 0"),
    refusal("roll", array([[1, 2]]), (1, 1, 1), axis=(0, 1), match="a shift for each axis"),
    refusal("reshape", array([1, 2, 3]), (2, 2), match="product is 3"),
    refusal("reshape", array([1, 2, 3]), (2, -1), match="product divides 3"),
    refusal("reshape", array([1, 2, 3]), (-1, -1), match="at most one size of -1"),
    refusal("transpose", array([[1, 2]]), (0, 0), match="each axis once"),
    refusal("transpose", array([[1, 2]]), (0,), match="each of the 2 axes once"),
    refusal("expand_dims", array([1, 2]), 3, match="axis=3 for a tensor of rank 2"),
    refusal("squeeze", array([[1, 2]]), 1, match="size 1 at axis 1"),
    refusal("squeeze", array([[1, 2]]), 5, match="an axis from -2 to 1"),
    refusal("concatenate", [array([[1, 2]]), array([[1]])], match="equal except for axis 0"),
    refusal("concatenate", [array([[1, 2]]), array([1])], match="equal except for axis 0"),
    refusal("concatenate", [array([1])], 1, match="an axis from -1 to 0"),
    refusal("stack", [array([1, 2]), array([1])], match="tensors of the same shape"),
    refusal("split", array([1, 2, 3]), 2, match="an axis whose size is divisible by 2"),
    refusal("split", array([1, 2, 3]), 3, axis=1, match="an axis from -1 to 0"),
    refusal("unstack", array([1, 2, 3]), axis=2, match="an axis from -1 to 0"),
    refusal("repeat", array([1, 2, 3]), 2, axis=1, match="an axis from -1 to 0"),
    refusal("flip", array([1, 2, 3]), 1, match="an axis from -1 to 0"),
    refusal(
        "broadcast_to", array([1, 2, 3]), (2, 2), match="a shape to which the tensor broadcasts"
    ),
    refusal("broadcast_to", array([[1, 2]]), (2,), match="a shape to which the tensor broadcasts"),
    refusal("pad", array([[1, 2]]), ((1, 1), (1, 1), (1, 1)), match="for each of the 2 axes"),
    refusal("pad", array([1, 2]), (-1, 0), match="non-negative numbers"),
    refusal("pad", array([1, 2]), 1, "mirror", match="one of the modes constant"),
    refusal("pad", array([1, 2]), 1, "reflect", 3.0, match="constant_values for the first"),
    refusal("moveaxis", array([[1, 2]]), 0, 4, match="an axis from -2 to 1"),
    refusal("moveaxis", array([[1, 2]]), (0, 1), (0, 0), match="each axis once"),
    refusal("swapaxes", array([[1, 2]]), 0, 2, match="an axis from -2 to 1"),
]
