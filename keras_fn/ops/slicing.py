"""Slices at static or dynamic start indices, and their updates."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.scopes import context
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops.arithmetic import add, maximum, minimum, subtract
from keras_fn.ops.core import cast, convert_to_tensor, shape as shape_of
from keras_fn.ops.creation import arange, list_sizes
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.joining_splitting import unstack
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Tensor, TensorLike


def _standardize_starts(start_indices: Any, rank: int, source: str) -> list[Any]:
    """Returns the start of a block along each axis: an integer if it is static, else a scalar."""
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
            fix="pass 0 to start at the beginning of an axis",
        )
    return starts


def _are_static(starts: list[Any]) -> bool:
    return all(isinstance(start, (int, np.integer)) for start in starts)


def _check_inside(starts: list[Any], sizes: list[Any], whole: Shape, source: str) -> None:
    for start, size, limit in zip(starts, sizes, whole, strict=True):
        begin = start if isinstance(start, (int, np.integer)) else 0
        end = begin + size if isinstance(size, int) else 0
        if begin < 0 or (limit is not None and end > limit):
            raise SpecError(
                source,
                expected=f"a block inside a tensor of shape {whole}",
                received=f"a block of shape {tuple(sizes)} that starts at {tuple(starts)}",
                fix="check its start and its shape",
            )


@op
def slice(
    inputs: TensorLike, start_indices: Sequence[TensorLike], shape: Sequence[int | None]
) -> Tensor:
    """Slices a block of a given shape that starts at given indices.

    Args:
        inputs: Tensor of rank `n`.
        start_indices: `n` integers, or an integer tensor of shape `(n,)`. If they are known only at
            run time, a block that would exceed the end is moved back.
        shape: `n` sizes; -1 for the rest of an axis whose start is static. None for a size that is
            unknown, where only shapes are inferred.

    Returns:
        Tensor of that shape, of the dtype of `inputs`.

    Raises:
        ValueError: The block is not inside `inputs`.

    Example:
        >>> convert_to_numpy(slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))).tolist()
        [[2, 3], [5, 6]]
    """
    whole = spec_of(inputs).shape
    starts = _standardize_starts(start_indices, len(whole), "ops.slice")
    wanted = list_sizes(shape)
    if context.current.symbolic and any(size is None for size in wanted):
        return dynamic_slice(inputs, starts, wanted)  # only the shape of the result counts
    sizes = list(map(_to_known_size, wanted))
    if len(sizes) != len(whole):
        raise SpecError(
            "ops.slice",
            expected=f"a size for each of the {len(whole)} axes",
            received=f"shape={tuple(sizes)}",
            fix="pass the size of the block along every axis",
        )
    for i, size in enumerate(sizes):
        if isinstance(size, int) and size == -1:
            sizes[i] = _remaining_size(starts[i], whole[i])
    _check_inside(starts, sizes, whole, "ops.slice")
    if _are_static(starts):
        ends = [None if n is None else a + n for a, n in zip(starts, sizes, strict=True)]
        return getitem(inputs, tuple(map(builtins.slice, starts, ends)))
    return dynamic_slice(inputs, starts, sizes)


def _to_known_size(size: Any) -> Any:
    """Returns a size as an int if its value is known: not of a trace, nor a framework's symbol."""
    is_value = current().is_tensor(size) and not current().is_traced(size)
    return int(size) if is_value or isinstance(size, np.integer) else size


def _remaining_size(start: Any, size: int | None) -> Any:
    """Returns the number of elements of an axis after a start; None for an unknown size."""
    if not isinstance(start, (int, np.integer)):
        raise SpecError(
            "ops.slice",
            expected="a static size",
            received="-1 for an axis whose start is a tensor",
            fix="pass the number of elements",
        )
    return None if size is None else size - start


def _dynamic_slice_spec(
    inputs: TensorSpec, starts: Sequence[Any], sizes: Sequence[int | None]
) -> TensorSpec:
    return TensorSpec(tuple(sizes), inputs.dtype)


@op(rule=Rule(_dynamic_slice_spec))
def dynamic_slice(
    inputs: TensorLike, starts: Sequence[TensorLike], sizes: Sequence[int | None]
) -> Tensor:
    """The block that starts at scalar tensors, moved back if it would exceed the end.

    Args:
        inputs: Tensor of rank `n`.
        starts: `n` integer scalars.
        sizes: `n` sizes.

    Returns:
        Tensor of shape `sizes`, of the dtype of `inputs`.
    """
    block = convert_to_tensor(inputs)
    known: Sequence[Any] = sizes  # None where only shapes are inferred, by the rule
    for axis, (start, size) in enumerate(zip(starts, known, strict=True)):
        first = _clamp_start(start, shape_of(block)[axis], size)
        block = take(block, add(arange(size, dtype="int32"), first), axis)
    return block


def _clamp_start(start: TensorLike, whole: Any, size: Any) -> Tensor:
    return maximum(minimum(cast(start, "int32"), whole - size), 0)


@op
def slice_update(
    inputs: TensorLike, start_indices: Sequence[TensorLike], updates: TensorLike
) -> Tensor:
    """Returns a copy of a tensor with a block replaced.

    Args:
        inputs: Tensor of rank `n`.
        start_indices: `n` integers, or an integer tensor of shape `(n,)`; see `slice`.
        updates: The new block: a tensor of rank `n`, which is cast to the dtype of `inputs`.

    Returns:
        Tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: The block does not fit inside `inputs`.

    Example:
        >>> convert_to_numpy(slice_update([[1, 2], [3, 4]], (1, 0), [[7, 8]])).tolist()
        [[1, 2], [7, 8]]
    """
    whole, block = spec_of(inputs), spec_of(updates)
    starts = _standardize_starts(start_indices, len(whole.shape), "ops.slice_update")
    if len(block.shape) != len(whole.shape):
        raise SpecError(
            "ops.slice_update",
            expected=f"updates of rank {len(whole.shape)}, like inputs",
            received=f"updates of shape {block.shape}",
            fix="add axes with ops.expand_dims",
        )
    _check_inside(starts, list(block.shape), whole.shape, "ops.slice_update")
    return dynamic_slice_update(inputs, starts, cast(updates, dtypes.result_type(whole.dtype)))


@op(rule=Rule(lambda inputs, starts, updates: inputs))
def dynamic_slice_update(
    inputs: TensorLike, starts: Sequence[TensorLike], updates: TensorLike
) -> Tensor:
    """The primitive of `slice_update`: the block fits, and has the dtype of `inputs`.

    Args:
        inputs: Tensor of rank `n`.
        starts: `n` integer scalars.
        updates: Tensor of rank `n`.

    Returns:
        Tensor of the shape and dtype of `inputs`.
    """
    inside: Any = True
    for axis, start in enumerate(starts):
        whole, size = shape_of(inputs)[axis], shape_of(updates)[axis]
        offset = subtract(arange(whole, dtype="int32"), _clamp_start(start, whole, size))
        if size == 0:
            return convert_to_tensor(inputs)
        updates = take(updates, offset, axis)  # clipped; elements outside are not selected
        is_inside = logical_and(greater_equal(offset, 0), less(offset, size))
        inside = logical_and(
            inside, reshape(is_inside, [-1 if i == axis else 1 for i in range(len(starts))])
        )
    return where(inside, updates, inputs)
