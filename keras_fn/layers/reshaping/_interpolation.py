"""Interpolation along one axis, by an integer factor.

The output has `factor` positions for each element of the input. Their weights for the neighboring
elements do not depend on the element, nor on the size of the axis, which may be unknown. At the
ends, the weights of the existing neighbors are rescaled to sum to 1.
"""

from typing import Any

import numpy as np

from keras_fn.core.memoize import memoize
from keras_fn.ops.arithmetic import divide
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import ones_like
from keras_fn.ops.image._interpolation import KERNELS
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import moveaxis, pad, reshape


@memoize
def _interpolation_weights(factor: int, method: str) -> np.ndarray:
    """Weights of the neighbors, in ascending order, for each of the `factor` positions."""
    kernel, radius = KERNELS[method]
    positions = (np.arange(factor) + 0.5) / factor - 0.5
    neighbors = np.arange(-radius, radius + 1)
    weights = kernel(np.abs(positions[None] - neighbors[:, None]))
    return weights / weights.sum(0)


def interpolate(x: Any, axis: int, factor: int, method: str) -> Any:
    """Returns `x` with `factor` times as many elements along `axis`, for floats of any rank."""
    if factor == 1:
        return x
    x = moveaxis(x, axis, -1)
    line = ones_like(getitem(x, (0,) * (len(x.shape) - 1)))
    y = divide(_spread(x, factor, method), _spread(line, factor, method))
    return moveaxis(y, -1, axis)


def _spread(x: Any, factor: int, method: str) -> Any:
    """Weighted sums of neighbors along the last axis, with zeros beyond its ends."""
    reach = KERNELS[method][1]
    padded = pad(x, [(0, 0)] * (len(x.shape) - 1) + [(reach, reach)])
    shifts = [slice(k, k - 2 * reach or None) for k in range(2 * reach + 1)]
    neighbors = stack([getitem(padded, (..., shift)) for shift in shifts], axis=-1)
    positions = matmul(neighbors, cast(_interpolation_weights(factor, method), x.dtype))
    *outer, size = shape_of(x)
    known = size * factor if isinstance(size, int) else -1
    return reshape(positions, (*outer, known))
