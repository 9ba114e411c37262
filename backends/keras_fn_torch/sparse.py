"""Sparse tensors: `torch.Tensor` in COO layout, with sorted and unique indices."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from keras_fn_torch.device import default_device


class SparseTensor(torch.Tensor):
    """A sparse tensor under a type of its own, so that ops dispatch on the type as for others.

    For functions of PyTorch it is a plain tensor, and so are their results.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]


def make_sparse(
    indices: torch.Tensor, values: torch.Tensor, shape: tuple[int, ...], is_unique: bool = False
) -> torch.Tensor:
    """Returns a COO tensor; the values of duplicates are added."""
    del is_unique  # sorting needs the same call
    shape = tuple(map(int, shape))
    x = torch.sparse_coo_tensor(indices.t(), values, shape, check_invariants=False)
    return _with_own_type(_coalesce(x))


def sparse_from_numpy(
    indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]
) -> torch.Tensor:
    """Copies unique entries to the device."""
    device = default_device()
    columns = torch.from_numpy(np.asarray(indices, np.int64)).to(device)
    return make_sparse(columns, torch.from_numpy(np.array(values)).to(device), shape)


def sparse_parts(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the indices, of shape (entries, axes), and the values; each index occurs once."""
    x = _to_coo(x)
    return x.indices().t(), x.values()


def map_values(function: Callable[[Any], Any], x: torch.Tensor) -> torch.Tensor:
    """Applies an elementwise function that is 0 at 0 to the values."""
    x = _to_coo(x)
    result = torch.sparse_coo_tensor(
        x.indices(), function(x.values()), x.shape, is_coalesced=True, check_invariants=False
    )
    return _with_own_type(result)


def _to_coo(x: torch.Tensor) -> torch.Tensor:
    """Returns a sorted COO tensor of scalars."""
    if x.layout is not torch.sparse_coo:
        x = x.to_sparse_coo()
    if x.dense_dim():
        x = x.to_dense().to_sparse()
    return _coalesce(x)


def _with_own_type(x: torch.Tensor) -> torch.Tensor:
    """Changes the type of a new tensor: `as_subclass` needs a storage, which it does not have."""
    if type(x) is torch.Tensor:
        x.__class__ = SparseTensor
    return x


def _coalesce(x: torch.Tensor) -> torch.Tensor:
    if x.is_coalesced():
        return x
    if x.dtype in _NOT_ADDED:
        return x.to(torch.int64).coalesce().to(x.dtype).coalesce()
    return x.coalesce()


_NOT_ADDED = frozenset((torch.bool, torch.uint16, torch.uint32, torch.uint64))


def to_dense(x: torch.Tensor) -> torch.Tensor:
    """`Tensor.to_dense`."""
    if x.dtype in _NOT_ADDED:
        return x.to(torch.int64).to_dense().to(x.dtype)
    return x.to_dense()


def sparse_matmul(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """`torch.sparse.mm` of a sparse and a dense matrix."""
    if y.dtype in _NO_KERNEL:
        return torch.sparse.mm(x.to(torch.float32), y.to(torch.float32)).to(y.dtype)
    return torch.sparse.mm(x, y)


def sparse_sparse_matmul(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """`torch.sparse.mm` of two sparse matrices."""
    dtype = x.dtype
    if dtype not in _WITH_SPARSE_PRODUCT:
        x, y = x.to(torch.float64), y.to(torch.float64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support")  # an intermediate result
        product = torch.sparse.mm(x, y)
    return _with_own_type(_coalesce(product.to(dtype)))


_NO_KERNEL = frozenset((torch.float16, torch.bfloat16))
_WITH_SPARSE_PRODUCT = frozenset((torch.float32, torch.float64, torch.complex64, torch.complex128))


def cast_sparse(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Casts the values; other layouts become COO."""
    return map_values(lambda v: v.to(dtype), x)
