"""The primitive ops. Where NumPy means the same by a name, that name is imported."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy import bitwise_and as bitwise_and
from numpy import bitwise_not as bitwise_not
from numpy import bitwise_or as bitwise_or
from numpy import bitwise_xor as bitwise_xor
from numpy import broadcast_to as broadcast_to
from numpy import expand_dims as expand_dims
from numpy import isfinite as isfinite
from numpy import isinf as isinf
from numpy import isnan as isnan
from numpy import logical_and as logical_and
from numpy import logical_not as logical_not
from numpy import logical_or as logical_or
from numpy import logical_xor as logical_xor
from numpy import split as split
from numpy import stack as stack
from numpy import transpose as transpose

from keras_fn.core.dtypes import numpy_dtype
from keras_fn_numpy.computing import elementwise, in_float32
from keras_fn_numpy.conv import average_pool as average_pool
from keras_fn_numpy.conv import conv as conv
from keras_fn_numpy.conv import conv_transpose as conv_transpose
from keras_fn_numpy.conv import max_pool as max_pool
from keras_fn_numpy.loops import scan as scan
from keras_fn_numpy.random import random_normal as random_normal
from keras_fn_numpy.random import random_randint as random_randint
from keras_fn_numpy.random import random_uniform as random_uniform
from keras_fn_numpy.tensors import cast as cast

absolute = elementwise(np.absolute)
add = elementwise(np.add)
arccos = elementwise(np.arccos)
arccosh = elementwise(np.arccosh)
arcsin = elementwise(np.arcsin)
arcsinh = elementwise(np.arcsinh)
arctan = elementwise(np.arctan)
arctan2 = elementwise(np.arctan2)
arctanh = elementwise(np.arctanh)
ceil = elementwise(np.ceil)
cos = elementwise(np.cos)
cosh = elementwise(np.cosh)
equal = elementwise(np.equal)
exp = elementwise(np.exp)
exp2 = elementwise(np.exp2)
expm1 = elementwise(np.expm1)
floor = elementwise(np.floor)
floor_divide = elementwise(np.floor_divide)
greater = elementwise(np.greater)
greater_equal = elementwise(np.greater_equal)
less = elementwise(np.less)
less_equal = elementwise(np.less_equal)
log = elementwise(np.log)
log10 = elementwise(np.log10)
log1p = elementwise(np.log1p)
log2 = elementwise(np.log2)
maximum = elementwise(np.maximum)
minimum = elementwise(np.minimum)
mod = elementwise(np.mod)
multiply = elementwise(np.multiply)
negative = elementwise(np.negative)
not_equal = elementwise(np.not_equal)
power = elementwise(np.power)
sign = elementwise(np.sign)
sin = elementwise(np.sin)
sinh = elementwise(np.sinh)
sqrt = elementwise(np.sqrt)
subtract = elementwise(np.subtract)
tan = elementwise(np.tan)
tanh = elementwise(np.tanh)
true_divide = elementwise(np.true_divide)

flip: Any = np.flip  # more than their types say, as lists of axes
repeat: Any = np.repeat
einsum = in_float32(np.einsum)
matmul = in_float32(np.matmul)
round = in_float32(np.round)
rsqrt = in_float32(lambda x: 1 / np.sqrt(x))
sigmoid = in_float32(lambda x: 1 / (1 + np.exp(-x)))
tensordot = in_float32(np.tensordot)


def _erfinv(x: float) -> float:
    if abs(x) < 1:
        return NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2)
    return math.copysign(math.inf, x) if abs(x) == 1 else math.nan


erf = in_float32(np.vectorize(math.erf, [float]))
erfinv = in_float32(np.vectorize(_erfinv, [float]))


def _axes(axis: Any) -> Any:
    """NumPy takes no lists of axes."""
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Any) -> Any:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, _axes(axis), keepdims=keepdims)

    return in_float32(reduce)


all, any, max, min, prod, sum = map(_reduction, (np.all, np.any, np.max, np.min, np.prod, np.sum))


@in_float32
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`np.mean` would warn of empty tensors."""
    total = sum(x, axis, keepdims)
    return total / (np.size(x) / np.maximum(np.size(total), 1))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index as int32."""
    return np.argmax(x, axis, keepdims=keepdims).astype("int32")


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index as int32."""
    return np.argmin(x, axis, keepdims=keepdims).astype("int32")


def _running(function: Any) -> Any:
    def run(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
        return in_float32(function)(x if dtype is None else cast(x, dtype), axis)

    return run


cumprod, cumsum = map(_running, (np.cumprod, np.cumsum))


@in_float32
def softmax(x: Any, axis: Any = -1) -> Any:
    """The largest element is taken off first, so that nothing overflows."""
    powers = np.exp(x - max(x, axis, keepdims=True))
    return powers / sum(powers, axis, keepdims=True)


def full(shape: Any, value: float, dtype: str) -> Any:
    """A constant."""
    return np.full(shape, value, numpy_dtype(dtype))


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    """NumPy would round the step to `dtype` before it counts."""
    return np.arange(start, stop, step).astype(numpy_dtype(dtype))


def stop_gradient(variable: Any) -> Any:
    """There are no gradients."""
    return variable


def where(condition: Any, x1: Any, x2: Any) -> Any:
    """A number takes the dtype of the tensor beside it."""
    return elementwise(lambda x1, x2: np.where(condition, x1, x2))(x1, x2)


def reshape(x: Any, newshape: Any) -> Any:
    """NumPy names the argument otherwise."""
    return np.reshape(x, newshape)


def tile(x: Any, repeats: Any) -> Any:
    """NumPy names the argument otherwise."""
    return np.tile(x, repeats)


def squeeze(x: Any, axis: Any = None) -> Any:
    """One axis or several."""
    return np.squeeze(x, _axes(axis))


def concatenate(xs: Any, axis: int | None = 0) -> Any:
    """Here `axis` may come by position."""
    return np.concatenate(xs, axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices along an axis."""
    del num
    return list(np.moveaxis(x, axis, 0))


def pad(
    x: Any, pad_width: Any, mode: str = "constant", constant_values: float | None = None
) -> Any:
    """`np.pad`, which takes a value in mode "constant" only."""
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return np.pad(x, pad_width, mode, **options)  # type: ignore[call-overload]


def getitem(x: Any, key: Any) -> Any:
    """`x[key]`."""
    return x[key]


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Clips indices out of range, as do the backends that cannot raise in a compiled function."""
    size = np.size(x) if axis is None else x.shape[axis]
    return np.take(x, np.where(indices < 0, indices + size, indices), axis, mode="clip")


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """For None, of the flattened tensors."""
    return np.take_along_axis(x, np.ravel(indices) if axis is None else indices, axis)


def sort(x: Any, axis: int = -1) -> Any:
    """Rising order."""
    return np.sort(x, axis)


def argsort(x: Any, axis: int | None = -1) -> Any:
    """Stable, as int32."""
    return np.argsort(x, axis, "stable").astype("int32")


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """Always in falling order; of equal elements the first one comes first."""
    del sorted
    rising = np.argsort(np.flip(x, -1), -1, "stable")
    places = (x.shape[-1] - 1 - np.flip(rising, -1))[..., :k]
    return np.take_along_axis(x, places, -1), places.astype("int32")
