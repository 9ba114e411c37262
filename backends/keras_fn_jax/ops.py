"""The primitive ops on JAX, and composites that JAX has in a faster form."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.lax import rsqrt as rsqrt
from jax.lax import stop_gradient as stop_gradient
from jax.nn import sigmoid as sigmoid
from jax.numpy import absolute as absolute
from jax.numpy import add as add
from jax.numpy import append as append
from jax.numpy import arange as arange
from jax.numpy import arccos as arccos
from jax.numpy import arccosh as arccosh
from jax.numpy import arcsin as arcsin
from jax.numpy import arcsinh as arcsinh
from jax.numpy import arctan as arctan
from jax.numpy import arctan2 as arctan2
from jax.numpy import arctanh as arctanh
from jax.numpy import bitwise_and as bitwise_and
from jax.numpy import bitwise_not as bitwise_not
from jax.numpy import bitwise_or as bitwise_or
from jax.numpy import bitwise_xor as bitwise_xor
from jax.numpy import broadcast_to as broadcast_to
from jax.numpy import cbrt as cbrt
from jax.numpy import concatenate as concatenate
from jax.numpy import conjugate as conjugate
from jax.numpy import cos as cos
from jax.numpy import cosh as cosh
from jax.numpy import cross as cross
from jax.numpy import cumprod as cumprod
from jax.numpy import cumsum as cumsum
from jax.numpy import diag as diag
from jax.numpy import diagflat as diagflat
from jax.numpy import diagonal as diagonal
from jax.numpy import dstack as dstack
from jax.numpy import einsum as einsum
from jax.numpy import equal as equal
from jax.numpy import exp as exp
from jax.numpy import exp2 as exp2
from jax.numpy import expand_dims as expand_dims
from jax.numpy import expm1 as expm1
from jax.numpy import flip as flip
from jax.numpy import floor_divide as floor_divide
from jax.numpy import fmax as fmax
from jax.numpy import fmin as fmin
from jax.numpy import fmod as fmod
from jax.numpy import gcd as gcd
from jax.numpy import greater as greater
from jax.numpy import greater_equal as greater_equal
from jax.numpy import hstack as hstack
from jax.numpy import hypot as hypot
from jax.numpy import i0 as i0
from jax.numpy import imag as imag
from jax.numpy import inner as inner
from jax.numpy import isclose as isclose
from jax.numpy import isfinite as isfinite
from jax.numpy import isinf as isinf
from jax.numpy import isnan as isnan
from jax.numpy import kron as kron
from jax.numpy import left_shift as bitwise_left_shift
from jax.numpy import less as less
from jax.numpy import less_equal as less_equal
from jax.numpy import log as log
from jax.numpy import log1p as log1p
from jax.numpy import log2 as log2
from jax.numpy import log10 as log10
from jax.numpy import logaddexp as logaddexp
from jax.numpy import logaddexp2 as logaddexp2
from jax.numpy import logical_and as logical_and
from jax.numpy import logical_not as logical_not
from jax.numpy import logical_or as logical_or
from jax.numpy import logical_xor as logical_xor
from jax.numpy import matmul as matmul
from jax.numpy import maximum as maximum
from jax.numpy import minimum as minimum
from jax.numpy import mod as mod
from jax.numpy import multiply as multiply
from jax.numpy import negative as negative
from jax.numpy import nextafter as nextafter
from jax.numpy import not_equal as not_equal
from jax.numpy import power as power
from jax.numpy import real as real
from jax.numpy import right_shift as bitwise_right_shift
from jax.numpy import roll as roll
from jax.numpy import sign as sign
from jax.numpy import signbit as signbit
from jax.numpy import sin as sin
from jax.numpy import sinc as sinc
from jax.numpy import sinh as sinh
from jax.numpy import sqrt as sqrt
from jax.numpy import squeeze as squeeze
from jax.numpy import subtract as subtract
from jax.numpy import take_along_axis as take_along_axis
from jax.numpy import tan as tan
from jax.numpy import tanh as tanh
from jax.numpy import tensordot as tensordot
from jax.numpy import transpose as transpose
from jax.numpy import tril as tril
from jax.numpy import triu as triu
from jax.numpy import true_divide as true_divide
from jax.numpy import trunc as trunc
from jax.numpy import unravel_index as unravel_index
from jax.numpy import vdot as vdot
from jax.numpy import vstack as vstack
from jax.scipy.special import erf as erf
from jax.scipy.special import erfc as erfc
from jax.scipy.special import erfinv as erfinv

from keras_fn.backend.conv_geometry import Sizes, per_axis, transposed_window
from keras_fn.settings import settings, standardize_data_format
from keras_fn_jax.attention import fused_attention as fused_attention
from keras_fn_jax.compiled import compile_op
from keras_fn_jax.control import custom_gradient as custom_gradient
from keras_fn_jax.control import fori_loop as fori_loop
from keras_fn_jax.control import jvp as jvp
from keras_fn_jax.control import remat as remat
from keras_fn_jax.control import switch as switch
from keras_fn_jax.control import vectorized_map as vectorized_map
from keras_fn_jax.control import while_loop as while_loop
from keras_fn_jax.linalg import cholesky as cholesky
from keras_fn_jax.linalg import det as det
from keras_fn_jax.linalg import eig as eig
from keras_fn_jax.linalg import eigh as eigh
from keras_fn_jax.linalg import inv as inv
from keras_fn_jax.linalg import lu_factor as lu_factor
from keras_fn_jax.linalg import pinv as pinv
from keras_fn_jax.linalg import qr as qr
from keras_fn_jax.linalg import slogdet as slogdet
from keras_fn_jax.linalg import solve as solve
from keras_fn_jax.linalg import solve_triangular as solve_triangular
from keras_fn_jax.linalg import svd as svd
from keras_fn_jax.loops import gru as gru
from keras_fn_jax.loops import lstm as lstm
from keras_fn_jax.loops import scan as scan
from keras_fn_jax.numbers import max as max
from keras_fn_jax.numbers import min as min
from keras_fn_jax.numbers import prod as prod
from keras_fn_jax.numbers import round as round
from keras_fn_jax.numbers import searchsorted as searchsorted
from keras_fn_jax.numbers import view_as_complex as view_as_complex
from keras_fn_jax.numbers import view_as_real as view_as_real
from keras_fn_jax.random import random_binomial as random_binomial
from keras_fn_jax.random import random_gamma as random_gamma
from keras_fn_jax.random import random_normal as random_normal
from keras_fn_jax.random import random_randint as random_randint
from keras_fn_jax.random import random_uniform as random_uniform
from keras_fn_jax.signals import fft as fft
from keras_fn_jax.signals import irfft as irfft
from keras_fn_jax.signals import rfft as rfft
from keras_fn_jax.tensors import _native
from keras_fn_jax.tensors import cast as cast
from keras_fn_jax.writing import dynamic_slice as dynamic_slice
from keras_fn_jax.writing import dynamic_slice_update as dynamic_slice_update
from keras_fn_jax.writing import nonzero as nonzero
from keras_fn_jax.writing import scatter_update as scatter_update
from keras_fn_jax.writing import segment_max as segment_max
from keras_fn_jax.writing import segment_min as segment_min
from keras_fn_jax.writing import segment_prod as segment_prod
from keras_fn_jax.writing import segment_sum as segment_sum
from keras_fn_jax.writing import view as view


def _reduction(function: Any) -> Any:
    """The function with our order of arguments: JAX's third one is not `keepdims`."""

    def reduce(x: jax.Array, axis: Any = None, keepdims: bool = False) -> jax.Array:
        return function(x, axis=axis, keepdims=keepdims)

    return reduce


