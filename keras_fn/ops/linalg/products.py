"""Matrix and vector products: matmul, tensordot, einsum, outer, cross."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from string import ascii_letters
from typing import Any, ParamSpec, cast

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.operators import OPS
from keras_fn.core.registry import mark_builtin
from keras_fn.core.shapes import is_size_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import (
    broadcast,
    difference_type,
    normalize_axes,
    normalize_axis,
    product,
    product_type,
)
from keras_fn.ops.arithmetic import multiply, negative, promote_scalars, subtract
from keras_fn.ops.complex import conjugate
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.manipulation import expand_dims, moveaxis, ravel, reshape
from keras_fn.types import Tensor, TensorLike

P = ParamSpec("P")


def matmul_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    """Shape and dtype rule of `matmul`.

    Args:
        x1: Spec of the first operand.
        x2: Spec of the second operand.

    Returns:
        Spec of the result.

    Raises:
        SpecError: An operand is a scalar, or the inner sizes differ.
    """
    dtype = product_type(x1.dtype, x2.dtype)
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
    if not is_size_compatible(inner, height):
        raise SpecError(
            "ops.matmul",
            expected=f"a second tensor with {inner} rows, as many as the first has columns",
            received=f"shapes {a} and {b}",
            fix="transpose one of them, or check the last axis of the first",
        )
    batch = broadcast(a[:-2], b[:-2], source="ops.matmul") if len(a) > 2 or len(b) > 2 else ()
    tail = (rows,) * (len(a) > 1) + (columns,) * (len(b) > 1)
    return TensorSpec((*batch, *tail), dtype)


@op(rule=Rule(matmul_spec, promote=product_type))
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Matrix product over the last two axes; leading axes broadcast.

    Args:
        x1: Tensor of shape `(..., m, k)`, or `(k,)`.
        x2: Tensor of shape `(..., k, n)`, or `(k,)`.

    Returns:
        Tensor of shape `(..., m, n)`, of the promoted dtype; int32 for two int8 tensors.

    Raises:
        ValueError: A tensor is a scalar, or the inner sizes differ.

    Example:
        >>> convert_to_numpy(matmul([[1, 2]], [[3], [4]])).tolist()
        [[11]]
    """
    ...


