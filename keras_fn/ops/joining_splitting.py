"""Joining and splitting: concatenate, stack, append, split, unstack and their variants."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible, is_size_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import normalize_axis, product
from keras_fn.ops.arithmetic import minimum
from keras_fn.ops.core import convert_to_tensor, ndim, shape as shape_of
from keras_fn.ops.indexing import getitem
from keras_fn.ops.manipulation import check_min_rank, expand_dims, reshape
from keras_fn.types import Tensor, TensorLike


@op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """Appends `x2` to the end of `x1`.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of the shape of `x1` except for `axis`; of any shape if `axis` is None.
        axis: Axis to join along; None joins the flattened tensors.

    Returns:
        Tensor of the promoted dtype.

    Example:
        >>> convert_to_numpy(append([1, 2], [[3], [4]])).tolist()
        [1, 2, 3, 4]
    """
    return concatenate([x1, x2], axis=axis)


def _at_least_1d(x: TensorLike) -> Tensor:
    return convert_to_tensor(x) if ndim(x) else reshape(x, (1,))


def _at_least_2d(x: TensorLike) -> Tensor:
    x = _at_least_1d(x)
    return x if ndim(x) > 1 else expand_dims(x, 0)


@op
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Stacks tensors horizontally: along axis 1, or along axis 0 for tensors of rank 1.

    Example:
        >>> convert_to_numpy(hstack([[1, 2], [3]])).tolist()
        [1, 2, 3]
    """
    tensors = [_at_least_1d(x) for x in xs]
    return concatenate(tensors, axis=0 if ndim(tensors[0]) == 1 else 1)


@op
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Stacks tensors vertically: along axis 0. A tensor of rank 1 is a row.

    Example:
        >>> convert_to_numpy(vstack([[1, 2], [3, 4]])).tolist()
        [[1, 2], [3, 4]]
    """
    return concatenate([_at_least_2d(x) for x in xs], axis=0)


@op
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Stacks tensors along axis 2, which is added to tensors of lower rank.

    Example:
        >>> convert_to_numpy(dstack([[1, 2], [3, 4]])).tolist()
        [[[1, 3], [2, 4]]]
    """
    tensors = [x if ndim(x) > 2 else expand_dims(_at_least_2d(x), 2) for x in xs]
    return concatenate(tensors, axis=2)


def _part_edges(size: int, parts: int) -> list[int]:
    """Returns the indices that split `size` elements; the first parts may be longer by one."""
    part_size, longer = divmod(size, parts)
    return [i * part_size + min(i, longer) for i in range(parts + 1)]


