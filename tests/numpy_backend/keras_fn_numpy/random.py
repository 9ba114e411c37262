"""Stateless random numbers: a key of two integers names the draw."""

from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.core.dtypes import numpy_dtype


def _generator(seed: Any) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.asarray(seed).astype("uint64")))


def random_uniform(shape: Any, dtype: str, seed: Any) -> np.ndarray:
    """Floats in [0, 1): as many equal steps as the dtype holds, so that none rounds to 1."""
    native = numpy_dtype(dtype)
    steps = 1 << (ml_dtypes.finfo(native).nmant + 1)
    return (_generator(seed).integers(steps, size=shape) / steps).astype(native)


def random_normal(shape: Any, dtype: str, seed: Any) -> np.ndarray:
    """Standard normal floats."""
    return np.asarray(_generator(seed).standard_normal(shape)).astype(numpy_dtype(dtype))


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> np.ndarray:
    """Integers in [minval, maxval)."""
    drawn = _generator(seed).integers(minval, maxval, size=shape)
    return np.asarray(drawn).astype(numpy_dtype(dtype))
