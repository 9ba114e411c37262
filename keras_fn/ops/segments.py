"""Reductions over groups of slices that carry the same number."""

from __future__ import annotations

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import full
from keras_fn.ops.logic import less, where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.scatter import scatter_update
from keras_fn.types import Tensor, TensorLike


def _segments(source: str) -> Rule:
    def infer(
        data: TensorSpec,
        segment_ids: TensorSpec,
        num_segments: int | None = None,
        sorted: bool = False,
    ) -> TensorSpec:
        del sorted
        length, ids = (data.shape or (None,))[0], segment_ids.shape
        if not data.shape or len(ids) != 1 or (None not in (ids[0], length) and ids[0] != length):
            raise SpecError(
                source,
                expected="data of shape (n, ...) and segment_ids of shape (n,)",
                received=f"data of shape {data.shape}, segment_ids of shape {ids}",
                fix="give each slice along the first axis one number",
            )
        _check_ids(segment_ids, source)
        shape: Shape = (num_segments, *data.shape[1:])
        return TensorSpec(shape, dtypes.result_type(data.dtype))

    return Rule(infer)


def _check_ids(segment_ids: Tensor, source: str) -> None:
    name = dtypes.result_type(spec_of(segment_ids).dtype)
    if not dtypes.is_int(name):
        raise DTypeError(
            source,
            expected="segment_ids that are integers",
            received=name,
            fix="cast them with ops.cast(segment_ids, 'int32')",
        )


def _combined(
    source: str,
    data: Tensor,
    segment_ids: Tensor,
    num_segments: int | None,
    empty: float,
    reduction: str,
) -> Tensor:
    """Scatters the slices into rows of `empty`; numbers below 0 must not count from the end."""
    _check_ids(segment_ids, source)
    count = int(max_(segment_ids)) + 1 if num_segments is None else num_segments
    rows = full((count, *shape_of(data)[1:]), empty, dtype=dtypes.result_type(spec_of(data).dtype))
    places = where(less(segment_ids, 0), count, cast(segment_ids, "int32"))
    return scatter_update(rows, expand_dims(places, 1), data, reduction=reduction)


def _limit(data: Tensor, sign: int) -> float:
    """Returns the smallest value of the dtype, or for `sign` -1 the largest."""
    name = dtypes.result_type(spec_of(data).dtype)
    if dtypes.is_float(name):
        return -sign * float("inf")
    if name == "bool":
        return sign < 0
    limits = np.iinfo(name)
    return limits.min if sign > 0 else limits.max


@op(rule=_segments("ops.segment_sum"))
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Sums the slices along the first axis that have the same number.

    Args:
        data: Tensor of shape `(n, ...)`.
        segment_ids: Integers of shape `(n,)`: where each slice belongs. Slices with a number that
            is negative, or too large, are left out.
        num_segments: How many sums; by default the largest number plus one, which cannot be
            compiled.
        sorted: Whether the numbers rise: a hint, for backends that are faster then.

    Returns:
        A tensor of shape `(num_segments, ...)` and the dtype of `data`; 0 where a number is
        nobody's.

    Example:
        >>> convert_to_numpy(segment_sum([1.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [5.0, 0.0, 2.0]
    """
    del sorted
    return _combined("ops.segment_sum", data, segment_ids, num_segments, 0, "add")


@op(rule=_segments("ops.segment_prod"))
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Multiplies the slices that have the same number; see `segment_sum`. 1 for nobody's number.

    Example:
        >>> convert_to_numpy(segment_prod([3.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [12.0, 1.0, 2.0]
    """
    del sorted
    return _combined("ops.segment_prod", data, segment_ids, num_segments, 1, "mul")


@op(rule=_segments("ops.segment_max"))
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The largest of the slices that have the same number, element by element; see `segment_sum`.

    For nobody's number, minus infinity, or the smallest integer.

    Example:
        >>> convert_to_numpy(segment_max([3.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [4.0, -inf, 2.0]
    """
    del sorted
    return _combined("ops.segment_max", data, segment_ids, num_segments, _limit(data, 1), "max")


@op(rule=_segments("ops.segment_min"))
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The smallest of the slices that have the same number, element by element; see `segment_sum`.

    For nobody's number, infinity, or the largest integer.

    Example:
        >>> convert_to_numpy(segment_min([3.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [3.0, inf, 2.0]
    """
    del sorted
    return _combined("ops.segment_min", data, segment_ids, num_segments, _limit(data, -1), "min")
