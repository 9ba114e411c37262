"""Segment reductions."""

from typing import Any

import torch

from keras_fn_torch.dtype_fallback import in_float32
from keras_fn_torch.scatter import as_int64, scatter_rows
from keras_fn_torch.tensors import Tensor


def _segment(reduction: str, empty: Any) -> Any:
    def reduce(
        data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
    ) -> Tensor:
        del sorted
        ids = as_int64(segment_ids)
        if ids.shape != data.shape[:1]:
            raise ValueError(f"{ids.shape} ids for data of shape {data.shape}")
        if num_segments is None:
            num_segments = int(ids.max()) + 1 if ids.numel() else 0
        ids = torch.where((ids < 0) | (ids > num_segments), num_segments, ids)
        rows = data.new_full((num_segments, *data.shape[1:]), empty(data.dtype))
        return scatter_rows(rows, ids, data, reduction)

    return reduce


def _lowest(dtype: torch.dtype) -> Any:
    if dtype.is_floating_point:
        return -float("inf")
    return False if dtype is torch.bool else torch.iinfo(dtype).min


def _highest(dtype: torch.dtype) -> Any:
    if dtype.is_floating_point:
        return float("inf")
    return True if dtype is torch.bool else torch.iinfo(dtype).max


segment_sum = in_float32(_segment("add", lambda dtype: 0))

segment_prod = in_float32(_segment("mul", lambda dtype: 1))

segment_max = _segment("max", _lowest)

segment_min = _segment("min", _highest)
