"""Bitwise operators of integers."""

import torch

from keras_fn_torch.dtype_fallback import accepting

bitwise_not = accepting(torch.bitwise_not)

bitwise_left_shift = accepting(torch.bitwise_left_shift)

bitwise_right_shift = accepting(torch.bitwise_right_shift)
