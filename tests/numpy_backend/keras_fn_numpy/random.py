"""Stateless random numbers: a key of two integers determines the sample."""

from typing import Any

import ml_dtypes
import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn_numpy.tensors import Tensor, convert_to_tensor


def _generator(seed: Any) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.asarray(seed).astype("uint64")))


def random_uniform(shape: Any, dtype: str, seed: Any) -> Tensor:
    """Uniform floats in [0, 1): multiples of a step that the dtype represents exactly."""
    steps = 1 << (ml_dtypes.finfo(numpy_dtype(dtype)).nmant + 1)
    return convert_to_tensor(_generator(seed).integers(steps, size=shape) / steps, dtype)


def random_normal(shape: Any, dtype: str, seed: Any) -> Tensor:
    """Standard normal floats."""
    return convert_to_tensor(np.asarray(_generator(seed).standard_normal(shape)), dtype)


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: Any) -> Tensor:
    """Uniform integers in [minval, maxval)."""
    return convert_to_tensor(_generator(seed).integers(minval, maxval, size=shape), dtype)
