"""The primitive ops on PyTorch, and composites that PyTorch has in a faster form."""

import builtins
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import acos as arccos
from torch import acosh as arccosh
from torch import add as add
from torch import asin as arcsin
from torch import asinh as arcsinh
from torch import atan as arctan
from torch import atanh as arctanh
from torch import bitwise_and as bitwise_and
from torch import bitwise_or as bitwise_or
from torch import bitwise_xor as bitwise_xor
from torch import ceil as ceil
from torch import clone as copy
from torch import conj as conjugate
from torch import cos as cos
from torch import cosh as cosh
from torch import detach as stop_gradient
from torch import erf as erf
from torch import erfc as erfc
from torch import erfinv as erfinv
from torch import exp as exp
from torch import exp2 as exp2
from torch import expm1 as expm1
from torch import floor as floor
from torch import i0 as i0
from torch import isfinite as isfinite
from torch import isinf as isinf
from torch import isnan as isnan
from torch import log as log
from torch import log1p as log1p
from torch import log2 as log2
from torch import log10 as log10
from torch import logical_not as logical_not
from torch import moveaxis as moveaxis
from torch import mul as multiply
from torch import nan_to_num as nan_to_num
from torch import real as real
from torch import relu as relu
from torch import rsqrt as rsqrt
from torch import sigmoid as sigmoid
from torch import sin as sin
from torch import sinc as sinc
from torch import sinh as sinh
from torch import sqrt as sqrt
from torch import stack as stack
from torch import sub as subtract
from torch import swapaxes as swapaxes
from torch import tan as tan
from torch import tanh as tanh
from torch import true_divide as true_divide

from keras_fn_torch.attention import fused_attention as fused_attention
from keras_fn_torch.axes import Axis, axes_of
from keras_fn_torch.control import custom_gradient as custom_gradient
from keras_fn_torch.control import jvp as jvp
from keras_fn_torch.control import remat as remat
from keras_fn_torch.control import vectorized_map as vectorized_map
from keras_fn_torch.conv import average_pool as average_pool
from keras_fn_torch.conv import conv as conv
from keras_fn_torch.conv import conv_transpose as conv_transpose
from keras_fn_torch.conv import max_pool as max_pool
from keras_fn_torch.ctc import ctc_loss as ctc_loss
from keras_fn_torch.linalg import cholesky as cholesky
from keras_fn_torch.linalg import det as det
from keras_fn_torch.linalg import eig as eig
from keras_fn_torch.linalg import eigh as eigh
from keras_fn_torch.linalg import inv as inv
from keras_fn_torch.linalg import lu_factor as lu_factor
from keras_fn_torch.linalg import pinv as pinv
from keras_fn_torch.linalg import qr as qr
from keras_fn_torch.linalg import slogdet as slogdet
from keras_fn_torch.linalg import solve as solve
from keras_fn_torch.linalg import solve_triangular as solve_triangular
from keras_fn_torch.linalg import svd as svd
from keras_fn_torch.losses import binary_crossentropy as binary_crossentropy
from keras_fn_torch.losses import categorical_crossentropy as categorical_crossentropy
from keras_fn_torch.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from keras_fn_torch.nn import batch_normalization as batch_normalization
from keras_fn_torch.nn import dense as dense
from keras_fn_torch.nn import elu as elu
from keras_fn_torch.nn import gelu as gelu
from keras_fn_torch.nn import glu as glu
from keras_fn_torch.nn import hard_sigmoid as hard_sigmoid
from keras_fn_torch.nn import hard_silu as hard_silu
from keras_fn_torch.nn import layer_normalization as layer_normalization
from keras_fn_torch.nn import leaky_relu as leaky_relu
from keras_fn_torch.nn import log_sigmoid as log_sigmoid
from keras_fn_torch.nn import log_softmax as log_softmax
from keras_fn_torch.nn import mean_of_replicas as mean_of_replicas
from keras_fn_torch.nn import normalize_batch as normalize_batch
from keras_fn_torch.nn import rms_normalization as rms_normalization
from keras_fn_torch.nn import selu as selu
from keras_fn_torch.nn import silu as silu
from keras_fn_torch.nn import softmax as softmax
from keras_fn_torch.nn import softplus as softplus
from keras_fn_torch.numbers import searchsorted as searchsorted
from keras_fn_torch.numbers import view_as_complex as view_as_complex
from keras_fn_torch.numbers import view_as_real as view_as_real
from keras_fn_torch.random import random_binomial as random_binomial
from keras_fn_torch.random import random_gamma as random_gamma
from keras_fn_torch.random import random_normal as random_normal
from keras_fn_torch.random import random_randint as random_randint
from keras_fn_torch.random import random_uniform as random_uniform
from keras_fn_torch.refused import accepting, of_floats
from keras_fn_torch.rnn import gru as gru
from keras_fn_torch.rnn import lstm as lstm
from keras_fn_torch.rnn import scan as scan
from keras_fn_torch.selection import argsort as argsort
from keras_fn_torch.selection import getitem as getitem
from keras_fn_torch.selection import sort as sort
from keras_fn_torch.selection import take as take
from keras_fn_torch.selection import take_along_axis as take_along_axis
from keras_fn_torch.selection import top_k as top_k
from keras_fn_torch.signals import extract_sequences as extract_sequences
from keras_fn_torch.signals import fft as fft
from keras_fn_torch.signals import irfft as irfft
from keras_fn_torch.signals import rfft as rfft
from keras_fn_torch.tensors import Tensor, default_device, native
from keras_fn_torch.tensors import cast as cast
from keras_fn_torch.writing import diag as diag
from keras_fn_torch.writing import diagonal as diagonal
from keras_fn_torch.writing import dynamic_slice as dynamic_slice
from keras_fn_torch.writing import dynamic_slice_update as dynamic_slice_update
from keras_fn_torch.writing import inner as inner
from keras_fn_torch.writing import nonzero as nonzero
from keras_fn_torch.writing import roll as roll
from keras_fn_torch.writing import scatter_update as scatter_update
from keras_fn_torch.writing import segment_max as segment_max
from keras_fn_torch.writing import segment_min as segment_min
from keras_fn_torch.writing import segment_prod as segment_prod
from keras_fn_torch.writing import segment_sum as segment_sum
from keras_fn_torch.writing import tril as tril
from keras_fn_torch.writing import triu as triu
from keras_fn_torch.writing import view as view