@op
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Dot product over the last axis of `x1` and the second-to-last of `x2`, without broadcasting.

    Args:
        x1: Tensor of shape `(..., k)`, or a scalar.
        x2: Tensor of shape `(..., k, n)` or `(k,)`, or a scalar.

    Returns:
        Tensor of the other axes of `x1`, then of `x2`, of the promoted dtype.

    Raises:
        ValueError: The sizes differ.

    Example:
        >>> int(dot([1, 2], [3, 4]))
        11
    """
    rank1, rank2 = len(spec_of(x1).shape), len(spec_of(x2).shape)
    if not rank1 or not rank2:
        return multiply(x1, x2)
    return tensordot(x1, x2, ((-1,), (max(rank2 - 2, 0),)))


def _tensordot_spec(x1: TensorSpec, x2: TensorSpec, axes: Any = 2) -> TensorSpec:
    left, right = tensordot_axes(axes, len(x1.shape), len(x2.shape))
    for i, j in zip(left, right, strict=True):
        if not is_size_compatible(x1.shape[i], x2.shape[j]):
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
    """Returns the contracted axes of both tensors.

    Args:
        axes: See `tensordot`.
        rank1: Rank of the first tensor.
        rank2: Rank of the second tensor.
    """
    if isinstance(axes, int) and 0 <= axes <= min(rank1, rank2):
        return tuple(range(rank1 - axes, rank1)), tuple(range(axes))
    pair = [] if isinstance(axes, int) else [(a,) if isinstance(a, int) else a for a in axes]
    if len(pair) != 2 or len(pair[0]) != len(pair[1]):
        raise SpecError(
            "ops.tensordot",
            expected=f"axes: a number from 0 to {min(rank1, rank2)}, or two lists of axes, as long "
            "as each other",
            received=f"axes={axes}",
            fix="pass the axes of x1 and those of x2 that belong together",
        )
    left, right = pair
    source = "ops.tensordot"
    return normalize_axes(left, rank1, source, "axes"), normalize_axes(right, rank2, source, "axes")


@op(rule=Rule(_tensordot_spec, promote=dtypes.result_type))
def tensordot(
    x1: TensorLike, x2: TensorLike, axes: int | Sequence[int | Sequence[int]] = 2
) -> Tensor:
    """Tensor contraction: sums the products over pairs of axes.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of any shape.
        axes: Number of last axes of `x1` and first axes of `x2` to contract, or a pair: the axes
            of `x1` and the axes of `x2`.

    Returns:
        Tensor of the other axes of `x1`, then of `x2`, of the promoted dtype.

    Raises:
        ValueError: The sizes of a pair of axes differ.

    Example:
        >>> int(tensordot([1, 2], [3, 4], axes=1))
        11
    """
    ...


def einsum_spec(subscripts: str, *operands: TensorSpec, **options: Any) -> TensorSpec:
    _, output, sizes = einsum_axes(subscripts, [x.shape for x in operands])
    return TensorSpec(
        tuple(sizes[letter] for letter in output), product_type(*(x.dtype for x in operands))
    )


def einsum_axes(
    subscripts: str, shapes: list[tuple[int | None, ...]]
) -> tuple[list[list[str]], list[str], dict[str, int | None]]:
    """Returns the letters of each input and of the output, and the size of each letter.

    The axes of `...` are named by their position from the end: `...0` is the last of them.

    Args:
        subscripts: The equation, for example `"ij,jk->ik"`.
        shapes: The shape of each input.

    Raises:
        SpecError: A tensor does not fit its term, or their numbers differ.
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
            raise _einsum_error(subscripts, term, shape)
        letters = _expand(term, free)
        for letter, size in zip(letters, shape, strict=True):
            known = sizes.get(letter)
            if None not in (known, size) and known != size and 1 not in (known, size):
                raise _einsum_error(subscripts, term, shape)
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


def _einsum_error(subscripts: str, term: str, shape: Any) -> SpecError:
    return SpecError(
        "ops.einsum",
        expected=f"a tensor that fits {term!r} in {subscripts!r}",
        received=f"shape {shape}",
        fix="use one letter per axis, equal letters for equal sizes, and '...' for the rest",
    )