mean, sum = map(_reduction, (jnp.mean, jnp.sum))
all, any = (compile_op(_reduction(f)) for f in (jnp.all, jnp.any))
logsumexp = compile_op(_reduction(jax.scipy.special.logsumexp))


def _of_floats(function: Any) -> Any:
    """A function that takes floats only, of integers too."""

    def call(x: jax.Array, *args: Any, **kwargs: Any) -> jax.Array:
        if not jnp.issubdtype(x.dtype, jnp.floating):
            x = x.astype(settings.floatx)
        return function(x, *args, **kwargs)

    return call


# Of several primitives, or with a gradient of their own: slow to call one by one.
elu, relu, selu, softplus = map(jax.jit, (jax.nn.elu, jax.nn.relu, jax.nn.selu, jax.nn.softplus))
gelu, log_softmax, silu, softmax, stack = map(
    compile_op,
    (
        jax.nn.gelu,
        _of_floats(jax.nn.log_softmax),
        _of_floats(jax.nn.silu),
        jax.nn.softmax,
        jnp.stack,
    ),
)


@jax.jit
def relu6(x: jax.Array) -> jax.Array:
    """That of JAX makes floats of integers."""
    return jnp.minimum(jax.nn.relu(x), 6)


def where(condition: jax.Array, x1: Any = None, x2: Any = None) -> Any:
    """`jnp.where`; of the condition alone, the places where it holds."""
    return jnp.where(condition, x1, x2)


