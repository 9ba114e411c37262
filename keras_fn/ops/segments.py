"""Segment reductions: reductions over groups of slices with the same segment id."""

from __future__ import annotations

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.shapes import is_size_compatible
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import check_at_least
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import full
from keras_fn.ops.logic import less, where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.scatter import scatter_update
from keras_fn.types import Tensor, TensorLike


def _segment_rule(source: str) -> Rule:
    def infer(
        data: TensorSpec,
        segment_ids: TensorSpec,
        num_segments: int | None = None,
        sorted: bool = False,
    ) -> TensorSpec:
        del sorted
        length, ids = (data.shape or (None,))[0], segment_ids.shape
        if not data.shape or len(ids) != 1 or not is_size_compatible(ids[0], length):
            raise SpecError(
                source,
                expected="data of shape (n, ...) and segment_ids of shape (n,)",
                received=f"data of shape {data.shape}, segment_ids of shape {ids}",
                fix="pass one segment id for each slice along the first axis",
            )
        _check_ids(segment_ids, source)
        check_at_least(0, source, num_segments=num_segments)
        shape: Shape = (num_segments, *data.shape[1:])
        return TensorSpec(shape, dtypes.result_type(data.dtype))

    return Rule(infer)


def _check_ids(segment_ids: TensorLike | TensorSpec, source: str) -> None:
    name = dtypes.result_type(spec_of(segment_ids).dtype)
    if not dtypes.is_int(name):
        raise DTypeError(
            source,
            expected="segment_ids that are integers",
            received=name,
            fix="cast them with ops.cast(segment_ids, 'int32')",
        )


def _segment_reduce(
    source: str,
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None,
    empty: float,
    reduction: str,
) -> Tensor:
    """Scatters the slices into a tensor of `empty`. Negative ids do not count from the end."""
    _check_ids(segment_ids, source)
    count = int(max_(segment_ids)) + 1 if num_segments is None else num_segments
    rows = full((count, *shape_of(data)[1:]), empty, dtype=dtypes.result_type(spec_of(data).dtype))
    indices = where(less(segment_ids, 0), count, cast(segment_ids, "int32"))
    return scatter_update(rows, expand_dims(indices, 1), data, reduction=reduction)


def _initial_value(data: TensorLike, sign: int) -> float:
    """Returns the smallest value of the dtype, or for `sign` -1 the largest."""
    name = dtypes.result_type(spec_of(data).dtype)
    if dtypes.is_float(name):
        return -sign * float("inf")
    if name == "bool":
        return sign < 0
    limits = np.iinfo(name)
    return limits.min if sign > 0 else limits.max


@op(rule=_segment_rule("ops.segment_sum"))
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Sums the slices of each segment.

    Args:
        data: Tensor of shape `(n, ...)`.
        segment_ids: Integer tensor of shape `(n,)`: the segment of each slice. Slices whose id is
            negative or too large are dropped.
        num_segments: Number of segments; by default the largest id plus one, which cannot be
            compiled.
        sorted: Whether the ids are in ascending order: a hint for backends that can use it.

    Returns:
        Tensor of shape `(num_segments, ...)`, of the dtype of `data`; 0 for an empty segment.

    Raises:
        ValueError: The shapes do not fit.
        TypeError: The segment ids are not integers.

    Example:
        >>> convert_to_numpy(segment_sum([1.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [5.0, 0.0, 2.0]
    """
    del sorted
    return _segment_reduce("ops.segment_sum", data, segment_ids, num_segments, 0, "add")


@op(rule=_segment_rule("ops.segment_prod"))
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Multiplies the slices of each segment.

    Args:
        data: Tensor of shape `(n, ...)`.
        segment_ids: Integer tensor of shape `(n,)`: the segment of each slice. Slices whose id is
            negative or too large are dropped.
        num_segments: Number of segments; by default the largest id plus one, which cannot be
            compiled.
        sorted: Whether the ids are in ascending order: a hint for backends that can use it.

    Returns:
        Tensor of shape `(num_segments, ...)`, of the dtype of `data`; 1 for an empty segment.

    Raises:
        ValueError: The shapes do not fit.
        TypeError: The segment ids are not integers.

    Example:
        >>> convert_to_numpy(segment_prod([3.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [12.0, 1.0, 2.0]
    """
    del sorted
    return _segment_reduce("ops.segment_prod", data, segment_ids, num_segments, 1, "mul")


@op(rule=_segment_rule("ops.segment_max"))
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Maximum over the slices of each segment, element by element.

    Args:
        data: Tensor of shape `(n, ...)`.
        segment_ids: Integer tensor of shape `(n,)`: the segment of each slice. Slices whose id is
            negative or too large are dropped.
        num_segments: Number of segments; by default the largest id plus one, which cannot be
            compiled.
        sorted: Whether the ids are in ascending order: a hint for backends that can use it.

    Returns:
        Tensor of shape `(num_segments, ...)`, of the dtype of `data`; minus infinity, or the lowest
        integer, for an empty segment.

    Raises:
        ValueError: The shapes do not fit.
        TypeError: The segment ids are not integers.

    Example:
        >>> convert_to_numpy(segment_max([3.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [4.0, -inf, 2.0]
    """
    del sorted
    return _segment_reduce(
        "ops.segment_max", data, segment_ids, num_segments, _initial_value(data, 1), "max"
    )


@op(rule=_segment_rule("ops.segment_min"))
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Minimum over the slices of each segment, element by element.

    Args:
        data: Tensor of shape `(n, ...)`.
        segment_ids: Integer tensor of shape `(n,)`: the segment of each slice. Slices whose id is
            negative or too large are dropped.
        num_segments: Number of segments; by default the largest id plus one, which cannot be
            compiled.
        sorted: Whether the ids are in ascending order: a hint for backends that can use it.

    Returns:
        Tensor of shape `(num_segments, ...)`, of the dtype of `data`; infinity, or the largest
        integer, for an empty segment.

    Raises:
        ValueError: The shapes do not fit.
        TypeError: The segment ids are not integers.

    Example:
        >>> convert_to_numpy(segment_min([3.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [3.0, inf, 2.0]
    """
    del sorted
    return _segment_reduce(
        "ops.segment_min", data, segment_ids, num_segments, _initial_value(data, -1), "min"
    )
