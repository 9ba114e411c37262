"""Products of vectors and of blocks."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import broadcast, difference_type, normalize_axis
from keras_fn.ops._rules import product as product_of
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import multiply, subtract
from keras_fn.ops.complex_numbers import conjugate
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.products import tensordot
from keras_fn.ops.shapes import moveaxis, ravel, reshape, stack
from keras_fn.ops.unary import negative


def _inner(x1: Spec, x2: Spec) -> Spec:
    dtype = dtypes.result_type(x1.dtype, x2.dtype)
    if not x1.shape or not x2.shape:
        return Spec(x1.shape or x2.shape, dtype)
    if None not in (x1.shape[-1], x2.shape[-1]) and x1.shape[-1] != x2.shape[-1]:
        raise SpecError(
            "ops.inner", expected="last axes of one size",
            given=f"shapes {x1.shape} and {x2.shape}",
            fix="transpose one of them, or check the last axis of each",
        )  # fmt: skip
    return Spec((*x1.shape[:-1], *x2.shape[:-1]), dtype)


@op(rule=Rule(_inner, operands=dtypes.result_type))
def inner(x1: Tensor, x2: Tensor) -> Tensor:
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


def _vdot(x1: Spec, x2: Spec) -> Spec:
    sizes = product_of(x1.shape), product_of(x2.shape)
    if None not in sizes and sizes[0] != sizes[1]:
        raise SpecError(
            "ops.vdot", expected="as many elements in both tensors",
            given=f"shapes {x1.shape} and {x2.shape}", fix="check the shapes",
        )  # fmt: skip
    return Spec((), dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_vdot, operands=dtypes.result_type))
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
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


def _kron(x1: Spec, x2: Spec) -> Spec:
    a, b = _aligned(x1.shape, x2.shape)
    sizes = tuple(product_of(pair) for pair in zip(a, b, strict=True))
    return Spec(sizes, dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_kron, operands=dtypes.result_type))
def kron(x1: Tensor, x2: Tensor) -> Tensor:
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
    x1: Spec, x2: Spec, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Spec:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    places = [normalize_axis(a, len(x.shape), "ops.cross") for a, x in ((axisa, x1), (axisb, x2))]
    sizes = [x.shape[i] for i, x in zip(places, (x1, x2), strict=True)]
    if any(n not in (2, 3) for n in sizes):
        raise SpecError(
            "ops.cross", expected="vectors of 2 or 3 elements, of a size that is known",
            given=f"shapes {x1.shape} and {x2.shape}", fix="check axisa and axisb",
        )  # fmt: skip
    rest = [
        (*x.shape[:i], *x.shape[i + 1 :]) for i, x in zip(places, (x1, x2), strict=True)
    ]  # fmt: skip
    shape = list(broadcast(*rest, who="ops.cross"))
    if 3 in sizes:
        shape.insert(normalize_axis(axisc, len(shape) + 1, "ops.cross"), 3)
    return Spec(tuple(shape), difference_type("ops.cross")(x1.dtype, x2.dtype))


@op(rule=Rule(_cross, operands=difference_type("ops.cross")))
def cross(
    x1: Tensor,
    x2: Tensor,
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