def full(shape: Any, value: float, dtype: str) -> jax.Array:
    """A constant."""
    return jnp.full(shape, value, dtype=_native(dtype))


def floor(x: jax.Array) -> jax.Array:
    """Keras gives floats for integers too; the rule has cast them."""
    return jnp.floor(x)


def ceil(x: jax.Array) -> jax.Array:
    """As `floor`."""
    return jnp.ceil(x)


def reshape(x: jax.Array, newshape: Any) -> jax.Array:
    """JAX names the argument otherwise."""
    return jnp.reshape(x, newshape)


@compile_op
def split(x: jax.Array, indices_or_sections: Any, axis: int = 0) -> list[jax.Array]:
    """Indices may lie beyond the end, as in NumPy."""
    if not isinstance(indices_or_sections, int):
        places = range(x.shape[axis])
        indices_or_sections = [len(places[: int(i)]) for i in indices_or_sections]
    return jnp.split(x, indices_or_sections, axis)


def tile(x: jax.Array, repeats: Any) -> jax.Array:
    """JAX names the argument otherwise."""
    return jnp.tile(x, repeats)


@compile_op
def repeat(x: jax.Array, repeats: Any, axis: int | None = None) -> jax.Array:
    """Counts may be a list, which JAX does not take."""
    return jnp.repeat(x, np.asarray(repeats), axis)


