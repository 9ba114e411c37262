"""Ops that write: elements or a block of a tensor replaced, everything else kept."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import broadcast
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import (
    add,
    greater_equal,
    less,
    logical_and,
    maximum,
    minimum,
    subtract,
    where,
)
from keras_fn.ops.core import cast
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import arange, zeros
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.shapes import reshape, unstack

REDUCTIONS = (None, "add", "max", "min", "mul")


def _scatter_update(
    inputs: Spec, indices: Spec, updates: Spec, reduction: str | None = None, who: str = ""
) -> Spec:
    who = who or "ops.scatter_update"
    if reduction not in REDUCTIONS:
        raise SpecError(
            who, expected="None, 'add', 'max', 'min' or 'mul'", given=f"reduction={reduction!r}",
            fix="choose how updates meet what stands there",
        )  # fmt: skip
    name = dtypes.result_type(indices.dtype)
    if not dtypes.is_int(name):
        raise DTypeError(who, expected="indices that are integers", given=name,
                         fix="cast them with ops.cast(indices, 'int32')")  # fmt: skip
    depth = indices.shape[-1] if indices.shape else None
    if depth is None or not 0 < depth <= len(inputs.shape):
        raise SpecError(
            who, expected=f"indices of shape (..., k), k from 1 to {len(inputs.shape)}",
            given=f"indices of shape {indices.shape} for a tensor of shape {inputs.shape}",
            fix="give an index for each leading axis, along the last axis of indices",
        )  # fmt: skip
    block = (*indices.shape[:-1], *inputs.shape[depth:])
    if len(updates.shape) > len(block) or not _reaches(updates.shape, block, who):
        raise SpecError(
            who, expected=f"updates of shape {block}", given=f"updates of shape {updates.shape}",
            fix="give a value, or a slice of values, for each index",
        )  # fmt: skip
    return Spec(inputs.shape, dtypes.result_type(inputs.dtype))


def _reaches(shape: Shape, target: Shape, who: str) -> bool:
    """Whether a shape broadcasts to another as it is."""
    try:
        met = broadcast(shape, target, who=who)
    except SpecError:
        return False
    return all(a == b or None in (a, b) for a, b in zip(met, target, strict=True))


@op(rule=Rule(_scatter_update))
def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    """A copy of `inputs` with `updates` at `indices`.

    Args:
        inputs: Tensor of rank `n`.
        indices: Integers of shape `(..., k)`, `k` up to `n`: each row leads along the first `k`
            axes to an element, or to a slice where `k` is less than `n`. Negative ones count from
            the end; rows out of range are left out.
        updates: Tensor of shape `(..., *inputs.shape[k:])`, or one that broadcasts to it; it is
            cast to the dtype of `inputs`.
        reduction: How updates meet what stands there, and each other: None replaces (of several
            for one place it is not said which stays), `"add"`, `"max"`, `"min"` and `"mul"`
            combine.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: The shapes do not fit, or `reduction` is unknown.

    Example:
        >>> convert_to_numpy(scatter_update([1, 2, 3], [[0], [2]], [10, 30])).tolist()
        [10, 2, 30]
        >>> convert_to_numpy(scatter_update([1, 2], [[0], [0]], [5, 7], reduction="add")).tolist()
        [13, 2]
    """


def _scatter(indices: Spec, values: Spec, shape: Any) -> Spec:
    inputs = Spec(tuple(shape), values.dtype)
    return _scatter_update(inputs, indices, values, "add", "ops.scatter")


@op(rule=Rule(_scatter))
def scatter(indices: Tensor, values: Tensor, shape: Any) -> Tensor:
    """A tensor of zeros with `values` added at `indices`.

    Args:
        indices: Integers of shape `(..., k)`; see `scatter_update`.
        values: Tensor of shape `(..., *shape[k:])`.
        shape: Shape of the result.

    Returns:
        A tensor of the dtype of `values`. Values for one place are summed.

    Example:
        >>> convert_to_numpy(scatter([[0], [2], [0]], [1, 2, 3], (4,))).tolist()
        [4, 0, 2, 0]
    """
    blank = zeros(tuple(shape), dtype=dtypes.result_type(spec_of(values).dtype))
    return scatter_update(blank, indices, values, reduction="add")


# ---------------------------------------------------------------- blocks


def _starts(start_indices: Any, rank: int, who: str) -> list[Any]:
    """Where a block begins along each axis: numbers where they are known, else scalars."""
    if isinstance(start_indices, (list, tuple)):
        starts = list(start_indices)
    elif isinstance(start_indices, np.ndarray) and not current().is_tensor(start_indices):
        starts = start_indices.tolist()
    else:
        starts = unstack(start_indices, num=rank)
    if len(starts) != rank:
        raise SpecError(
            who, expected=f"a start for each of the {rank} axes", given=f"{len(starts)} starts",
            fix="start at 0 where all of an axis is meant",
        )  # fmt: skip
    return starts


def _known(starts: list[Any]) -> bool:
    return all(isinstance(start, (int, np.integer)) for start in starts)


def _check_inside(starts: list[Any], sizes: list[Any], whole: Shape, who: str) -> None:
    for start, size, limit in zip(starts, sizes, whole, strict=True):
        begin = start if isinstance(start, (int, np.integer)) else 0
        if begin < 0 or (None not in (size, limit) and begin + size > limit):
            raise SpecError(
                who, expected=f"a block inside a tensor of shape {whole}",
                given=f"a block of shape {tuple(sizes)} that begins at {tuple(starts)}",
                fix="check where it begins, and its shape",
            )  # fmt: skip


@op
def slice(inputs: Tensor, start_indices: Sequence[Tensor], shape: Any) -> Tensor:
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
            "ops.slice", expected=f"a size for each of the {len(whole)} axes",
            given=f"shape={tuple(sizes)}", fix="give the size of the block along every axis",
        )  # fmt: skip
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
            "ops.slice", expected="sizes that are known", given="-1 where the start is a tensor",
            fix="say how many elements to take",
        )  # fmt: skip
    return None if size is None else size - start


def _dynamic_slice(inputs: Spec, starts: Sequence[Any], sizes: Sequence[int]) -> Spec:
    return Spec(tuple(sizes), inputs.dtype)


@op(rule=Rule(_dynamic_slice))
def dynamic_slice(inputs: Tensor, starts: Sequence[Tensor], sizes: Any) -> Tensor:
    """The block that begins at scalars `starts`, moved back where it would reach beyond the end."""
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        begin = _clamped(start, shape_of(inputs)[axis], size)
        inputs = take(inputs, add(arange(size, dtype="int32"), begin), axis)
    return inputs


def _clamped(start: Tensor, whole: Any, size: Any) -> Tensor:
    return maximum(minimum(cast(start, "int32"), whole - size), 0)


@op
def slice_update(inputs: Tensor, start_indices: Sequence[Tensor], updates: Tensor) -> Tensor:
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
            "ops.slice_update", expected=f"updates of rank {len(whole.shape)}, as inputs have",
            given=f"updates of shape {block.shape}", fix="add axes with ops.expand_dims",
        )  # fmt: skip
    _check_inside(starts, list(block.shape), whole.shape, "ops.slice_update")
    return dynamic_slice_update(inputs, starts, cast(updates, dtypes.result_type(whole.dtype)))


@op(rule=Rule(lambda inputs, starts, updates: inputs))
def dynamic_slice_update(inputs: Tensor, starts: Sequence[Tensor], updates: Tensor) -> Tensor:
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
