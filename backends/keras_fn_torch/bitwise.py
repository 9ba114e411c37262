"""Bitwise operators of integers."""

import torch

from keras_fn_torch.dtype_fallback import with_dtype_fallback

bitwise_not = with_dtype_fallback(torch.bitwise_not)

bitwise_left_shift = with_dtype_fallback(torch.bitwise_left_shift)

bitwise_right_shift = with_dtype_fallback(torch.bitwise_right_shift)
