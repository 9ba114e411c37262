"""Tensors and variables: `torch.Tensor`, and an `nn.Parameter` that is assigned in place."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from threading import local
from typing import Any, TypeAlias

import numpy as np
import torch

from keras_fn.core.dtypes import ALL, FLOAT8, numpy_dtype, standardize_dtype
from keras_fn.core.scopes import context
from keras_fn.core.tracing import worked_out
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError
from keras_fn.settings import settings

Tensor: TypeAlias = torch.Tensor

_NATIVE = {name: getattr(torch, name) for name in ALL if hasattr(torch, name)}
_NAMES = {native: name for name, native in _NATIVE.items()}
# NumPy has these through ml_dtypes only, which PyTorch does not know: they cross as plain bits.
_BITS = {"bfloat16": (np.int16, torch.int16), **dict.fromkeys(FLOAT8, (np.uint8, torch.uint8))}


class _OfThread(local):
    """What is in force in this thread, as attributes: see `keras_fn/core/scopes.py`."""

    device: torch.device | None = None  # of `device_scope`
    abstract = False  # whether `abstract_eval` runs
    # The call that `forward` shall make for a layer, while that layer's hooks run around it.
    hooked: tuple[Any, Any] = (None, None)


here = _OfThread()
_META = torch.device("meta")


def is_abstract() -> bool:
    """Whether `abstract_eval` runs, and what happens now is not the building of a layer."""
    # Layers inside are built for real: a BuildScope lifts the StatelessScope of the evaluation.
    return here.abstract and context.now.stateless is not None


def default_device() -> torch.device:
    """Where new tensors go: as `device_scope` says, else CUDA, else MPS, else the CPU."""
    if is_abstract():
        return _META
    return here.device or _best_device()


@worked_out
def _best_device() -> torch.device:
    return _found_device()


@cache
def _found_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_scope(name: str) -> AbstractContextManager[None]:
    """Inside, new tensors go to the device of that name: "cpu", "gpu:0", "cuda:1", "mps"."""
    return on_device(torch.device(name.lower().replace("gpu", "cuda")))


@contextmanager
def on_device(device: torch.device | None) -> Iterator[None]:
    """Inside, new tensors go to that device; None for the best one."""
    outer, here.device = here.device, device
    try:
        yield
    finally:
        here.device = outer


def native(dtype: str) -> torch.dtype:
    """Returns PyTorch's dtype of that name."""
    try:
        return _NATIVE[dtype]
    except KeyError:
        raise DTypeError(
            "PyTorch",
            expected="a dtype of numbers",
            received=f"{dtype!r}",
            fix="keep text in NumPy arrays, and turn it into numbers before it becomes a tensor",
        ) from None


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of PyTorch."""
    return isinstance(x, Tensor)


def convert_to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """Makes a tensor on the default device; a tensor stays on its own.

    The result never shares memory with an array: whoever holds the array may change it. Python
    floats are `floatx()`, Python integers int32; arrays keep their dtype.
    """
    if isinstance(x, Tensor):
        return x if dtype is None else cast(x, dtype)
    if isinstance(x, (bool, int, float, complex)):
        if dtype is None:
            dtype = settings.floatx if type(x) is float else _scalar_dtype(x)
        return torch.tensor(x, dtype=native(dtype), device=default_device())
    if isinstance(x, (list, tuple)) and any(isinstance(v, (Tensor, Variable)) for v in x):
        parts = [convert_to_tensor(v.value if isinstance(v, Variable) else v, dtype) for v in x]
        return torch.stack(parts)
    if torch.compiler.is_compiling():
        return _traced(x, dtype)
    array = np.asarray(x)
    if dtype is None and not hasattr(x, "dtype"):
        if array.dtype.kind == "f":
            dtype = settings.floatx
        elif array.dtype == np.int64 and _fits_int32(array):
            dtype = "int32"
    return _from_numpy(array, dtype)


def _scalar_dtype(x: Any) -> str:
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, complex):
        return "complex64"
    return "int32" if -(2**31) <= x < 2**31 else "int64"


def _fits_int32(array: np.ndarray) -> bool:
    return array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)


def _from_numpy(array: np.ndarray, dtype: str | None) -> Tensor:
    name = "string" if array.dtype.kind in "USOT" else standardize_dtype(array.dtype)
    source = native(name)
    target = source if dtype is None else native(dtype)
    device = default_device()
    if device.type == "meta":
        return torch.empty(array.shape, dtype=target, device=device)
    array = np.array(array, order="C", copy=True)  # writable, and ours
    if name in _BITS:
        tensor = torch.from_numpy(array.view(_BITS[name][0])).view(source)
    else:
        tensor = torch.from_numpy(array)
    return tensor.to(device=device, dtype=target)


def _traced(x: Any, dtype: str | None) -> Tensor:
    """As `convert_to_tensor`, in calls that Dynamo can follow: not into the dtypes of NumPy."""
    tensor = torch.as_tensor(x, device=default_device())
    if dtype is None and isinstance(x, (list, tuple)):
        dtype = settings.floatx if tensor.is_floating_point() else None
        dtype = "int32" if tensor.dtype is torch.int64 else dtype
    return tensor.clone() if dtype is None else tensor.to(native(dtype), copy=True)


def borrow(x: np.ndarray) -> Tensor:
    """Shares the memory of an array that PyTorch could write to; copies others."""
    if x.dtype in _SHARED and x.flags.c_contiguous and x.flags.writeable:
        return torch.from_numpy(x).to(default_device())
    return convert_to_tensor(x)


batch_rows = borrow


def to_device(x: Tensor) -> Tensor:
    """Brings a tensor, of a DataLoader say, to the default device; there, it is the same."""
    return x.to(default_device())


_SHARED = frozenset(map(np.dtype, ("float32", "float64", "int32", "int64", "uint8", "bool")))


def convert_to_numpy(x: Tensor) -> np.ndarray:
    """Copies to the host. A copy always: a variable's tensor changes in place."""
    x = x.detach().cpu()
    name = dtype_name(x.dtype)
    if name in _BITS:
        return x.view(_BITS[name][1]).numpy().view(numpy_dtype(name)).copy()
    return x.resolve_conj().resolve_neg().numpy().copy()


