"""Sums over groups of elements that carry the same number."""

from __future__ import annotations

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import equal, where
from keras_fn.ops.creation import arange
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.shapes import expand_dims, reshape


def _segment_sum(
    data: Spec, segment_ids: Spec, num_segments: int | None = None, sorted: bool = False
) -> Spec:
    del sorted
    length, ids = (data.shape or (None,))[0], segment_ids.shape
    if not data.shape or len(ids) != 1 or (None not in (ids[0], length) and ids[0] != length):
        raise SpecError(
            "ops.segment_sum",
            expected="data of shape (n, ...) and segment_ids of shape (n,)",
            given=f"data of shape {data.shape}, segment_ids of shape {ids}",
            fix="give each slice along the first axis one number",
        )
    shape: Shape = (num_segments, *data.shape[1:])
    return Spec(shape, dtypes.result_type(data.dtype))


@op(rule=Rule(_segment_sum))
def segment_sum(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
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
        A tensor of shape `(num_segments, ...)`.

    Example:
        >>> convert_to_numpy(segment_sum([1.0, 2.0, 4.0], [0, 2, 0], num_segments=3)).tolist()
        [5.0, 0.0, 2.0]
    """
    del sorted
    size = int(max_(segment_ids)) + 1 if num_segments is None else num_segments
    member = equal(expand_dims(arange(size, dtype="int32"), 1), expand_dims(segment_ids, 0))
    member = reshape(member, (size, -1, *(1 for _ in data.shape[1:])))
    return sum_(where(member, expand_dims(data, 0), 0), 1)
