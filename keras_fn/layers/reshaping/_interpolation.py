"""Smooth enlargement of an axis by a whole factor.

Between two elements lie always the same `factor` places, so each place has weights for its
neighbours that do not depend on where it is, nor on the size of the axis, which may be unknown.
At the ends the weights of neighbours that exist are scaled to the sum of 1.
"""

from typing import Any

import numpy as np

from keras_fn.core.memoize import memoize
from keras_fn.ops.arithmetic import divide
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import ones_like
from keras_fn.ops.image._interpolation import KERNELS
from keras_fn.ops.indexing import getitem
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import moveaxis, pad, reshape, stack


@memoize
def _weights(factor: int, method: str) -> np.ndarray:
    """Weights of the neighbours, nearest in the middle, for each of the `factor` places."""
    kernel, radius = KERNELS[method]
    places = (np.arange(factor) + 0.5) / factor - 0.5
    neighbours = np.arange(-radius, radius + 1)
    weights = kernel(np.abs(places[None] - neighbours[:, None]))
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
    """Weighted sums of neighbours along the last axis; there is nothing beyond its ends."""
    reach = KERNELS[method][1]
    padded = pad(x, [(0, 0)] * (len(x.shape) - 1) + [(reach, reach)])
    shifts = [slice(k, k - 2 * reach or None) for k in range(2 * reach + 1)]
    neighbours = stack([getitem(padded, (..., shift)) for shift in shifts], axis=-1)
    places = matmul(neighbours, cast(_weights(factor, method), x.dtype))
    *outer, size = shape_of(x)
    known = size * factor if isinstance(size, int) else -1
    return reshape(places, (*outer, known))
