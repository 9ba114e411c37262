"""Elementwise arithmetic and mathematical functions."""

import math
from statistics import NormalDist

import numpy as np

from keras_fn_numpy.dtype_fallback import in_float32

i0 = in_float32(np.i0)

round = in_float32(np.round)

rsqrt = in_float32(lambda x: 1 / np.sqrt(x))

sigmoid = in_float32(lambda x: 1 / (1 + np.exp(-x)))


def _erfinv(x: float) -> float:
    if abs(x) < 1:
        return NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2)
    return math.copysign(math.inf, x) if abs(x) == 1 else math.nan


erf = in_float32(np.vectorize(math.erf, [float]))

erfc = in_float32(np.vectorize(math.erfc, [float]))

erfinv = in_float32(np.vectorize(_erfinv, [float]))
