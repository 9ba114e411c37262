"""Slicing at start indices, static or dynamic, and writing into slices."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops.arithmetic import add, maximum, minimum, subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import reshape, unstack
from keras_fn.types import Tensor, TensorLike

# ---------------------------------------------------------------- blocks


def _starts(start_indices: Any, rank: int, source: str) -> list[Any]:
    """Where a block begins along each axis: numbers where they are known, else scalars."""
    if isinstance(start_indices, (list, tuple)):
        starts = list(start_indices)
    elif isinstance(start_indices, np.ndarray) and not current().is_tensor(start_indices):
        starts = start_indices.tolist()
    else:
        starts = unstack(start_indices, num=rank)
    if len(starts) != rank:
        raise SpecError(
            source,
            expected=f"a start for each of the {rank} axes",
            received=f"{len(starts)} starts",
            fix="start at 0 where all of an axis is meant",
        )
    return starts


def _known(starts: list[Any]) -> bool:
    return all(isinstance(start, (int, np.integer)) for start in starts)


def _check_inside(starts: list[Any], sizes: list[Any], whole: Shape, source: str) -> None:
    for start, size, limit in zip(starts, sizes, whole, strict=True):
        begin = start if isinstance(start, (int, np.integer)) else 0
        if begin < 0 or (None not in (size, limit) and begin + size > limit):
            raise SpecError(
                source,
                expected=f"a block inside a tensor of shape {whole}",
                received=f"a block of shape {tuple(sizes)} that begins at {tuple(starts)}",
                fix="check where it begins, and its shape",
            )


@op
def slice(inputs: TensorLike, start_indices: Sequence[TensorLike], shape: Any) -> Tensor:
    """The block of `inputs` of a shape that begins at `start_indices`.

    Args:
        inputs: Tensor of rank `n`.
        start_indices: `n` integers, or a tensor of them. A block that would reach beyond the end
            is moved back, where the integers are known at run time only.
        shape: `n` sizes; -1 for all that is left of an axis, where its start is a number.

    Returns:
        A tensor of that shape.

    Raises:
        ValueError: The block is not inside `inputs`.

    Example:
        >>> convert_to_numpy(slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))).tolist()
        [[2, 3], [5, 6]]
    """
    whole = spec_of(inputs).shape
    starts = _starts(start_indices, len(whole), "ops.slice")
    sizes = [int(size) for size in shape]
    if len(sizes) != len(whole):
        raise SpecError(
            "ops.slice",
            expected=f"a size for each of the {len(whole)} axes",
            received=f"shape={tuple(sizes)}",
            fix="give the size of the block along every axis",
        )
    for i, size in enumerate(sizes):
        if size == -1:
            sizes[i] = _left(starts[i], whole[i])
    _check_inside(starts, sizes, whole, "ops.slice")
    if _known(starts):
        ends = [None if n is None else a + n for a, n in zip(starts, sizes, strict=True)]
        return getitem(inputs, tuple(map(builtins.slice, starts, ends)))
    return dynamic_slice(inputs, starts, sizes)


def _left(start: Any, size: int | None) -> Any:
    """How much of an axis is left after a start; None for an unknown size."""
    if not isinstance(start, (int, np.integer)):
        raise SpecError(
            "ops.slice",
            expected="sizes that are known",
            received="-1 where the start is a tensor",
            fix="say how many elements to take",
        )
    return None if size is None else size - start


def _dynamic_slice(inputs: TensorSpec, starts: Sequence[Any], sizes: Sequence[int]) -> TensorSpec:
    return TensorSpec(tuple(sizes), inputs.dtype)


@op(rule=Rule(_dynamic_slice))
def dynamic_slice(inputs: TensorLike, starts: Sequence[TensorLike], sizes: Any) -> Tensor:
    """The block that begins at scalars `starts`, moved back where it would reach beyond the end."""
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        begin = _clamped(start, shape_of(inputs)[axis], size)
        inputs = take(inputs, add(arange(size, dtype="int32"), begin), axis)
    return inputs


def _clamped(start: Tensor, whole: Any, size: Any) -> Tensor:
    return maximum(minimum(cast(start, "int32"), whole - size), 0)


@op
def slice_update(
    inputs: TensorLike, start_indices: Sequence[TensorLike], updates: TensorLike
) -> Tensor:
    """A copy of `inputs` with the block that begins at `start_indices` replaced.

    Args:
        inputs: Tensor of rank `n`.
        start_indices: `n` integers, or a tensor of them; see `slice`.
        updates: The block: a tensor of rank `n`, which is cast to the dtype of `inputs`.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: The block does not fit inside `inputs`.

    Example:
        >>> convert_to_numpy(slice_update([[1, 2], [3, 4]], (1, 0), [[7, 8]])).tolist()
        [[1, 2], [7, 8]]
    """
    whole, block = spec_of(inputs), spec_of(updates)
    starts = _starts(start_indices, len(whole.shape), "ops.slice_update")
    if len(block.shape) != len(whole.shape):
        raise SpecError(
            "ops.slice_update",
            expected=f"updates of rank {len(whole.shape)}, as inputs have",
            received=f"updates of shape {block.shape}",
            fix="add axes with ops.expand_dims",
        )
    _check_inside(starts, list(block.shape), whole.shape, "ops.slice_update")
    return dynamic_slice_update(inputs, starts, cast(updates, dtypes.result_type(whole.dtype)))


@op(rule=Rule(lambda inputs, starts, updates: inputs))
def dynamic_slice_update(
    inputs: TensorLike, starts: Sequence[TensorLike], updates: TensorLike
) -> Tensor:
    """`slice_update` of a block that fits, in the dtype of `inputs`."""
    inside: Any = True
    for axis, start in enumerate(starts):
        whole, size = shape_of(inputs)[axis], shape_of(updates)[axis]
        place = subtract(arange(whole, dtype="int32"), _clamped(start, whole, size))
        if size == 0:
            return inputs
        updates = take(updates, place, axis)  # clips; what is outside is not looked at
        here = logical_and(greater_equal(place, 0), less(place, size))
        inside = logical_and(
            inside, reshape(here, [-1 if i == axis else 1 for i in range(len(starts))])
        )
    return where(inside, updates, inputs)