# ---------------------------------------------------------------- elementwise

absolute = accepting(torch.abs)
bitwise_not = accepting(torch.bitwise_not)
negative = accepting(torch.neg)

# Python's own operators, as they take a number on either side.
equal = operator.eq
not_equal = operator.ne
less = operator.lt
less_equal = operator.le
greater = operator.gt
greater_equal = operator.ge

floor_divide = accepting(torch.floor_divide)
mod = accepting(torch.remainder)
power = accepting(torch.pow)


def _of_tensors(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Tensor]:
    """Makes `function`, which takes tensors only, take a number for one of them."""
    function = accepting(function)

    def call(x1: Any, x2: Any) -> Tensor:
        if not isinstance(x2, Tensor):
            x2 = torch.full((), x2, dtype=x1.dtype, device=x1.device)
        elif not isinstance(x1, Tensor):
            x1 = torch.full((), x1, dtype=x2.dtype, device=x2.device)
        return function(x1, x2)

    return call


arctan2 = _of_tensors(torch.atan2)
logical_and = _of_tensors(torch.logical_and)
logical_or = _of_tensors(torch.logical_or)
logical_xor = _of_tensors(torch.logical_xor)
maximum = _of_tensors(torch.maximum)
minimum = _of_tensors(torch.minimum)
fmax = _of_tensors(torch.fmax)
fmin = _of_tensors(torch.fmin)
fmod = _of_tensors(torch.fmod)
gcd = _of_tensors(torch.gcd)
hypot = _of_tensors(torch.hypot)
logaddexp = _of_tensors(torch.logaddexp)
logaddexp2 = _of_tensors(torch.logaddexp2)
nextafter = _of_tensors(torch.nextafter)

bitwise_left_shift = accepting(torch.bitwise_left_shift)
bitwise_right_shift = accepting(torch.bitwise_right_shift)
signbit = accepting(torch.signbit)
trunc = accepting(torch.trunc)