@compile_op
def argmax(x: jax.Array, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Index as int32."""
    return jnp.argmax(x, axis=axis, keepdims=keepdims).astype("int32")


@compile_op
def argmin(x: jax.Array, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Index as int32."""
    return jnp.argmin(x, axis=axis, keepdims=keepdims).astype("int32")


def unstack(x: jax.Array, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """The slices along an axis."""
    del num
    return list(jnp.moveaxis(x, axis, 0))


def getitem(x: jax.Array, key: Any) -> jax.Array:
    """`x[key]`; JAX would clip a number that is out of range."""
    for k, size in zip(key if type(key) is tuple else (key,), x.shape, strict=False):
        if type(k) is int and not -size <= k < size:
            raise IndexError(f"index {k} of {size}")
        if type(k) is not int and type(k) is not slice:
            break
    return x[key]


@partial(jax.jit, static_argnames="axis")
def take(x: jax.Array, indices: jax.Array, axis: int | None = None) -> jax.Array:
    """Clips indices out of range, as jit cannot raise; NaN (JAX's default) would spread."""
    size = x.size if axis is None else x.shape[axis]
    indices = jnp.where(indices < 0, indices + size, indices)
    return jnp.take(x, indices, axis=axis, mode="clip")


@compile_op
def sort(x: jax.Array, axis: int | None = -1) -> jax.Array:
    """Rising order."""
    return jnp.sort(x, axis=axis)


def argsort(x: jax.Array, axis: int | None = -1) -> jax.Array:
    """Stable, as int32."""
    return jnp.argsort(x, axis=axis, stable=True).astype("int32")


def top_k(x: jax.Array, k: int, sorted: bool = True) -> tuple[jax.Array, jax.Array]:
    """Always in falling order."""
    del sorted
    values, indices = lax.top_k(x, k)
    return values, indices


@compile_op
def pad_by(x: jax.Array, widths: Any, mode: str, value: float) -> jax.Array:
    """`jnp.pad`, which takes a value in mode "constant" only."""
    options = {"constant_values": value} if mode == "constant" else {}
    return jnp.pad(x, widths, mode=mode, **options)


_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def _layouts(rank: int, data_format: str | None) -> tuple[str, str, str]:
    space = _LETTERS[rank]
    channels_last = standardize_data_format(data_format) == "channels_last"
    inputs = f"N{space}C" if channels_last else f"NC{space}"
    return inputs, f"{space}IO", inputs


@compile_op
def conv(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> jax.Array:
    """`lax.conv_general_dilated`; the groups follow from the kernel's shape."""
    rank = inputs.ndim - 2
    layouts = _layouts(rank, data_format)
    channels = inputs.shape[layouts[0].index("C")]
    result = lax.conv_general_dilated(
        inputs,
        kernel,
        per_axis(strides, rank),
        padding.upper(),
        rhs_dilation=per_axis(dilation_rate, rank),
        dimension_numbers=layouts,
        feature_group_count=channels // kernel.shape[-2],
    )
    return _of_windows(inputs, result)


def _of_windows(inputs: jax.Array, result: jax.Array) -> jax.Array:
    """The result, unless no window fits: JAX would then give nothing."""
    if 0 in result.shape and 0 not in inputs.shape:
        raise ValueError(f"No window fits into {inputs.shape}.")
    return result


@compile_op
def conv_transpose(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> jax.Array:
    """A convolution of the stretched inputs with the flipped kernel."""
    rank = inputs.ndim - 2
    space = _LETTERS[rank]
    layout = _layouts(rank, data_format)[0]
    return lax.conv_general_dilated(
        inputs,
        jnp.flip(kernel, tuple(range(rank))),
        (1,) * rank,
        transposed_window(kernel.shape[:-2], strides, padding, output_padding, dilation_rate),
        lhs_dilation=per_axis(strides, rank),
        rhs_dilation=per_axis(dilation_rate, rank),
        dimension_numbers=(layout, f"{space}OI", layout),
    )


def _windows(x: jax.Array, pool_size: Sizes, strides: Sizes | None, data_format: str | None):
    rank = x.ndim - 2
    if rank not in _LETTERS:
        raise ValueError(f"There is no pooling of shape {x.shape}.")
    window = per_axis(pool_size, rank)
    steps = window if strides is None else per_axis(strides, rank)
    if standardize_data_format(data_format) == "channels_last":
        return (1, *window, 1), (1, *steps, 1)
    return (1, 1, *window), (1, 1, *steps)


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.floating):
        return -jnp.inf
    return False if dtype.kind == "b" else jnp.iinfo(dtype).min


@compile_op
def max_pool(
    inputs: jax.Array,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """`lax.reduce_window` with the maximum."""
    window, steps = _windows(inputs, pool_size, strides, data_format)
    lowest = np.array(_lowest(inputs.dtype), inputs.dtype)
    result = lax.reduce_window(inputs, lowest, lax.max, window, steps, padding.upper())
    return _of_windows(inputs, result)


@compile_op
def average_pool(
    inputs: jax.Array,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """Sums divided by how many elements, other than padding, went into each."""
    window, steps = _windows(inputs, pool_size, strides, data_format)
    total = lax.reduce_window(inputs, 0.0, lax.add, window, steps, padding.upper())
    total = _of_windows(inputs, total)
    if padding == "valid":
        count = 1
        for n in window:
            count *= n
        return total / count
    ones = jnp.ones((1, *inputs.shape[1:]), inputs.dtype)
    return total / lax.reduce_window(ones, 0.0, lax.add, window, steps, padding.upper())
