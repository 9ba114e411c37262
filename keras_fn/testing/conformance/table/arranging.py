"""Ops that put together, take apart and turn; diagonals; `rearrange`."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import ALL, A, Axis, Case, OneOf, Refusal, T, case, refusal

MOVED = dict(dtypes=ALL, specials=True)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    return list(np.meshgrid(*x, indexing=indexing))  # type: ignore[call-overload]


def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    return np.vander(x, N, increasing).astype(x.dtype)


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None):
    """The formula itself: NumPy deprecates vectors of two elements."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(x1, axisa, -1), np.moveaxis(x2, axisb, -1)
    flat = a.shape[-1] == b.shape[-1] == 2
    a, b = (np.concatenate([v, 0 * v[..., :1]], -1) if v.shape[-1] == 2 else v for v in (a, b))
    z = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    if flat:
        return z
    x = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    y = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    return np.moveaxis(np.stack([x, y, z], -1), -1, axisc)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), -1)


def inner(x1: Any, x2: Any) -> Any:
    return np.inner(x1, x2) if np.ndim(x1) and np.ndim(x2) else x1 * x2


def rearranged(shape: tuple[int, ...], order: tuple[int, ...], joined: tuple[int, ...]) -> Any:
    """A reference for `rearrange`: the three steps of NumPy."""
    return lambda x, *_, **__: x.reshape(shape).transpose(order).reshape(joined)


OFFSET = OneOf([0, 1, -1, 2, -3, 5, -5])

CASES: list[Case] = [
    case("append", T("a b"), T("c d"), ref=np.append, **MOVED),
    case("append", T("a b"), T("c b"), ref=np.append, axis=0),
    case("append", T("a b"), T("a c"), ref=np.append, axis=-1),
    case("hstack", [T("a b c"), T("a d c")], ref=np.hstack, **MOVED),
    case("hstack", [T("a"), T("b")], ref=np.hstack),
    case("hstack", [T(""), T("")], ref=np.hstack),
    case("vstack", [T("a b c"), T("d b c")], ref=np.vstack, **MOVED),
    case("vstack", [T("b"), T("a b"), T("b")], ref=np.vstack),
    case("dstack", [T("a b c"), T("a b d")], ref=np.dstack, **MOVED),
    case("dstack", [T("a"), T("a")], ref=np.dstack),
    case("dstack", [T("a b"), T("a b")], ref=np.dstack),
    case("array_split", T("a 7"), OneOf([1, 3, 7, 9, [2, 5], (0, 7, 9)]), ref=np.array_split,
         axis=OneOf([1, -1]), **MOVED),
    case("array_split", T("a"), OneOf([1, 2, 3]), ref=np.array_split),
    case("hsplit", T("a 4 b"), OneOf([2, 4, [1, 3]]), ref=np.hsplit, **MOVED),
    case("hsplit", T("4"), 2, ref=np.hsplit),
    case("vsplit", T("4 b"), OneOf([2, 4, [1, 3]]), ref=np.vsplit, **MOVED),
    case("dsplit", T("a b 4"), OneOf([2, 4, [1, 3]]), ref=np.dsplit, **MOVED),
    case("fliplr", T("a b c"), ref=np.fliplr, **MOVED),
    case("flipud", T("..."), ref=np.flipud, rank=(1, 3), **MOVED),
    case("rot90", T("a b c"), ref=np.rot90, k=OneOf([0, 1, 2, 3, -1, 6]),
         axes=OneOf([(0, 1), (1, 0), (-1, 0), [1, 2]]), **MOVED),
    case("roll", T("..."), OneOf([0, 1, -2, 9]), ref=np.roll, axis=Axis(none=True, several=True),
         **MOVED),
    case("roll", T("a b"), OneOf([(1, 2), (-1, 0)]), ref=np.roll, axis=OneOf([(0, 1), (1, 1), 1])),
    case("meshgrid", T("a"), T("b"), T("c"), ref=meshgrid, indexing=OneOf(["xy", "ij"]), **MOVED),
    case("meshgrid", T("a"), ref=meshgrid, indexing=OneOf(["xy", "ij"])),
    case("meshgrid", T("a"), T("b", dtype="int32"), T(""), ref=meshgrid, dtypes=("float32",),
         result="float32,int32,float32"),
    case("diagonal", T("a b"), OFFSET, ref=np.diagonal, **MOVED),
    case("diagonal", T("a b c d"), OneOf([0, 1, -1]), ref=np.diagonal,
         axis1=OneOf([0, -1]), axis2=OneOf([1, 2])),
    case("diag", T("a"), OFFSET, ref=np.diag, **MOVED),
    case("diag", T("a b"), OFFSET, ref=np.diag, **MOVED),
    case("diagflat", T("..."), OneOf([0, 1, -2]), ref=np.diagflat, rank=(1, 3), **MOVED),
    case("trace", T("a b"), OFFSET, ref=trace, dtypes=(*ALL, "int8"), result="sum"),
    case("trace", T("a b c"), ref=trace, axis1=OneOf([0, -1]), axis2=1),
    case("tril", T("... a b"), OFFSET, ref=np.tril, rank=(0, 2), **MOVED),
    case("triu", T("... a b"), OFFSET, ref=np.triu, rank=(0, 2), **MOVED),
    case("vander", T("a"), ref=vander, least=1),
    case("vander", T("a"), N=OneOf([1, 2, 4]), increasing=OneOf([True, False]), ref=vander),
    case("vander", A([0.0, 1.0, -2.0], "float32"), ref=vander, result="float32"),
    case("inner", T("a b c"), T("d c"), ref=inner),
    case("inner", T("a"), T("a"), ref=inner),
    case("inner", T(""), T("a b"), ref=inner),
    case("inner", T("a b"), 2, ref=inner),
    case("vdot", T("a b"), T("a b"), ref=np.vdot),
    case("vdot", T("a b"), T("a b"), ref=np.vdot, dtypes=("complex64",)),
    case("kron", T("a b"), T("c d"), ref=np.kron, least=1),
    case("kron", T("a"), T("b c"), ref=np.kron, least=1),
    case("kron", T("a", dtype="int32"), T("b"), ref=np.kron, dtypes=("float32",), least=1),
    *(case("cross", T(f"a {m}", known=True), T(f"a {n}", known=True), ref=cross)
      for m in (2, 3) for n in (2, 3)),
    case("cross", T("3 a", known=True), T("1 3", known=True), ref=cross, axisa=0, axisc=0),
    case("cross", T("3 a", known=True), T("3 a", known=True), ref=cross, axis=0),
    case("rearrange", T("a b c"), "a b c -> c a b", ref=lambda x, _: x.transpose(2, 0, 1),
         **MOVED),
    case("rearrange", T("a 6"), "a (b c) -> c a b", b=3,
         ref=lambda x, _, b: x.reshape(-1, 3, 2).transpose(2, 0, 1)),
    case("rearrange", T("2 4 6 3"), "b (h p) (w q) c -> (b h w) (p q c)", p=2, q=3,
         ref=rearranged((2, 2, 2, 2, 3, 3), (0, 1, 3, 2, 4, 5), (8, 18))),
    case("rearrange", T("a b c"), "a b c -> a (b c)", ref=lambda x, _: x.reshape(
        x.shape[0], x.shape[1] * x.shape[2])),
    case("rearrange", T("... a"), "... a -> a ...", ref=lambda x, _: np.moveaxis(x, -1, 0)),
    case("rearrange", T("a ..."), "a ... -> (...) a",
         ref=lambda x, _: np.moveaxis(x, 0, -1).reshape(-1, x.shape[0]), least=1),
    case("rearrange", T("a b"), "a b -> a 1 b ()", ref=lambda x, _: x[:, None, :, None]),
    case("rearrange", T("a 1 b"), "a 1 b -> b a", ref=lambda x, _: x[:, 0].T),
    case("rearrange", T("a b"), "a b -> a b", ref=lambda x, _: x),
]  # fmt: skip

