"""Activation functions."""

from typing import Any

import numpy as np

from keras_fn_numpy.dtype_fallback import in_float32
from keras_fn_numpy.reductions import max, sum


@in_float32
def softmax(x: Any, axis: Any = -1) -> Any:
    """Softmax; subtracts the maximum first, so that nothing overflows."""
    powers = np.exp(x - max(x, axis, keepdims=True))
    return powers / sum(powers, axis, keepdims=True)
