"""Scatter: writing updates into a tensor at indices."""

from __future__ import annotations

from collections.abc import Sequence

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast
from keras_fn.ops.creation import zeros
from keras_fn.types import Tensor, TensorLike

REDUCTIONS = (None, "add", "max", "min", "mul")


def _scatter_update_spec(
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
            fix="choose how updates are combined with existing values",
        )
    name = dtypes.result_type(indices.dtype)
    if not (dtypes.is_int(name) or dtypes.is_float(name)):
        raise DTypeError(
            source,
            expected="indices that are integers",
            received=f"indices of dtype {name}",
            fix="cast them with ops.cast(indices, 'int32')",
        )
    depth = indices.shape[-1] if indices.shape else None
    if depth is None or not 0 < depth <= len(inputs.shape):
        raise SpecError(
            source,
            expected=f"indices of shape (..., k), k from 1 to {len(inputs.shape)}",
            received=f"indices of shape {indices.shape} for a tensor of shape {inputs.shape}",
            fix="provide an index for each leading axis, along the last axis of indices",
        )
    block = (*indices.shape[:-1], *inputs.shape[depth:])
    if len(updates.shape) > len(block) or not _broadcasts_to(updates.shape, block, source):
        raise SpecError(
            source,
            expected=f"updates of shape {block}",
            received=f"updates of shape {updates.shape}",
            fix="provide a value, or a slice of values, for each index",
        )
    return TensorSpec(inputs.shape, dtypes.result_type(inputs.dtype))


def _broadcasts_to(shape: Shape, target: Shape, source: str) -> bool:
    """Returns whether a shape broadcasts to a target without changing the target."""
    try:
        result = broadcast(shape, target, source=source)
    except SpecError:
        return False
    return all(a == b or None in (a, b) for a, b in zip(result, target, strict=True))


@op(rule=Rule(_scatter_update_spec))
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """Scatters updates into a copy of a tensor.

    Args:
        inputs: Tensor of rank `n`.
        indices: Integer tensor of shape `(..., k)`, `k` up to `n`: each row indexes an element,
            or a slice if `k` is less than `n`. Negative indices count from the end; updates
            at indices out of range are dropped. Floats are truncated.
        updates: Tensor of shape `(..., *inputs.shape[k:])`, or one that broadcasts to it; it is
            cast to the dtype of `inputs`.
        reduction: How updates are combined with the existing values and with each other: None
            replaces (the result for repeated indices is undefined), or `"add"`, `"max"`, `"min"`,
            `"mul"`.

    Returns:
        Tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: The shapes do not fit, or `reduction` is unknown.
        TypeError: The indices are not numbers.

    Example:
        >>> convert_to_numpy(scatter_update([1, 2, 3], [[0], [2]], [10, 30])).tolist()
        [10, 2, 30]
        >>> convert_to_numpy(scatter_update([1, 2], [[0], [0]], [5, 7], reduction="add")).tolist()
        [13, 2]
    """
    ...


def _scatter_spec(indices: TensorSpec, values: TensorSpec, shape: Sequence[int]) -> TensorSpec:
    inputs = TensorSpec(tuple(shape), values.dtype)
    return _scatter_update_spec(inputs, indices, values, "add", "ops.scatter")


@op(rule=Rule(_scatter_spec))
def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> Tensor:
    """Scatters values into a tensor of zeros; values for the same index are summed.

    Args:
        indices: Integer tensor of shape `(..., k)`; see `scatter_update`.
        values: Tensor of shape `(..., *shape[k:])`.
        shape: Shape of the result.

    Returns:
        Tensor of that shape, of the dtype of `values`.

    Raises:
        ValueError: The shapes do not fit.

    Example:
        >>> convert_to_numpy(scatter([[0], [2], [0]], [1, 2, 3], (4,))).tolist()
        [4, 0, 2, 0]
    """
    zero_tensor = zeros(tuple(shape), dtype=dtypes.result_type(spec_of(values).dtype))
    return scatter_update(zero_tensor, indices, values, reduction="add")
