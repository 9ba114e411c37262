"""Matrix and vector products: matmul, tensordot, einsum, outer, cross."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, difference_type, normalize_axes, normalize_axis, product
from keras_fn.ops.arithmetic import multiply, negative, subtract
from keras_fn.ops.complex import conjugate
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.manipulation import expand_dims, moveaxis, ravel, reshape, stack
from keras_fn.types import Tensor, TensorLike


def matmul_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    """The result of `matmul`."""
    dtype = dtypes.result_type(x1.dtype, x2.dtype)
    a, b = x1.shape, x2.shape
    if not a or not b:
        raise SpecError(
            "ops.matmul",
            expected="tensors of rank 1 or more",
            received=f"shapes {a} and {b}",
            fix="use ops.multiply for scalars",
        )
    rows, inner = (a[:-1] or (1,))[-1], a[-1]
    height, columns = b[-2:] if len(b) > 1 else (*b, 1)
    if None not in (inner, height) and inner != height:
        raise SpecError(
            "ops.matmul",
            expected=f"a second tensor with {inner} rows, as the first has {inner} columns",
            received=f"shapes {a} and {b}",
            fix="transpose one of them, or check the last axis of the first",
        )
    batch = broadcast(a[:-2], b[:-2], source="ops.matmul") if len(a) > 2 or len(b) > 2 else ()
    tail = (rows,) * (len(a) > 1) + (columns,) * (len(b) > 1)
    return TensorSpec((*batch, *tail), dtype)


@op(rule=Rule(matmul_spec, promote=dtypes.result_type))
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Matrix product over the last two axes; axes before them broadcast.

    Args:
        x1: Tensor of shape `(..., m, k)`, or `(k,)`.
        x2: Tensor of shape `(..., k, n)`, or `(k,)`.

    Returns:
        A tensor of shape `(..., m, n)`.

    Raises:
        ValueError: The inner sizes differ.

    Example:
        >>> convert_to_numpy(matmul([[1, 2]], [[3], [4]])).tolist()
        [[11]]
    """
    ...


@op
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product over the last axis of `x1` and the last but one of `x2`, without broadcasting.

    Example:
        >>> int(dot([1, 2], [3, 4]))
        11
    """
    if not len(getattr(x1, "shape", ())) or not len(getattr(x2, "shape", ())):  # a number has none
        return multiply(x1, x2)
    return tensordot(x1, x2, [[-1], [max(len(x2.shape) - 2, 0)]])


def _tensordot(x1: TensorSpec, x2: TensorSpec, axes: Any = 2) -> TensorSpec:
    left, right = tensordot_axes(axes, len(x1.shape), len(x2.shape))
    for i, j in zip(left, right, strict=True):
        if None not in (x1.shape[i], x2.shape[j]) and x1.shape[i] != x2.shape[j]:
            raise SpecError(
                "ops.tensordot",
                expected="axes of equal sizes",
                received=f"sizes {x1.shape[i]} and {x2.shape[j]} of {x1.shape} and {x2.shape}",
                fix="check axes=",
            )
    kept = [n for i, n in enumerate(x1.shape) if i not in left]
    kept += [n for i, n in enumerate(x2.shape) if i not in right]
    return TensorSpec(tuple(kept), dtypes.result_type(x1.dtype, x2.dtype))


def tensordot_axes(axes: Any, rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the axes of both tensors that are summed over."""
    if isinstance(axes, int):
        return tuple(range(rank1 - axes, rank1)), tuple(range(axes))
    left, right = axes
    return normalize_axes(left, rank1), normalize_axes(right, rank2)


@op(rule=Rule(_tensordot, promote=dtypes.result_type))
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Tensor:
    """Sums products over the last `axes` axes of `x1` and the first of `x2`, or over given ones.

    Example:
        >>> int(tensordot([1, 2], [3, 4], axes=1))
        11
    """
    ...


def _einsum(subscripts: str, *operands: TensorSpec, **_: Any) -> TensorSpec:
    inputs, output, sizes = einsum_axes(subscripts, [x.shape for x in operands])
    del inputs
    return TensorSpec(
        tuple(sizes[letter] for letter in output), dtypes.result_type(*(x.dtype for x in operands))
    )


