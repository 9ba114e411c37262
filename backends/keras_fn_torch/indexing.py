"""Indexing: basic and advanced subscripts, gather."""

import builtins
from typing import Any

import numpy as np
import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor, convert_to_tensor


def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]` as in NumPy, with negative steps, too."""
    kind = type(key)
    if kind is list or kind is np.ndarray or kind is Tensor:
        key = _to_index(key)
    elif kind is tuple and not _PLAIN_KEYS.issuperset(map(type, key)):
        key = tuple(map(_to_index, key))
    if kind is tuple and len(key) > 2:
        key = _integers_to_tensors(key)
    try:
        return x[key]
    except ValueError:  # a slice with a negative step, which PyTorch does not support
        return _getitem_negative_step(x, key if isinstance(key, tuple) else (key,))


_PLAIN_KEYS = frozenset((int, builtins.slice, type(None), type(Ellipsis)))


def _to_index(k: Any) -> Any:
    """Returns a list or array as a tensor: PyTorch truncates floats and takes uint8 for a mask."""
    if isinstance(k, (list, np.ndarray)):
        k = convert_to_tensor(k)
    if not isinstance(k, Tensor):
        return k
    if k.is_floating_point() and k.numel():
        raise TypeError(f"indices of {k.dtype}")
    return k.long() if k.dtype is torch.uint8 or k.is_floating_point() else k


def _integers_to_tensors(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Converts integers next to index tensors: in NumPy they are advanced indices, too."""
    index = next((k for k in key if isinstance(k, Tensor) and k.dim()), None)
    if index is None or index.dtype is torch.bool:
        return key
    return tuple([torch.full_like(index, k) if type(k) is int else k for k in key])


def _getitem_negative_step(x: Tensor, key: tuple[Any, ...]) -> Tensor:
    """Indexes with negative steps: with positive steps along a flipped axis."""
    keys = [k.tolist() if isinstance(k, np.ndarray) else k for k in key]
    used = builtins.sum(k is not None and k is not Ellipsis for k in keys)
    axis = 0
    for i, k in enumerate(keys):
        if k is Ellipsis:
            axis += x.dim() - used
            continue
        if isinstance(k, slice) and k.step is not None and k.step < 0:
            size = x.shape[axis]
            start, stop, step = (int(n) for n in k.indices(size))
            x = x.flip(axis)
            keys[i] = slice(size - 1 - start, builtins.max(size - 1 - stop, 0), -step)
        axis += k is not None
    return x[tuple(keys)]


def _clip_indices(indices: Tensor, size: int) -> Tensor:
    """Wraps negative indices and clips those out of range, as on every backend."""
    return torch.where(indices < 0, indices + size, indices).clamp(0, size - 1)


def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """`torch.embedding` or `index_select`; indices are wrapped and clipped where necessary."""
    if axis is None:
        x, axis = x.flatten(), 0
    if indices.dtype not in _INDEX_DTYPES:
        indices = indices.long()
    if x.is_cpu and indices.is_cpu:
        try:
            return _take(x, indices, axis)
        except (IndexError, RuntimeError):  # the CPU kernel checks each index
            pass
    return _take(x, _clip_indices(indices, x.shape[axis]), axis)


_INDEX_DTYPES = (torch.int64, torch.int32)


def _take(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    if axis == 0 and x.dim() == 2:
        return torch.embedding(x, indices)
    x.shape[axis]  # raises for an axis out of range
    axis = range(x.dim())[axis]
    taken = x.index_select(axis, indices.flatten())
    return taken.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


_take_along_dim = with_dtype_fallback(torch.take_along_dim)


def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """`torch.take_along_dim`."""
    if axis is None:
        x, indices, axis = x.flatten(), indices.flatten(), 0
    return _take_along_dim(x, _clip_indices(indices.long(), x.shape[axis]), axis)
