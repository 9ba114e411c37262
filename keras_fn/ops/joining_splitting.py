"""Joining and splitting along named directions: hstack, vsplit and their relatives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.arithmetic import minimum
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.manipulation import (
    _need_rank,
    _rank,
    concatenate,
    expand_dims,
    part_sizes,
    reshape,
    split,
)
from keras_fn.types import Tensor, TensorLike

# ---------------------------------------------------------------- joins


@op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """Joins `x2` to the end of `x1`.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of the shape of `x1` but for `axis`; of any shape where `axis` is None.
        axis: The axis along which they are joined; None joins them flattened.

    Example:
        >>> convert_to_numpy(append([1, 2], [[3], [4]])).tolist()
        [1, 2, 3, 4]
    """
    return concatenate([x1, x2], axis=axis)


def _at_least_1d(x: Tensor) -> Tensor:
    return x if _rank(x) else reshape(x, (1,))


def _at_least_2d(x: Tensor) -> Tensor:
    x = _at_least_1d(x)
    return x if _rank(x) > 1 else expand_dims(x, 0)


@op
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Joins tensors along the second axis, those of rank 1 along the first.

    Example:
        >>> convert_to_numpy(hstack([[1, 2], [3]])).tolist()
        [1, 2, 3]
    """
    wide = [_at_least_1d(x) for x in xs]
    return concatenate(wide, axis=0 if _rank(wide[0]) == 1 else 1)


@op
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Joins tensors along the first axis; one of rank 1 is a row.

    Example:
        >>> convert_to_numpy(vstack([[1, 2], [3, 4]])).tolist()
        [[1, 2], [3, 4]]
    """
    return concatenate([_at_least_2d(x) for x in xs], axis=0)


@op
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Joins tensors along the third axis, which those of a lower rank get.

    Example:
        >>> convert_to_numpy(dstack([[1, 2], [3, 4]])).tolist()
        [[[1, 3], [2, 4]]]
    """
    deep = [x if _rank(x) > 2 else expand_dims(_at_least_2d(x), 2) for x in xs]
    return concatenate(deep, axis=2)


# ---------------------------------------------------------------- splits


def _part_edges(size: int, parts: int) -> list[int]:
    """Where `size` elements are cut into parts, the first of which may be longer by one."""
    least, longer = divmod(size, parts)
    return [i * least + min(i, longer) for i in range(parts + 1)]


def _array_split(x: TensorSpec, indices_or_sections: Any, axis: int = 0) -> list[TensorSpec]:
    place = normalize_axis(axis, len(x.shape), "ops.array_split")
    size, parts = x.shape[place], indices_or_sections
    if isinstance(parts, int) and parts < 1:
        raise SpecError(
            "ops.array_split",
            expected="one part or more",
            received=f"indices_or_sections={parts}",
            fix="say how many parts, or at which indices to split",
        )
    edges: Any = [0, *parts, size] if not isinstance(parts, int) else [0] * (parts + 1)
    if isinstance(parts, int) and size is not None:
        edges = _part_edges(size, parts)
    sizes = part_sizes(size, edges)
    return [TensorSpec((*x.shape[:place], n, *x.shape[place + 1 :]), x.dtype) for n in sizes]


@op(rule=Rule(_array_split))
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> Any:
    """Splits along `axis` into parts that need not be equal.

    Args:
        x: Tensor of rank 1 or more.
        indices_or_sections: How many parts, the first of which are longer by one where the size
            cannot be divided; or the indices before which to split.
        axis: The axis.

    Returns:
        A list of tensors.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    size, parts = shape_of(x)[axis], indices_or_sections
    if isinstance(size, int):
        return split(x, _part_edges(size, parts)[1:-1], axis)
    before = (slice(None),) * normalize_axis(axis, _rank(x))
    least, longer = size // parts, size % parts  # tensors: a graph that does not know its sizes
    edges = [i * least + minimum(i, longer) for i in range(parts + 1)]
    return [getitem(x, (*before, slice(a, b))) for a, b in pairwise(edges)]


@op
def hsplit(x: TensorLike, indices_or_sections: Any) -> Any:
    """Splits along the second axis, or the only one; see `split`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    _need_rank(x, 1, "ops.hsplit")
    return split(x, indices_or_sections, axis=0 if _rank(x) == 1 else 1)


@op
def vsplit(x: TensorLike, indices_or_sections: Any) -> Any:
    """Splits a tensor of rank 2 or more along the first axis; see `split`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    _need_rank(x, 2, "ops.vsplit")
    return split(x, indices_or_sections, axis=0)


@op
def dsplit(x: TensorLike, indices_or_sections: Any) -> Any:
    """Splits a tensor of rank 3 or more along the third axis; see `split`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in dsplit([[[1, 2]]], 2)]
        [[[[1]]], [[[2]]]]
    """
    _need_rank(x, 3, "ops.dsplit")
    return split(x, indices_or_sections, axis=2)
