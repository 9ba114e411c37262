"""Variables: the handle is an `nn.Parameter`, assigned in place."""

import sys
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch

from keras_fn_torch.device import default_device
from keras_fn_torch.tensors import Tensor, cast, convert_to_tensor, from_numpy, native_dtype
from keras_fn_torch.thread_state import thread_state


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> torch.nn.Parameter:
    """Creates an `nn.Parameter`, of integers, too: optimizers and tools handle one type."""
    del name
    # A variable is real even if first read in `abstract_eval` or in inference mode.
    outer, thread_state.abstract = thread_state.abstract, False
    try:
        if torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                return _new_parameter(value, dtype, trainable)
        return _new_parameter(value, dtype, trainable)
    finally:
        thread_state.abstract = outer


def _new_parameter(value: Any, dtype: str, trainable: bool) -> torch.nn.Parameter:
    tensor = _private_copy(value, dtype)
    differentiable = tensor.is_floating_point() or tensor.is_complex()
    return torch.nn.Parameter(tensor, requires_grad=trainable and differentiable)


def _private_copy(value: Any, dtype: str) -> Tensor:
    """Returns a tensor on the default device that shares no memory."""
    if isinstance(value, np.ndarray):
        return cast(from_numpy(value), dtype)
    if not isinstance(value, Tensor):
        return convert_to_tensor(value, dtype)
    value = value.detach().to(device=default_device(), dtype=native_dtype(dtype), copy=True)
    return value.contiguous()


def assign(handle: Tensor, value: Tensor) -> Tensor:
    """Copies into the handle: references to it, such as views of the model, stay valid."""
    with _UNRECORDED if not torch.is_grad_enabled() else torch.no_grad():
        # In a graph, the compiler handles overlapping memory.
        if (
            value is not handle
            and not torch.compiler.is_compiling()
            and _share_memory(value, handle)
        ):
            value = value.clone()  # `v.assign(v.T)` must not read elements already written
        handle.copy_(value)
    return handle


def take_over(handle: Tensor, new: Tensor) -> Tensor:
    """Gives the handle the memory of the new one, if nothing else refers to its own; or copies."""
    if not (_owns_memory(handle) and new.device == handle.device):
        return assign(handle, new)
    with torch.inference_mode(False), torch.no_grad():
        return handle.set_(new.detach())


def _owns_memory(x: Tensor) -> bool:
    """Returns whether a tensor on the CPU shares its memory with no view, array, process, thread.

    A kernel that runs in another thread reads memory to which it holds no reference.
    """
    if len(sys._current_frames()) > 1:
        return False
    count = getattr(torch._C, "_storage_Use_Count", None)
    is_plain = type(x) is torch.nn.Parameter and x.device.type == "cpu" and x.is_contiguous()
    if count is None or not is_plain or x.is_shared() or x.is_inference():
        return False
    storage = x.untyped_storage()
    return x.storage_offset() == 0 and count(storage._cdata) == _OWN_USES


_OWN_USES = 2  # the tensor, and the storage object that asks


def assign_add(handle: Tensor, value: Any) -> Tensor:
    """Adds in place."""
    with _UNRECORDED if not torch.is_grad_enabled() else torch.no_grad():
        handle.add_(value)
    return handle


_UNRECORDED = nullcontext()  # no recording, for example in a step


def _share_memory(a: Tensor, b: Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def set_trainable(handle: Tensor, trainable: bool) -> None:
    """Sets `requires_grad`."""
    handle.requires_grad_(trainable and (handle.is_floating_point() or handle.is_complex()))