def einsum_axes(
    subscripts: str, shapes: list[tuple[int | None, ...]]
) -> tuple[list[list[str]], list[str], dict[str, int | None]]:
    """Returns the letters of each input and of the output, and the size of each letter.

    The axes of `...` get names of their own: `...0` is the last of them, `...1` the one before.
    """
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise SpecError(
            "ops.einsum",
            expected=f"{len(terms)} tensors, one for each term of {subscripts!r}",
            received=f"{len(shapes)}",
            fix="check the commas of the equation",
        )
    sizes: dict[str, int | None] = {}
    inputs = []
    for term, shape in zip(terms, shapes, strict=True):
        free = len(shape) - len(term.replace("...", ""))
        if free < 0 or (free and "..." not in term):
            raise _bad_einsum(subscripts, term, shape)
        letters = _expand(term, free)
        for letter, size in zip(letters, shape, strict=True):
            known = sizes.get(letter)
            if None not in (known, size) and known != size and 1 not in (known, size):
                raise _bad_einsum(subscripts, term, shape)
            sizes[letter] = size if known in (None, 1) else known
        inputs.append(letters)
    dots = max((sum(n.startswith("...") for n in letters) for letters in inputs), default=0)
    if arrow:
        return inputs, _expand(right, dots), sizes
    flat = [n for letters in inputs for n in letters]
    once = sorted(n for n in set(flat) if flat.count(n) == 1 and not n.startswith("..."))
    return inputs, [*_expand("...", dots), *once], sizes


def _expand(term: str, free: int) -> list[str]:
    before, dots, after = term.partition("...")
    middle = [f"...{i}" for i in reversed(range(free))] if dots else []
    return [*before, *middle, *after]


def _bad_einsum(subscripts: str, term: str, shape: Any) -> SpecError:
    return SpecError(
        "ops.einsum",
        expected=f"a tensor that fits {term!r} in {subscripts!r}",
        received=f"shape {shape}",
        fix="one letter an axis, equal letters for equal sizes, '...' for the rest",
    )


@op(rule=Rule(_einsum, promote=dtypes.result_type))
def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """Sum of products in Einstein's notation.

    Args:
        subscripts: For example `"ij,jk->ik"`.
        *operands: The tensors, one for each term.

    Example:
        >>> int(einsum("i,i->", [1, 2], [3, 4]))
        11
    """
    ...


@op
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """All products of an element of `x1` with one of `x2`, both flattened.

    Example:
        >>> convert_to_numpy(outer([1, 2], [3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    return multiply(expand_dims(ravel(x1), 1), ravel(x2))


def _inner(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    dtype = dtypes.result_type(x1.dtype, x2.dtype)
    if not x1.shape or not x2.shape:
        return TensorSpec(x1.shape or x2.shape, dtype)
    if None not in (x1.shape[-1], x2.shape[-1]) and x1.shape[-1] != x2.shape[-1]:
        raise SpecError(
            "ops.inner",
            expected="last axes of one size",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="transpose one of them, or check the last axis of each",
        )
    return TensorSpec((*x1.shape[:-1], *x2.shape[:-1]), dtype)


@op(rule=Rule(_inner, promote=dtypes.result_type))
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sums products over the last axis of both; of a scalar, the product.

    Args:
        x1: Tensor of shape `(..., n)`.
        x2: Tensor of shape `(..., n)`.

    Returns:
        A tensor of the axes of `x1` without the last, then those of `x2` without the last.

    Example:
        >>> int(inner([1, 2], [3, 4]))
        11
    """
    if not spec_of(x1).shape or not spec_of(x2).shape:
        return multiply(x1, x2)
    _inner(spec_of(x1), spec_of(x2))
    return tensordot(x1, x2, [[-1], [-1]])


