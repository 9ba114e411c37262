"""Slices at dynamic positions."""

import builtins
from typing import Any

from keras_fn_torch.tensors import Tensor


def dynamic_slice(inputs: Tensor, starts: Any, sizes: Any) -> Tensor:
    """Returns a view at starts that are fetched from the device."""
    return inputs[_block(inputs, starts, sizes)]


def dynamic_slice_update(inputs: Tensor, starts: Any, updates: Tensor) -> Tensor:
    """Returns a copy with a block overwritten."""
    result = inputs.clone()
    result[_block(inputs, starts, updates.shape)] = updates
    return result


def _block(x: Tensor, starts: Any, sizes: Any) -> tuple[slice, ...]:
    block = []
    for start, size, limit in zip(starts, sizes, x.shape, strict=True):
        begin = builtins.max(builtins.min(int(start), limit - size), 0)
        block.append(slice(begin, begin + size))
    return tuple(block)