REFUSALS: list[Refusal] = [
    refusal("append", A([[1, 2]]), A([[1]]), axis=0, match="equal but for axis 0"),
    refusal("vstack", [A([1, 2]), A([1])], match="equal but for axis 0"),
    refusal("array_split", A([1, 2]), 0, match="one part or more"),
    refusal("array_split", A([1, 2]), 2, 1, match="an axis from -1 to 0"),
    refusal("vsplit", A([1, 2]), 2, match="rank 2 or more"),
    refusal("dsplit", A([[1, 2]]), 2, match="rank 3 or more"),
    refusal("fliplr", A([1, 2]), match="rank 2 or more"),
    refusal("rot90", A([1, 2]), match="rank 2 or more"),
    refusal("rot90", A([[1, 2]]), axes=(0, 0), match="two different axes"),
    refusal("roll", A([1, 2]), 1, axis=3, match="an axis from -1 to 0"),
    refusal("roll", A([[1, 2]]), (1, 1, 1), axis=(0, 1), match="a shift for each axis"),
    refusal("meshgrid", A([[1, 2]]), match="tensors of rank 1"),
    refusal("meshgrid", A([1, 2]), indexing="yx", match="'xy' or 'ij'"),
    refusal("diag", A([[[1]]]), match="rank 1 or 2"),
    refusal("diagonal", A([1]), match="rank 2 or more"),
    refusal("diagonal", A([[1]]), axis1=0, axis2=0, match="two different axes"),
    refusal("tril", A([1]), match="rank 2 or more"),
    refusal("triu", A([1]), match="rank 2 or more"),
    refusal("vander", A([[1]]), match="rank 1"),
    refusal("inner", A([1, 2]), A([1]), match="last axes of one size"),
    refusal("vdot", A([1, 2]), A([1]), match="as many elements"),
    refusal(
        "cross",
        A([True, False]),
        A([True, True]),
        match="ops.cross\n  expected: numbers",
        error=TypeError,
    ),
    refusal("cross", A([1, 2, 3, 4]), A([1, 2, 3]), match="vectors of 2 or 3 elements"),
    refusal("rearrange", A([[1, 2]]), "a b, c", match="two sides"),
    refusal("rearrange", A([[1, 2]]), "a b -> a c", match="b, c on one side only"),
    refusal("rearrange", A([[1, 2]]), "a b -> b", match="a on one side only"),
    refusal("rearrange", A([[1, 2]]), "a a -> a a", match="a name that comes twice"),
    refusal("rearrange", A([[1, 2]]), "a (b -> b a", match="a '\\)' for each"),
    refusal("rearrange", A([[1, 2]]), "a b? -> b a", match="names, 1, '...' and parentheses"),
    refusal("rearrange", A([[1, 2]]), "a b c -> a b c", match="a tensor of rank 3"),
    refusal("rearrange", A([[1, 2]]), "a (b c) -> a b c", match="at most one axis without"),
    refusal("rearrange", A([[1, 2]]), "a (b c) -> a b c", b=3, match="of the size of"),
    refusal("rearrange", A([[1, 2]]), "a b -> b a", c=3, match="lengths of axes that"),
    refusal("rearrange", A([[1, 2]]), "(... a) -> a ...", match="outside of parentheses"),
]
