"""Scatter: writing updates into a tensor at indices."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast
from keras_fn.ops.creation import zeros
from keras_fn.types import Tensor, TensorLike

REDUCTIONS = (None, "add", "max", "min", "mul")


def _scatter_update(
    inputs: TensorSpec,
    indices: TensorSpec,
    updates: TensorSpec,
    reduction: str | None = None,
    source: str = "",
) -> TensorSpec:
    source = source or "ops.scatter_update"
    if reduction not in REDUCTIONS:
        raise SpecError(
            source,
            expected="None, 'add', 'max', 'min' or 'mul'",
            received=f"reduction={reduction!r}",
            fix="choose how updates meet what stands there",
        )
    name = dtypes.result_type(indices.dtype)
    if not dtypes.is_int(name):
        raise DTypeError(
            source,
            expected="indices that are integers",
            received=name,
            fix="cast them with ops.cast(indices, 'int32')",
        )
    depth = indices.shape[-1] if indices.shape else None
    if depth is None or not 0 < depth <= len(inputs.shape):
        raise SpecError(
            source,
            expected=f"indices of shape (..., k), k from 1 to {len(inputs.shape)}",
            received=f"indices of shape {indices.shape} for a tensor of shape {inputs.shape}",
            fix="give an index for each leading axis, along the last axis of indices",
        )
    block = (*indices.shape[:-1], *inputs.shape[depth:])
    if len(updates.shape) > len(block) or not _reaches(updates.shape, block, source):
        raise SpecError(
            source,
            expected=f"updates of shape {block}",
            received=f"updates of shape {updates.shape}",
            fix="give a value, or a slice of values, for each index",
        )
    return TensorSpec(inputs.shape, dtypes.result_type(inputs.dtype))


def _reaches(shape: Shape, target: Shape, source: str) -> bool:
    """Whether a shape broadcasts to another as it is."""
    try:
        met = broadcast(shape, target, source=source)
    except SpecError:
        return False
    return all(a == b or None in (a, b) for a, b in zip(met, target, strict=True))


@op(rule=Rule(_scatter_update))
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
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
    ...


def _scatter(indices: TensorSpec, values: TensorSpec, shape: Any) -> TensorSpec:
    inputs = TensorSpec(tuple(shape), values.dtype)
    return _scatter_update(inputs, indices, values, "add", "ops.scatter")


@op(rule=Rule(_scatter))
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Tensor:
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