def sign(x: Tensor) -> Tensor:
    """NaN stays NaN: `torch.sign` makes it 0."""
    result = _sign(x)
    return torch.where(x.isnan(), x, result) if x.is_floating_point() else result


_sign = accepting(torch.sign)


def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Integers change only with negative `decimals`."""
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    if decimals >= 0:
        return x
    return torch.round(x.double(), decimals=decimals).to(x.dtype)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Takes any number for a condition. The indices of one alone are int32."""
    if not isinstance(condition, Tensor):
        condition = torch.tensor(condition, device=default_device())
    if x1 is None and x2 is None:
        return tuple(index.int() for index in condition.nonzero(as_tuple=True))
    if condition.dtype is not torch.bool:
        condition = condition.bool()
    return torch.where(condition, x1, x2)


def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    """`torch.clamp`, which takes two numbers or two tensors."""
    if isinstance(x_min, Tensor) or isinstance(x_max, Tensor):
        x_min = torch.as_tensor(x_min, device=x.device)
        x_max = torch.as_tensor(x_max, device=x.device)
    return torch.clamp(x, x_min, x_max)


def square(x: Tensor) -> Tensor:
    """`torch.square` would make booleans integers."""
    return torch.mul(x, x)


# ---------------------------------------------------------------- reductions


def _reduction(function: Callable[..., Any], over_all: Any = None) -> Callable[..., Tensor]:
    """Names the arguments as Keras does. No axes are no reduction, where PyTorch takes all."""
    function = accepting(function)

    def reduce(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        if axis is None:
            return function(x, over_all, keepdims)
        if isinstance(axis, list):
            axis = tuple(axis)
        return x if axis == () else function(x, axis, keepdims)

    return reduce


# Integers would become int64; the rule has made them what the sum is to be.
_sum = accepting(lambda x, axis, keepdims: torch.sum(x, axis, keepdims, dtype=x.dtype))


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`torch.sum`, in the dtype that the rule says: integers would become int64."""
    if axis == () or axis == []:
        return x
    if x.is_floating_point():
        return torch.sum(x, axis, keepdims)
    return _sum(x, axis, keepdims)


mean = _reduction(torch.mean)
all = _reduction(torch.all)
any = _reduction(torch.any)
_prod = accepting(lambda x, axis, keepdims: torch.prod(x, axis, keepdims, dtype=x.dtype))


def _extremum(function: Callable[..., Any], either: Callable[..., Any]) -> Callable[..., Tensor]:
    of_elements = _reduction(function, over_all=())

    def reduce(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
        if initial is None:
            return of_elements(x, axis, keepdims)
        if x.numel() == 0:  # PyTorch refuses axes without elements: make them one element long
            axes = {a % x.dim() for a in axes_of(x, axis)}
            x = x.new_full([1 if i in axes else n for i, n in enumerate(x.shape)], initial)
        result = of_elements(x, axis, keepdims)
        return either(result, torch.full_like(result, initial))

    return reduce


max = _extremum(torch.amax, maximum)
min = _extremum(torch.amin, minimum)


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """One axis after the other: `torch.prod` knows no several."""
    if dtype is not None:
        x = cast(x, dtype)
    all_axes = range(x.dim())
    for i in sorted((all_axes[a] for a in axes_of(x, axis)), reverse=True):
        x = _prod(x, i, keepdims)
    return x


_argmax, _argmin = accepting(torch.argmax), accepting(torch.argmin)


def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index as int32."""
    return _argmax(x, axis, keepdims).to(torch.int32)


def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index as int32."""
    return _argmin(x, axis, keepdims).to(torch.int32)


def _running(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    in_dtype = accepting(lambda x, axis: function(x, axis, dtype=x.dtype))

    def run(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
        if dtype is not None:
            x = cast(x, dtype)
        return in_dtype(x.flatten(), 0) if axis is None else in_dtype(x, axis)

    return run


cumsum = _running(torch.cumsum)
cumprod = _running(torch.cumprod)


@of_floats
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`torch.logsumexp`."""
    return torch.logsumexp(x, axes_of(x, axis), keepdims)


# ---------------------------------------------------------------- shapes and constants


def full(shape: Any, value: float, dtype: str) -> Tensor:
    """A constant."""
    return torch.full(shape, value, dtype=native(dtype), device=default_device())


_narrow_arange = accepting(
    lambda like, *limits: torch.arange(*limits, dtype=like.dtype, device=like.device)
)


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Tensor:
    """`torch.arange`, which refuses limits that lie the wrong way round."""
    if (stop - start) * step < 0:
        stop = start
    return _narrow_arange(
        torch.empty((), dtype=native(dtype), device=default_device()), start, stop, step
    )


def reshape(x: Tensor, newshape: Any) -> Tensor:
    """`Tensor.reshape`, which takes a single size too."""
    return x.reshape(newshape)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """`Tensor.permute`."""
    return x.permute(tuple(range(x.dim() - 1, -1, -1)) if axes is None else tuple(axes))


def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """One axis or several."""
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    rank = x.dim() + len(axis)
    for i in sorted(a % rank for a in axis):
        x = x.unsqueeze(i)
    return x


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """`torch.squeeze` would pass over axes that are longer than 1."""
    if axis is None:
        return x.squeeze()
    axes = axes_of(x, axis)
    if builtins.any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"ops.squeeze: axis {axis} of shape {tuple(x.shape)} is not of size 1.")
    return x.squeeze(axes)


