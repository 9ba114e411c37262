"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op
from keras_fn.ops._rules import broadcast, normalize_axes
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import multiply
from keras_fn.ops.shapes import expand_dims, ravel


def product_of(x1: Spec, x2: Spec) -> Spec:
    """The result of `matmul`."""
    dtype = dtypes.result_type(x1.dtype, x2.dtype)
    a, b = x1.shape, x2.shape
    if not a or not b:
        raise SpecError(
            "ops.matmul", expected="tensors of rank 1 or more", given=f"shapes {a} and {b}",
            fix="use ops.multiply for scalars",
        )  # fmt: skip
    rows, inner = (a[:-1] or (1,))[-1], a[-1]
    height, columns = b[-2:] if len(b) > 1 else (*b, 1)
    if None not in (inner, height) and inner != height:
        raise SpecError(
            "ops.matmul",
            expected=f"a second tensor with {inner} rows, as the first has {inner} columns",
            given=f"shapes {a} and {b}",
            fix="transpose one of them, or check the last axis of the first",
        )
    batch = broadcast(a[:-2], b[:-2], who="ops.matmul") if len(a) > 2 or len(b) > 2 else ()
    tail = (rows,) * (len(a) > 1) + (columns,) * (len(b) > 1)
    return Spec((*batch, *tail), dtype)


@op(rule=Rule(product_of, operands=dtypes.result_type))
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
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


@op
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """Product over the last axis of `x1` and the last but one of `x2`, without broadcasting.

    Example:
        >>> int(dot([1, 2], [3, 4]))
        11
    """
    if not len(getattr(x1, "shape", ())) or not len(getattr(x2, "shape", ())):  # a number has none
        return multiply(x1, x2)
    return tensordot(x1, x2, [[-1], [max(len(x2.shape) - 2, 0)]])


def _tensordot(x1: Spec, x2: Spec, axes: Any = 2) -> Spec:
    left, right = tensordot_axes(axes, len(x1.shape), len(x2.shape))
    for i, j in zip(left, right, strict=True):
        if None not in (x1.shape[i], x2.shape[j]) and x1.shape[i] != x2.shape[j]:
            raise SpecError(
                "ops.tensordot",
                expected="axes of equal sizes",
                given=f"sizes {x1.shape[i]} and {x2.shape[j]} of shapes {x1.shape} and {x2.shape}",
                fix="check axes=",
            )
    kept = [n for i, n in enumerate(x1.shape) if i not in left]
    kept += [n for i, n in enumerate(x2.shape) if i not in right]
    return Spec(tuple(kept), dtypes.result_type(x1.dtype, x2.dtype))


def tensordot_axes(axes: Any, rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the axes of both tensors that are summed over."""
    if isinstance(axes, int):
        return tuple(range(rank1 - axes, rank1)), tuple(range(axes))
    left, right = axes
    return normalize_axes(left, rank1), normalize_axes(right, rank2)


@op(rule=Rule(_tensordot, operands=dtypes.result_type))
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """Sums products over the last `axes` axes of `x1` and the first of `x2`, or over given ones.

    Example:
        >>> int(tensordot([1, 2], [3, 4], axes=1))
        11
    """


def _einsum(subscripts: str, *operands: Spec, **_: Any) -> Spec:
    inputs, output, sizes = einsum_axes(subscripts, [x.shape for x in operands])
    del inputs
    return Spec(
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
            "ops.einsum", expected=f"{len(terms)} tensors, one for each term of {subscripts!r}",
            given=f"{len(shapes)}", fix="check the commas of the equation",
        )  # fmt: skip
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
        given=f"shape {shape}",
        fix="one letter an axis, equal letters for equal sizes, '...' for the rest",
    )


@op(rule=Rule(_einsum, operands=dtypes.result_type))
def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """Sum of products in Einstein's notation.

    Args:
        subscripts: For example `"ij,jk->ik"`.
        *operands: The tensors, one for each term.

    Example:
        >>> int(einsum("i,i->", [1, 2], [3, 4]))
        11
    """


@op
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    """All products of an element of `x1` with one of `x2`, both flattened.

    Example:
        >>> convert_to_numpy(outer([1, 2], [3, 4])).tolist()
        [[3, 4], [6, 8]]
    """
    return multiply(expand_dims(ravel(x1), 1), ravel(x2))