def _vdot(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    sizes = product(x1.shape), product(x2.shape)
    if None not in sizes and sizes[0] != sizes[1]:
        raise SpecError(
            "ops.vdot",
            expected="as many elements in both tensors",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="check the shapes",
        )
    return TensorSpec((), dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_vdot, promote=dtypes.result_type))
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sums the products of all elements, both tensors flattened, the first one conjugated.

    Example:
        >>> int(vdot([[1, 2], [3, 4]], [[1, 0], [0, 1]]))
        5
    """
    _vdot(spec_of(x1), spec_of(x2))
    if "complex" in dtypes.result_type(spec_of(x1).dtype):
        x1 = conjugate(x1)
    return tensordot(ravel(x1), ravel(x2), 1)


def _aligned(x1: Shape, x2: Shape) -> tuple[Shape, Shape]:
    """Both shapes in the same rank, with ones in front."""
    rank = max(len(x1), len(x2))
    return (1,) * (rank - len(x1)) + tuple(x1), (1,) * (rank - len(x2)) + tuple(x2)


def _kron(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    a, b = _aligned(x1.shape, x2.shape)
    sizes = tuple(product(pair) for pair in zip(a, b, strict=True))
    return TensorSpec(sizes, dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_kron, promote=dtypes.result_type))
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Kronecker product: `x1` with each element replaced by it times `x2`.

    Args:
        x1: Tensor of shape `(r0, ..., rn)`.
        x2: Tensor of shape `(s0, ..., sn)`; of two ranks, the lower gets axes in front.

    Returns:
        A tensor of shape `(r0 * s0, ..., rn * sn)`.

    Example:
        >>> convert_to_numpy(kron([1, 10], [1, 2])).tolist()
        [1, 2, 10, 20]
    """
    a, b = _aligned(shape_of(x1), shape_of(x2))  # sizes may be tensors, never None
    left = reshape(x1, [size for n in a for size in (n, 1)])
    right = reshape(x2, [size for n in b for size in (1, n)])
    sizes: list[Any] = [math.prod(pair) for pair in zip(a, b, strict=True)]  # type: ignore[arg-type]
    return reshape(multiply(left, right), sizes)


def _cross_axes(axisa: int, axisb: int, axisc: int, axis: int | None) -> tuple[int, int, int]:
    return (axisa, axisb, axisc) if axis is None else (axis, axis, axis)


def _cross(
    x1: TensorSpec,
    x2: TensorSpec,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> TensorSpec:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    places = [normalize_axis(a, len(x.shape), "ops.cross") for a, x in ((axisa, x1), (axisb, x2))]
    sizes = [x.shape[i] for i, x in zip(places, (x1, x2), strict=True)]
    if any(n not in (2, 3) for n in sizes):
        raise SpecError(
            "ops.cross",
            expected="vectors of 2 or 3 elements, of a size that is known",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="check axisa and axisb",
        )
    rest = [(*x.shape[:i], *x.shape[i + 1 :]) for i, x in zip(places, (x1, x2), strict=True)]
    shape = list(broadcast(*rest, source="ops.cross"))
    if 3 in sizes:
        shape.insert(normalize_axis(axisc, len(shape) + 1, "ops.cross"), 3)
    return TensorSpec(tuple(shape), difference_type("ops.cross")(x1.dtype, x2.dtype))


@op(rule=Rule(_cross, promote=difference_type("ops.cross")))
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """Vector product. The third element of a vector of two is 0.

    Args:
        x1: Tensor with vectors of 2 or 3 elements along one axis.
        x2: The same; the other axes broadcast.
        axisa: The axis of the vectors in `x1`.
        axisb: The axis of the vectors in `x2`.
        axisc: The axis of the vectors in the result. Of two vectors of two elements, only the
            third element of the product is returned, and there is no such axis.
        axis: Instead of the three, one for all.

    Example:
        >>> convert_to_numpy(cross([1, 0, 0], [0, 1, 0])).tolist()
        [0, 0, 1]
    """
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    _cross(spec_of(x1), spec_of(x2), axisa, axisb, axisc)
    a, b = _elements(x1, axisa), _elements(x2, axisb)
    third = subtract(multiply(a[0], b[1]), multiply(a[1], b[0]))
    if len(a) == len(b) == 2:
        return third
    first, second = _minus(a, b, 1, 2), _minus(a, b, 2, 0)
    return moveaxis(stack([first, second, third], axis=-1), -1, axisc)


def _elements(x: Tensor, axis: int) -> list[Tensor]:
    x = moveaxis(x, axis, -1)
    return [getitem(x, (Ellipsis, i)) for i in range(x.shape[-1])]


def _minus(a: list[Tensor], b: list[Tensor], i: int, j: int) -> Tensor:
    """`a[i] * b[j] - a[j] * b[i]`, where one vector may end before its third element."""
    if max(i, j) >= len(a):
        return multiply(a[i], b[j]) if i < j else negative(multiply(a[j], b[i]))
    if max(i, j) >= len(b):
        return negative(multiply(a[j], b[i])) if i < j else multiply(a[i], b[j])
    return subtract(multiply(a[i], b[j]), multiply(a[j], b[i]))