def concatenate(xs: Sequence[Tensor], axis: int | None = 0) -> Tensor:
    """Flattens first for None."""
    if axis is None:
        return torch.cat([x.flatten() for x in xs])
    return torch.cat(xs, axis)


def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Parts of equal size, or between indices."""
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if size % indices_or_sections:
            raise ValueError(
                f"ops.split: {indices_or_sections} does not divide size {size} of axis {axis}."
            )
        return list(x.split([size // indices_or_sections] * indices_or_sections, axis))
    places = [int(i) for i in indices_or_sections]
    ends = [0, *places, x.shape[axis]]
    sizes = [end - start for start, end in pairwise(ends)]
    # `split` makes one gradient of those of the parts, `tensor_split` one for each and their sum.
    return list(x.tensor_split(places, axis) if builtins.min(sizes) < 0 else x.split(sizes, axis))


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis."""
    del num
    return list(x.unbind(axis))


def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """`torch.tile`."""
    return x.tile((repeats,) if isinstance(repeats, int) else tuple(repeats))


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """`torch.repeat_interleave`; the size of the output is known, which saves a look at it."""
    if isinstance(repeats, int):
        return torch.repeat_interleave(x, repeats, axis)
    counts = [int(n) for n in repeats]
    total = builtins.sum(counts) if len(counts) > 1 else None
    return torch.repeat_interleave(
        x, torch.tensor(counts, device=x.device), axis, output_size=total
    )


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """`torch.flip`."""
    return x.flip(axes_of(x, axis))


def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """`torch.broadcast_to`."""
    return x.broadcast_to(tuple(shape))


def pad_by(x: Tensor, widths: Sequence[tuple[int, int]], mode: str, value: float) -> Tensor:
    """`F.pad` for constants. Other modes repeat elements, at indices that NumPy works out."""
    if mode == "constant":
        pads = [n for pair in reversed(widths) for n in pair]
        while pads[-2:] == [0, 0]:  # PyTorch 2.6 refuses no pads of an axis without elements
            del pads[-2:]
        return F.pad(x, pads, value=value)
    for axis, width in enumerate(widths):
        if width != (0, 0):
            places = np.pad(np.arange(x.shape[axis]), width, mode=mode)  # type: ignore[call-overload]
            x = x.index_select(axis, torch.as_tensor(places, device=x.device))
    return x


# ---------------------------------------------------------------- products

matmul = accepting(torch.matmul)
_sum_of_products = accepting(torch.einsum)


def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """`torch.einsum`, which sums integers in 64 bits."""
    return _sum_of_products(subscripts.replace(" ", ""), *operands).to(operands[0].dtype)


_tensordot = accepting(torch.tensordot)


def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """`torch.tensordot`, with single axes too."""
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else list(a) for a in axes]
    return _tensordot(x1, x2, axes)
