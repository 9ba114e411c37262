"""The primitive ops. Where NumPy means the same by a name, that name is imported."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy import absolute as absolute
from numpy import add as add
from numpy import arccos as arccos
from numpy import arccosh as arccosh
from numpy import arcsin as arcsin
from numpy import arcsinh as arcsinh
from numpy import arctan as arctan
from numpy import arctan2 as arctan2
from numpy import arctanh as arctanh
from numpy import bitwise_and as bitwise_and
from numpy import bitwise_not as bitwise_not
from numpy import bitwise_or as bitwise_or
from numpy import bitwise_xor as bitwise_xor
from numpy import broadcast_to as broadcast_to
from numpy import ceil as ceil
from numpy import cos as cos
from numpy import cosh as cosh
from numpy import equal as equal
from numpy import exp as exp
from numpy import exp2 as exp2
from numpy import expand_dims as expand_dims
from numpy import expm1 as expm1
from numpy import floor as floor
from numpy import floor_divide as floor_divide
from numpy import gcd as gcd
from numpy import greater as greater
from numpy import greater_equal as greater_equal
from numpy import isfinite as isfinite
from numpy import isinf as isinf
from numpy import isnan as isnan
from numpy import left_shift as bitwise_left_shift
from numpy import less as less
from numpy import less_equal as less_equal
from numpy import log as log
from numpy import log1p as log1p
from numpy import log2 as log2
from numpy import log10 as log10
from numpy import logical_and as logical_and
from numpy import logical_not as logical_not
from numpy import logical_or as logical_or
from numpy import logical_xor as logical_xor
from numpy import maximum as maximum
from numpy import minimum as minimum
from numpy import mod as mod
from numpy import multiply as multiply
from numpy import negative as negative
from numpy import nextafter as nextafter
from numpy import not_equal as not_equal
from numpy import power as power
from numpy import right_shift as bitwise_right_shift
from numpy import sign as sign
from numpy import sin as sin
from numpy import sinh as sinh
from numpy import split as split
from numpy import sqrt as sqrt
from numpy import stack as stack
from numpy import subtract as subtract
from numpy import tan as tan
from numpy import tanh as tanh
from numpy import transpose as transpose
from numpy import true_divide as true_divide

from keras_fn.core.dtypes import numpy_dtype
from keras_fn_numpy.conv import average_pool as average_pool
from keras_fn_numpy.conv import conv as conv
from keras_fn_numpy.conv import conv_transpose as conv_transpose
from keras_fn_numpy.conv import max_pool as max_pool
from keras_fn_numpy.linalg import cholesky as cholesky
from keras_fn_numpy.linalg import det as det
from keras_fn_numpy.linalg import eig as eig
from keras_fn_numpy.linalg import eigh as eigh
from keras_fn_numpy.linalg import fft as fft
from keras_fn_numpy.linalg import inv as inv
from keras_fn_numpy.linalg import irfft as irfft
from keras_fn_numpy.linalg import lu_factor as lu_factor
from keras_fn_numpy.linalg import pinv as pinv
from keras_fn_numpy.linalg import qr as qr
from keras_fn_numpy.linalg import rfft as rfft
from keras_fn_numpy.linalg import slogdet as slogdet
from keras_fn_numpy.linalg import solve as solve
from keras_fn_numpy.linalg import solve_triangular as solve_triangular
from keras_fn_numpy.linalg import svd as svd
from keras_fn_numpy.loops import custom_gradient as custom_gradient
from keras_fn_numpy.loops import jvp as jvp
from keras_fn_numpy.loops import remat as remat
from keras_fn_numpy.loops import scan as scan
from keras_fn_numpy.loops import vectorized_map as vectorized_map
from keras_fn_numpy.random import random_normal as random_normal
from keras_fn_numpy.random import random_randint as random_randint
from keras_fn_numpy.random import random_uniform as random_uniform
from keras_fn_numpy.tensors import cast as cast
from keras_fn_numpy.tensors import convert_to_tensor, in_float32, is_tensor, wide

flip: Any = np.flip  # more than their types say, as lists of axes
repeat: Any = np.repeat
einsum = in_float32(np.einsum)
i0 = in_float32(np.i0)
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
erfc = in_float32(np.vectorize(math.erfc, [float]))
erfinv = in_float32(np.vectorize(_erfinv, [float]))


def _axes(axis: Any) -> Any:
    """NumPy takes no lists of axes."""
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Any) -> Any:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        options = {} if initial is None else {"initial": initial}
        return function(x, _axes(axis), keepdims=keepdims, **options)

    return in_float32(reduce)


all, any, max, min, sum = map(_reduction, (np.all, np.any, np.max, np.min, np.sum))


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Computes in `dtype`."""
    return _reduction(np.prod)(x if dtype is None else cast(x, dtype), axis, keepdims)


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
    return convert_to_tensor(np.full(shape, value, numpy_dtype(dtype)))


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    """NumPy would round the step to `dtype` before it counts."""
    return convert_to_tensor(np.arange(start, stop, step), dtype)


def stop_gradient(variable: Any) -> Any:
    """There are no gradients."""
    return variable


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """A number takes the dtype of the tensor beside it; NumPy refuses one operand alone."""
    operands = [x for x in (x1, x2) if x is not None]
    dtype = next((x.dtype for x in operands if is_tensor(x)), None)
    found = np.where(condition, *(np.asanyarray(x, dtype) for x in operands))
    return found if operands else tuple(places.astype("int32") for places in found)


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


def pad_by(x: Any, widths: Any, mode: str, value: float) -> Any:
    """`np.pad`, which takes a value in mode "constant" only."""
    options = {"constant_values": value} if mode == "constant" else {}
    return np.pad(x, widths, mode, **options)  # type: ignore[call-overload]


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
    return in_float32(np.sort)(x, axis)


def argsort(x: Any, axis: int | None = -1) -> Any:
    """Stable, as int32."""
    return np.argsort(wide(x), axis, "stable").astype("int32")


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """Always in falling order; of equal elements the first one comes first."""
    del sorted
    rising = np.argsort(np.flip(wide(x), -1), -1, "stable")
    places = (x.shape[-1] - 1 - np.flip(rising, -1))[..., :k]
    return np.take_along_axis(x, places, -1), places.astype("int32")


@np.errstate(all="ignore")
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """Rows out of range are left out."""
    y, rows = np.array(inputs), np.asarray(indices).reshape(-1, indices.shape[-1])
    depth = rows.shape[1]
    inside = ((rows >= [-n for n in y.shape[:depth]]) & (rows < y.shape[:depth])).all(-1)
    updates = np.broadcast_to(cast(updates, y.dtype), (*indices.shape[:-1], *y.shape[depth:]))
    updates = np.asarray(updates).reshape(len(rows), *y.shape[depth:])[inside]
    places = tuple(rows[inside].T)
    if reduction is None:
        y[places] = updates
    else:
        combine = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
        combine[reduction].at(y, places, updates)
    return convert_to_tensor(y)


def view(x: Any, dtype: Any = None) -> Any:
    """The same bytes."""
    native = x.dtype if dtype is None else numpy_dtype(dtype)
    if x.dtype.itemsize == native.itemsize:
        return np.ascontiguousarray(x).view(native).reshape(x.shape)
    return np.ascontiguousarray(x).view(native)


def view_as_complex(x: Any) -> Any:
    """Pairs along the last axis as complex numbers."""
    return np.ascontiguousarray(x).view(np.result_type(x, "complex64"))[..., 0]


def view_as_real(x: Any) -> Any:
    """Complex numbers as pairs along a last axis."""
    return np.stack([x.real, x.imag], -1)
