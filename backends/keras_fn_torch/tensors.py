"""Tensors: `torch.Tensor`."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import torch

from keras_fn.core.dtypes import ALL, FLOAT8, numpy_dtype, standardize_dtype
from keras_fn.core.host_data import to_array
from keras_fn.core.sparse import is_scipy_sparse, sparse_from_scipy
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError
from keras_fn.settings import settings
from keras_fn_torch.device import default_device
from keras_fn_torch.sparse import SparseTensor, cast_sparse, to_dense

Tensor: TypeAlias = torch.Tensor

_NATIVE = {name: getattr(torch, name) for name in ALL if hasattr(torch, name)}


def native_dtype(dtype: str) -> torch.dtype:
    """Returns the `torch.dtype` with that name."""
    try:
        return _NATIVE[dtype]
    except KeyError:
        raise DTypeError(
            "PyTorch",
            expected="a dtype of numbers",
            received=f"{dtype!r}",
            fix="keep text in NumPy arrays, and turn it into numbers before it becomes a tensor",
        ) from None


_NAMES = {native_dtype: name for name, native_dtype in _NATIVE.items()}

# NumPy has these through ml_dtypes, which PyTorch does not support: converted as raw bits.
_BITS = {"bfloat16": (np.int16, torch.int16), **dict.fromkeys(FLOAT8, (np.uint8, torch.uint8))}


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a `torch.Tensor`."""
    return isinstance(x, Tensor)


def is_sparse(x: Any) -> bool:
    """Returns whether `x` is a tensor in a sparse layout: COO, CSR ..."""
    return isinstance(x, torch.Tensor) and x.layout is not torch.strided


def is_ragged(x: Any) -> bool:
    """Returns whether `x` is a nested tensor, in either layout."""
    return isinstance(x, torch.Tensor) and x.is_nested


def convert_to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """Converts to a tensor on the default device; a tensor stays on its device.

    The result never shares memory with an array, which its owner may change. Python floats become
    `floatx()`, Python integers int32; arrays keep their dtype.
    """
    if isinstance(x, Tensor):
        if x.layout is not torch.strided and type(x) is not SparseTensor:
            return cast_sparse(x, x.dtype if dtype is None else native_dtype(dtype))
        return x if dtype is None else cast(x, dtype)
    if is_scipy_sparse(x):
        return sparse_from_scipy(x, dtype)
    if isinstance(x, (bool, int, float, complex)):
        dtype = dtype or _python_scalar_dtype(x)
        return torch.tensor(x, dtype=native_dtype(dtype), device=default_device())
    if torch.compiler.is_compiling():
        return _convert_while_tracing(x, dtype)
    array, dtype = to_array(x, dtype)
    return array if isinstance(array, Tensor) else _from_numpy(array, dtype)


Integral.register(torch.SymInt)  # a size of an axis, where `torch.export` traces


def _python_scalar_dtype(x: Any) -> str:
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, int):
        return "int32" if -(2**31) <= x < 2**31 else "int64"
    return settings.floatx if isinstance(x, float) else "complex64"


def _from_numpy(array: np.ndarray, dtype: str | None) -> Tensor:
    name = "string" if array.dtype.kind in "USOT" else standardize_dtype(array.dtype)
    source = native_dtype(name)
    target = source if dtype is None else native_dtype(dtype)
    device = default_device()
    if device.type == "meta":
        return torch.empty(array.shape, dtype=target, device=device)
    array = np.array(array, order="C", copy=True)  # writable and not shared
    if name in _BITS:
        tensor = torch.from_numpy(array.view(_BITS[name][0])).view(source)
    else:
        tensor = torch.from_numpy(array)
    return tensor.to(device=device, dtype=target)


def _convert_while_tracing(x: Any, dtype: str | None) -> Tensor:
    """Same as `convert_to_tensor`, with calls that Dynamo can trace."""
    if isinstance(x, (torch.SymInt, torch.SymFloat)):
        default = "int32" if isinstance(x, torch.SymInt) else settings.floatx
        return torch.full((), x, dtype=native_dtype(dtype or default), device=default_device())
    if isinstance(x, (list, tuple)) and any(isinstance(v, (Tensor, Variable)) for v in x):
        parts = [convert_to_tensor(v.value if isinstance(v, Variable) else v, dtype) for v in x]
        return torch.stack(parts)
    if isinstance(x, np.ndarray) and not torch.compiler.is_dynamo_compiling():
        return _from_numpy(x, dtype)
    tensor = torch.as_tensor(x, device=default_device())
    if dtype is None and isinstance(x, (list, tuple)):
        dtype = settings.floatx if tensor.is_floating_point() else None
        dtype = "int32" if tensor.dtype is torch.int64 else dtype
    return tensor.clone() if dtype is None else tensor.to(native_dtype(dtype), copy=True)


def from_numpy(x: np.ndarray) -> Tensor:
    """Shares the memory of a writable, contiguous array; copies others."""
    if x.dtype in _SHARED and x.flags.c_contiguous and x.flags.writeable:
        return torch.from_numpy(x).to(default_device())
    return convert_to_tensor(x)


_SHARED = frozenset(map(np.dtype, ("float32", "float64", "int32", "int64", "uint8", "bool")))


def convert_to_numpy(x: Tensor, copy: bool = True) -> np.ndarray:
    """Copies to the host: a variable's tensor changes in place."""
    copy = copy and x.device.type == "cpu"  # else `cpu` copies
    x = x.detach().cpu()
    if x.layout is not torch.strided:
        x = to_dense(x)
    name = dtype_name(x.dtype)
    if name in _BITS:
        array = x.view(_BITS[name][1]).numpy().view(numpy_dtype(name))
    else:
        array = x.resolve_conj().resolve_neg().numpy()
    return array.copy() if copy else array


def cast(x: Tensor, dtype: str) -> Tensor:
    """Casts to another dtype."""
    target = _NATIVE.get(dtype) or native_dtype(standardize_dtype(dtype))
    if x.dtype is target:
        return x
    return cast_sparse(x, target) if is_sparse(x) else x.to(target)


def dtype_name(x: Any) -> str:
    """Returns the name of the dtype of `x`, or of `x` if it is a dtype."""
    dtype = getattr(x, "dtype", x)
    return _NAMES.get(dtype) or standardize_dtype(dtype)


def shape(x: Tensor) -> tuple[int, ...]:
    """Returns the sizes, which PyTorch always knows."""
    return tuple(x.shape)


def is_traced(x: Any) -> bool:
    """Returns whether `torch.export` traces `x`: all other tensors have values."""
    return type(x).__name__ in _TRACED


_TRACED = ("FakeTensor", "FunctionalTensor")


Axis = int | Sequence[int] | None


def axes_of(x: Tensor, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.dim()))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def view(x: Tensor, dtype: Any = None) -> Tensor:
    """`Tensor.view`, of a contiguous tensor."""
    if dtype is None:
        return x
    plain = x.contiguous() if x.numel() else x.new_empty(x.shape)  # with the default strides
    return plain.view(native_dtype(dtype))