def _with_sublists(einsum_op: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Makes `einsum` take the labels of axes after each tensor too, as in NumPy."""

    @wraps(einsum_op)
    def call(subscripts: Any, *operands: Any) -> Tensor:
        if not isinstance(subscripts, str):
            subscripts, operands = _from_sublists((subscripts, *operands))
        return cast(Any, einsum_op)(subscripts, *operands)

    OPS[einsum_op.__name__] = call  # graphs record, and pickle by name, the public function
    return mark_builtin(cast(Any, call))


def _from_sublists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Returns the equation and the tensors of `einsum(x, [0, 1], y, [1], ..., [0])`."""
    paired = len(arguments) // 2 * 2
    try:
        terms = ["".join(map(_letter, labels)) for labels in arguments[1:paired:2]]
        right = "".join(map(_letter, arguments[paired])) if paired < len(arguments) else None
    except (TypeError, IndexError):
        raise SpecError(
            "ops.einsum",
            expected="an equation, or tensors each followed by the labels of its axes",
            received=f"{len(arguments)} arguments, the first of type {type(arguments[0]).__name__}",
            fix="call einsum('ij,j->i', x, y), or einsum(x, [0, 1], y, [1], [0])",
        ) from None
    equation = ",".join(terms) + ("" if right is None else f"->{right}")
    return equation, arguments[:paired:2]


def _letter(label: Any) -> str:
    return "..." if label is Ellipsis else ascii_letters[range(len(ascii_letters))[label]]


@_with_sublists
@op(rule=Rule(einsum_spec, promote=product_type))
def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """Sum of products in Einstein notation.

    Args:
        subscripts: The equation, for example `"ij,jk->ik"`. Without one, each tensor is followed
            by the labels of its axes, integers or `...`, and those of the result may end the call.
        *operands: A tensor for each term.

    Returns:
        Tensor of the shape on the right of the arrow, of the promoted dtype; int32 if all tensors
        are int8.

    Raises:
        ValueError: A tensor does not fit its term, or their numbers differ.

    Example:
        >>> int(einsum("i,i->", [1, 2], [3, 4]))
        11
        >>> int(einsum([1, 2], [0], [3, 4], [0]))
        11
    """
    ...


@op
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Outer product of two flattened tensors.

    Args:
        x1: Tensor with m elements.
        x2: Tensor with n elements.

    Returns:
        Tensor of shape `(m, n)`, of the promoted dtype.

    Example:
        >>> convert_to_numpy(outer([1, 2], [3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    return multiply(expand_dims(ravel(x1), 1), ravel(x2))


def _inner_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    dtype = dtypes.result_type(x1.dtype, x2.dtype)
    if not x1.shape or not x2.shape:
        return TensorSpec(x1.shape or x2.shape, dtype)
    if not is_size_compatible(x1.shape[-1], x2.shape[-1]):
        raise SpecError(
            "ops.inner",
            expected="last axes of one size",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="transpose one of them, or check the last axis of each",
        )
    return TensorSpec((*x1.shape[:-1], *x2.shape[:-1]), dtype)


@op(rule=Rule(_inner_spec, promote=dtypes.result_type))
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Inner product over the last axis of both tensors; for a scalar, the product.

    Args:
        x1: Tensor of shape `(..., n)`, or a scalar.
        x2: Tensor of shape `(..., n)`, or a scalar.

    Returns:
        Tensor of the other axes of `x1`, then of `x2`, of the promoted dtype.

    Raises:
        ValueError: The last sizes differ.

    Example:
        >>> int(inner([1, 2], [3, 4]))
        11
    """
    if not spec_of(x1).shape or not spec_of(x2).shape:
        return multiply(x1, x2)
    _inner_spec(spec_of(x1), spec_of(x2))
    return tensordot(x1, x2, ((-1,), (-1,)))


def _vdot_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    sizes = product(x1.shape), product(x2.shape)
    if not is_size_compatible(*sizes):
        raise SpecError(
            "ops.vdot",
            expected="tensors with the same number of elements",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="check the shapes",
        )
    return TensorSpec((), dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_vdot_spec, promote=dtypes.result_type))
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Dot product of two flattened tensors, the first one conjugated.

    Args:
        x1: Tensor with n elements.
        x2: Tensor with n elements.

    Returns:
        Scalar of the promoted dtype.

    Raises:
        ValueError: The numbers of elements differ.

    Example:
        >>> int(vdot([[1, 2], [3, 4]], [[1, 0], [0, 1]]))
        5
    """
    _vdot_spec(spec_of(x1), spec_of(x2))
    if "complex" in dtypes.result_type(spec_of(x1).dtype):
        x1 = conjugate(x1)
    return tensordot(ravel(x1), ravel(x2), 1)


def _align_ranks(x1: Shape, x2: Shape) -> tuple[Shape, Shape]:
    """Pads the shorter shape with leading ones."""
    rank = max(len(x1), len(x2))
    return (1,) * (rank - len(x1)) + tuple(x1), (1,) * (rank - len(x2)) + tuple(x2)


def _kron_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    a, b = _align_ranks(x1.shape, x2.shape)
    sizes = tuple(product(pair) for pair in zip(a, b, strict=True))
    return TensorSpec(sizes, dtypes.result_type(x1.dtype, x2.dtype))


@op(rule=Rule(_kron_spec, promote=dtypes.result_type))
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Kronecker product: each element of `x1` is replaced by itself times `x2`.

    Args:
        x1: Tensor of shape `(r0, ..., rn)`.
        x2: Tensor of shape `(s0, ..., sn)`. The tensor of lower rank is given leading axes.

    Returns:
        Tensor of shape `(r0 * s0, ..., rn * sn)`, of the promoted dtype.

    Example:
        >>> convert_to_numpy(kron([1, 10], [1, 2])).tolist()
        [1, 2, 10, 20]
    """
    x1, x2 = promote_scalars(x1, x2)
    a, b = _align_ranks(shape_of(x1), shape_of(x2))  # sizes may be scalar tensors
    left = reshape(x1, [size for n in a for size in (n, 1)])
    right = reshape(x2, [size for n in b for size in (1, n)])
    sizes: list[Any] = [math.prod(pair) for pair in zip(a, b, strict=True)]  # type: ignore[arg-type]
    return reshape(multiply(left, right), sizes)


def _cross_axes(axisa: int, axisb: int, axisc: int, axis: int | None) -> tuple[int, int, int]:
    return (axisa, axisb, axisc) if axis is None else (axis, axis, axis)


def _cross_spec(
    x1: TensorSpec,
    x2: TensorSpec,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> TensorSpec:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    names = ("axis", "axis") if axis is not None else ("axisa", "axisb")
    axes = [
        normalize_axis(a, len(x.shape), "ops.cross", name)
        for a, x, name in ((axisa, x1, names[0]), (axisb, x2, names[1]))
    ]
    sizes = [x.shape[i] for i, x in zip(axes, (x1, x2), strict=True)]
    if any(n not in (2, 3) for n in sizes):
        raise SpecError(
            "ops.cross",
            expected="vectors of 2 or 3 elements, of static size",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="check axisa and axisb",
        )
    batch = [(*x.shape[:i], *x.shape[i + 1 :]) for i, x in zip(axes, (x1, x2), strict=True)]
    shape = list(broadcast(*batch, source="ops.cross"))
    if 3 in sizes:
        shape.insert(normalize_axis(axisc, len(shape) + 1, "ops.cross"), 3)
    return TensorSpec(tuple(shape), difference_type("ops.cross")(x1.dtype, x2.dtype))


@op(rule=Rule(_cross_spec, promote=difference_type("ops.cross")))
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """Cross product of vectors with 2 or 3 elements; a missing third element is 0.

    Args:
        x1: Tensor with vectors of 2 or 3 elements along an axis.
        x2: Tensor with vectors of 2 or 3 elements along an axis; the other axes broadcast.
        axisa: Axis of the vectors in `x1`.
        axisb: Axis of the vectors in `x2`.
        axisc: Axis of the vectors in the result. If both vectors have two elements, the result is
            the third element alone and has no such axis.
        axis: The axis of the vectors in all three tensors, instead of the above.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Raises:
        ValueError: The vectors are not of size 2 or 3.
        TypeError: Both tensors are boolean.

    Example:
        >>> convert_to_numpy(cross([1, 0, 0], [0, 1, 0])).tolist()
        [0, 0, 1]
    """
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    _cross_spec(spec_of(x1), spec_of(x2), axisa, axisb, axisc)
    a, b = _vector_elements(x1, axisa), _vector_elements(x2, axisb)
    third = subtract(multiply(a[0], b[1]), multiply(a[1], b[0]))
    if len(a) == len(b) == 2:
        return third
    first, second = _cross_component(a, b, 1, 2), _cross_component(a, b, 2, 0)
    return moveaxis(stack([first, second, third], axis=-1), -1, axisc)


def _vector_elements(x: TensorLike, axis: int) -> list[Tensor]:
    vectors = moveaxis(x, axis, -1)
    return [getitem(vectors, (Ellipsis, i)) for i in range(vectors.shape[-1])]


def _cross_component(a: list[Tensor], b: list[Tensor], i: int, j: int) -> Tensor:
    """Returns `a[i] * b[j] - a[j] * b[i]`; a missing third element is 0."""
    if max(i, j) >= len(a):
        return multiply(a[i], b[j]) if i < j else negative(multiply(a[j], b[i]))
    if max(i, j) >= len(b):
        return negative(multiply(a[j], b[i])) if i < j else multiply(a[i], b[j])
    return subtract(multiply(a[i], b[j]), multiply(a[j], b[i]))