def cast(x: Tensor, dtype: str) -> Tensor:
    """Converts to another dtype."""
    target = _NATIVE.get(dtype) or native(standardize_dtype(dtype))
    return x if x.dtype is target else x.to(target)


def dtype_name(x: Any) -> str:
    """The name of the dtype of `x`, or of `x` if it is one."""
    dtype = getattr(x, "dtype", x)
    return _NAMES.get(dtype) or standardize_dtype(dtype)


def shape(x: Tensor) -> tuple[int, ...]:
    """The sizes; PyTorch knows them all."""
    return tuple(x.shape)


def batch_indices(order: np.ndarray, batch_size: int) -> tuple[Tensor, ...]:
    """The indices of each batch, brought to the device together."""
    return torch.from_numpy(order).to(default_device()).split(batch_size)


def gather_rows(x: Tensor, indices: Tensor) -> Tensor:
    """The samples of a batch."""
    return x.index_select(0, indices)


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> torch.nn.Parameter:
    """A Parameter, of integers too: one kind of handle, which optimizers and tools know."""
    del name
    # A weight that is first read in `abstract_eval` or in inference is a real one all the same.
    outer, here.abstract = here.abstract, False
    try:
        with torch.inference_mode(False):
            tensor = _owned(value, dtype)
            differentiable = tensor.is_floating_point() or tensor.is_complex()
            return torch.nn.Parameter(tensor, requires_grad=trainable and differentiable)
    finally:
        here.abstract = outer


def _owned(value: Any, dtype: str) -> Tensor:
    """A tensor on the default device that shares its memory with nobody."""
    if isinstance(value, np.ndarray):
        return cast(borrow(value), dtype)
    if not isinstance(value, Tensor):
        return convert_to_tensor(value, dtype)
    value = value.detach().to(device=default_device(), dtype=native(dtype), copy=True)
    return value.contiguous()


def assign(handle: Tensor, value: Tensor) -> Tensor:
    """Copies into the handle: optimizers and views of the model keep what they hold."""
    with _UNRECORDED if not torch.is_grad_enabled() else torch.no_grad():
        # A graph of PyTorch's compiler sees to it by itself.
        if (
            value is not handle
            and not torch.compiler.is_compiling()
            and _share_memory(value, handle)
        ):
            value = value.clone()  # `v.assign(v.T)` must not read what it has written
        handle.copy_(value)
    return handle


def assign_add(handle: Tensor, value: Any) -> Tensor:
    """Adds in place."""
    with _UNRECORDED if not torch.is_grad_enabled() else torch.no_grad():
        handle.add_(value)
    return handle


_UNRECORDED = nullcontext()  # where nothing is recorded anyway: in a step, say


def _share_memory(a: Tensor, b: Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def set_trainable(handle: Tensor, trainable: bool) -> None:
    """Says whether gradients are wanted."""
    handle.requires_grad_(trainable and (handle.is_floating_point() or handle.is_complex()))