def _array_split_spec(
    x: TensorSpec, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[TensorSpec]:
    axis = normalize_axis(axis, len(x.shape), "ops.array_split")
    size, parts = x.shape[axis], indices_or_sections
    if isinstance(parts, int) and parts < 1:
        raise SpecError(
            "ops.array_split",
            expected="at least one part",
            received=f"indices_or_sections={parts}",
            fix="pass the number of parts, or the indices at which to split",
        )
    edges: Any = [0, *parts, size] if not isinstance(parts, int) else [0] * (parts + 1)
    if isinstance(parts, int) and size is not None:
        edges = _part_edges(size, parts)
    sizes = part_sizes(size, edges)
    return [TensorSpec((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype) for n in sizes]


@op(rule=Rule(_array_split_spec))
def array_split(
    x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[Tensor]:
    """Splits a tensor along an axis into parts whose sizes may differ by one.

    Args:
        x: Tensor of rank 1 or more.
        indices_or_sections: Number of parts (the first ones are longer by one if the size is not
            divisible), or the indices at which to split.
        axis: Axis to split along.

    Returns:
        List of tensors of the dtype of `x`.

    Raises:
        ValueError: The number of parts is not positive.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    size, parts = shape_of(x)[axis], indices_or_sections
    if isinstance(size, int):
        return split(x, _part_edges(size, parts)[1:-1], axis)
    before = (slice(None),) * normalize_axis(axis, ndim(x))
    part_size, longer = size // parts, size % parts  # tensors, if the size is not static
    edges = [i * part_size + minimum(i, longer) for i in range(parts + 1)]
    return [getitem(x, (*before, slice(a, b))) for a, b in pairwise(edges)]


@op
def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Splits horizontally: along axis 1, or along axis 0 for a tensor of rank 1; see `split`.

    Args:
        x: Tensor of rank 1 or more.
        indices_or_sections: Number of equal parts, or the indices at which to split.

    Returns:
        List of tensors of the dtype of `x`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    check_min_rank(x, 1, "ops.hsplit")
    return split(x, indices_or_sections, axis=0 if ndim(x) == 1 else 1)


@op
def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Splits vertically: along axis 0; see `split`.

    Args:
        x: Tensor of rank 2 or more.
        indices_or_sections: Number of equal parts, or the indices at which to split.

    Returns:
        List of tensors of the dtype of `x`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    check_min_rank(x, 2, "ops.vsplit")
    return split(x, indices_or_sections, axis=0)


@op
def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Splits in depth: along axis 2; see `split`.

    Args:
        x: Tensor of rank 3 or more.
        indices_or_sections: Number of equal parts, or the indices at which to split.

    Returns:
        List of tensors of the dtype of `x`.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in dsplit([[[1, 2]]], 2)]
        [[[[1]]], [[[2]]]]
    """
    check_min_rank(x, 3, "ops.dsplit")
    return split(x, indices_or_sections, axis=2)


def _concatenate_spec(xs: Sequence[TensorSpec], axis: int | None = 0) -> TensorSpec:
    dtype = dtypes.result_type(*(x.dtype for x in xs))
    if axis is None:
        sizes = [product(x.shape) for x in xs]
        return TensorSpec((None if None in sizes else builtins.sum(sizes),), dtype)  # type: ignore[arg-type]
    first = xs[0].shape
    axis = normalize_axis(axis, len(first), "ops.concatenate")
    shape = list(first)
    for x in xs[1:]:
        if len(x.shape) != len(first):
            raise _concatenate_error(xs, axis)
        for i, (a, b) in enumerate(zip(shape, x.shape, strict=True)):
            if i == axis:
                shape[i] = None if a is None or b is None else a + b
            elif not is_size_compatible(a, b):
                raise _concatenate_error(xs, axis)
            else:
                shape[i] = b if a is None else a
    return TensorSpec(tuple(shape), dtype)


def _concatenate_error(xs: Sequence[TensorSpec], axis: int) -> SpecError:
    return SpecError(
        "ops.concatenate",
        expected=f"shapes that are equal except for axis {axis}",
        received=", ".join(str(x.shape) for x in xs),
        fix="reshape or pad the tensors, or concatenate along another axis",
    )


@op(rule=Rule(_concatenate_spec, promote=dtypes.result_type))
def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Concatenates tensors along an existing axis.

    Args:
        xs: Tensors of equal shapes except for the size of `axis`.
        axis: Axis to join along; None joins the flattened tensors.

    Returns:
        Tensor of the promoted dtype.

    Raises:
        ValueError: The shapes do not fit.

    Example:
        >>> convert_to_numpy(concatenate([[1, 2], [3]])).tolist()
        [1, 2, 3]
    """
    ...


def _stack_spec(xs: Sequence[TensorSpec], axis: int = 0) -> TensorSpec:
    shape = list(xs[0].shape)
    for x in xs[1:]:
        if not is_compatible(shape, x.shape):
            raise SpecError(
                "ops.stack",
                expected="tensors of the same shape",
                received=", ".join(str(t.shape) for t in xs),
                fix="reshape or pad the tensors",
            )
        shape = [b if a is None else a for a, b in zip(shape, x.shape, strict=True)]
    shape.insert(normalize_axis(axis, len(shape) + 1, "ops.stack"), len(xs))
    return TensorSpec(tuple(shape), dtypes.result_type(*(x.dtype for x in xs)))


@op(rule=Rule(_stack_spec, promote=dtypes.result_type))
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Stacks tensors of the same shape along a new axis.

    Args:
        x: Tensors of the same shape.
        axis: Index of the new axis in the result.

    Returns:
        Tensor of the promoted dtype, with one more axis.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> convert_to_numpy(stack([[1, 2], [3, 4]], axis=1)).tolist()
        [[1, 3], [2, 4]]
    """
    ...


def split_sizes(
    size: int | None, indices_or_sections: int | Sequence[int], source: str
) -> list[int | None]:
    """Returns the sizes of the parts into which `split` divides an axis.

    Args:
        size: Size of the axis; None if it is unknown.
        indices_or_sections: Number of equal parts, or the indices at which to split.
        source: Name of the op, for errors.

    Raises:
        SpecError: The size is not divisible by the number of parts.
    """
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        if parts < 1 or (size is not None and size % parts):
            raise SpecError(
                source,
                expected=f"an axis whose size is divisible by {parts}",
                received=f"size {size}, indices_or_sections={parts}",
                fix="pass the indices at which to split, or use ops.array_split",
            )
        return [None if size is None else size // parts] * parts
    return part_sizes(size, [0, *indices_or_sections, size])


def part_sizes(size: int | None, edges: Sequence[Any]) -> list[int | None]:
    """Returns the sizes of the slices between edges, as Python slices a sequence.

    Args:
        size: Size of the axis; None if it is unknown.
        edges: Indices at which the parts start, and the end of the last one.
    """
    if size is None:
        return [None] * (len(edges) - 1)
    return [len(range(size)[a:b]) for a, b in pairwise(edges)]


def _split_spec(
    x: TensorSpec, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[TensorSpec]:
    axis = normalize_axis(axis, len(x.shape), "ops.split")
    sizes = split_sizes(x.shape[axis], indices_or_sections, "ops.split")
    return [TensorSpec((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype) for size in sizes]


@op(rule=Rule(_split_spec))
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Splits a tensor along an axis into parts.

    Args:
        x: Tensor of rank 1 or more.
        indices_or_sections: Number of equal parts, or the indices at which to split.
        axis: Axis to split along.

    Returns:
        List of tensors of the dtype of `x`.

    Raises:
        ValueError: The size of the axis is not divisible by the number of parts.

    Example:
        >>> [convert_to_numpy(part).tolist() for part in split([1, 2, 3, 4], 2)]
        [[1, 2], [3, 4]]
    """
    ...


def _unstack_spec(x: TensorSpec, num: int | None = None, axis: int = 0) -> list[TensorSpec]:
    axis = normalize_axis(axis, len(x.shape), "ops.unstack")
    count = num if x.shape[axis] is None else x.shape[axis]
    if count is not None and num not in (None, count):
        raise SpecError(
            "ops.unstack",
            expected=f"num={count}, the size of axis {axis}",
            received=f"num={num} for a tensor of shape {x.shape}",
            fix="omit num=",
        )
    if count is None:
        raise SpecError(
            "ops.unstack",
            expected="num, or an axis of static size",
            received=f"axis {axis} of shape {x.shape}",
            fix="pass num=",
        )
    return [TensorSpec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)] * count


@op(rule=Rule(_unstack_spec))
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Splits a tensor into its slices along an axis, which is removed.

    Args:
        x: Tensor of rank 1 or more.
        num: Number of slices; needed only if the size of the axis is unknown.
        axis: Axis to split along.

    Returns:
        List of tensors of the dtype of `x`, with one axis less.

    Raises:
        ValueError: The size of the axis is unknown and `num` is missing.

    Example:
        >>> [convert_to_numpy(row).tolist() for row in unstack([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
    """
    ...
