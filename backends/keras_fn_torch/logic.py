"""Comparisons, logical operators and tests of elements."""

import operator
from typing import Any

import torch

from keras_fn_torch.device import default_device
from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.elementwise import accept_numbers
from keras_fn_torch.tensors import Tensor

# Python's operators accept a number on either side.
equal = operator.eq

not_equal = operator.ne

less = operator.lt

less_equal = operator.le

greater = operator.gt

greater_equal = operator.ge

logical_and = accept_numbers(torch.logical_and)

logical_or = accept_numbers(torch.logical_or)

logical_xor = accept_numbers(torch.logical_xor)

signbit = with_dtype_fallback(torch.signbit)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`torch.where`; of the condition alone, its indices as int32."""
    if not isinstance(condition, Tensor):
        condition = torch.tensor(condition, device=default_device())
    if x1 is None and x2 is None:
        return tuple(index.int() for index in condition.nonzero(as_tuple=True))
    if condition.dtype is not torch.bool:
        condition = condition.bool()
    return torch.where(condition, x1, x2)
