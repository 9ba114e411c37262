"""Adapters for elementwise functions of the framework."""

from collections.abc import Callable
from typing import Any

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor


def accept_numbers(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Tensor]:
    """Decorator: accepts a Python number for one of two tensors."""
    function = with_dtype_fallback(function)

    def call(x1: Any, x2: Any) -> Tensor:
        if not isinstance(x2, Tensor):
            x2 = torch.full((), x2, dtype=x1.dtype, device=x1.device)
        elif not isinstance(x1, Tensor):
            x1 = torch.full((), x1, dtype=x2.dtype, device=x2.device)
        return function(x1, x2)

    return call
