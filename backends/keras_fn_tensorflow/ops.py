"""The primitive ops on TensorFlow, and composites that it has in a faster form.

Called eagerly, an op of `tf.raw_ops` takes about half the time of its `tf.math` counterpart.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.core import dtypes
from keras_fn_tensorflow import numbers
from keras_fn_tensorflow.arrays import (
    arange,
    argsort,
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    full,
    pad_by,
    repeat,
    reshape,
    sort,
    split,
    squeeze,
    stack,
    tile,
    top_k,
    transpose,
    unstack,
)
from keras_fn_tensorflow.attention import fused_attention
from keras_fn_tensorflow.control import (
    custom_gradient,
    fori_loop,
    jvp,
    remat,
    switch,
    vectorized_map,
    while_loop,
)
from keras_fn_tensorflow.conv import average_pool, conv, conv_transpose, max_pool
from keras_fn_tensorflow.indexing import getitem, take, take_along_axis
from keras_fn_tensorflow.linalg import (
    cholesky,
    det,
    eig,
    eigh,
    inv,
    lu_factor,
    pinv,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
)
from keras_fn_tensorflow.loops import scan
from keras_fn_tensorflow.normalization import mean_of_replicas, normalize_batch
from keras_fn_tensorflow.numbers import (
    bincount,
    conjugate,
    i0,
    searchsorted,
    signbit,
    view_as_complex,
    view_as_real,
)
from keras_fn_tensorflow.random import (
    random_binomial,
    random_gamma,
    random_normal,
    random_randint,
    random_uniform,
)
from keras_fn_tensorflow.signals import fft, irfft, rfft
from keras_fn_tensorflow.tensors import cast, dtype_name, shape
from keras_fn_tensorflow.writing import (
    diag,
    diagonal,
    dynamic_slice,
    dynamic_slice_update,
    nonzero,
    roll,
    scatter_update,
    segment_max,
    segment_min,
    segment_prod,
    segment_sum,
    view,
)

Op = Callable[..., Any]
_NUMBERS = (bool, int, float, complex)


_COMMON = frozenset(
    {
        tf.float16,
        tf.bfloat16,
        tf.float32,
        tf.float64,
        tf.int32,
        tf.int64,
        tf.complex64,
        tf.complex128,
    }
)


def _through_int64(function: Op) -> Op:
    """An op that TensorFlow lacks for rare integers and booleans: their low bits come out right."""

    @wraps(function)
    def call(*tensors: Any, **options: Any) -> tf.Tensor:
        dtype = tensors[0].dtype
        if dtype in _COMMON:
            return function(*tensors, **options)
        return tf.cast(function(*(tf.cast(t, tf.int64) for t in tensors), **options), dtype)

    return call


# ------------------------------------------------------------------ one operand


def _unary(function: Op) -> Op:
    def call(x: Any) -> tf.Tensor:
        return function(x=x)

    return call


def _unless(skips: Callable[[tf.DType], bool], otherwise: Op, function: Op) -> Op:
    """`function`, but `otherwise` for operands whose dtype it does not know."""

    def call(x: Any) -> tf.Tensor:
        return otherwise(x) if skips(x.dtype) else function(x=x)

    return call


def _is_exact(dtype: tf.DType) -> bool:
    return dtype.is_integer or dtype.is_bool


def _is_unsigned(dtype: tf.DType) -> bool:
    return dtype.is_unsigned or dtype.is_bool


exp = _unary(raw.Exp)
expm1 = _unary(raw.Expm1)
log = _unary(raw.Log)
log1p = _unary(raw.Log1p)
sqrt = _unary(raw.Sqrt)
rsqrt = _unary(raw.Rsqrt)
sin = _unary(raw.Sin)
cos = _unary(raw.Cos)
tan = _unary(raw.Tan)
arcsin = _unary(raw.Asin)
arccos = _unary(raw.Acos)
arctan = _unary(raw.Atan)
sinh = _unary(raw.Sinh)
cosh = _unary(raw.Cosh)
tanh = _unary(raw.Tanh)
arcsinh = _unary(raw.Asinh)
arccosh = _unary(raw.Acosh)
arctanh = _unary(raw.Atanh)
sigmoid = _unary(raw.Sigmoid)
erf = _unary(raw.Erf)
erfc = _unary(raw.Erfc)
floor = _unary(raw.Floor)
ceil = _unary(raw.Ceil)
negative = _through_int64(_unary(raw.Neg))
logical_not = _unary(raw.LogicalNot)
absolute = _unless(_is_unsigned, tf.identity, numbers.absolute)
sign = _unless(_is_unsigned, lambda x: tf.cast(tf.cast(x, tf.bool), x.dtype), raw.Sign)
bitwise_not = _unless(lambda dtype: dtype.is_bool, tf.logical_not, raw.Invert)
isfinite = _unless(_is_exact, lambda x: tf.ones_like(x, tf.bool), raw.IsFinite)
isinf = _unless(_is_exact, lambda x: tf.zeros_like(x, tf.bool), raw.IsInf)
isnan = _unless(_is_exact, lambda x: tf.zeros_like(x, tf.bool), raw.IsNan)


def exp2(x: Any) -> tf.Tensor:
    """2 to the power of x."""
    return raw.Exp(x=x * 0.6931471805599453)


def log2(x: Any) -> tf.Tensor:
    """A quotient of logarithms, which is exact for powers of two where a product is not."""
    return raw.Log(x=x) / tf.constant(0.6931471805599453, x.dtype)


def log10(x: Any) -> tf.Tensor:
    """As `log2`."""
    return raw.Log(x=x) / tf.constant(2.302585092994046, x.dtype)


def erfinv(x: Any) -> tf.Tensor:
    """TensorFlow knows it in 32 and 64 bits."""
    if x.dtype in (tf.float32, tf.float64):
        return tf.math.erfinv(x)
    return tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype)


def round(x: Any, decimals: int = 0) -> tf.Tensor:
    """Halves go to the even neighbour."""
    if _is_exact(x.dtype) and decimals >= 0:
        return tf.identity(x)
    if decimals == 0:
        return raw.Round(x=x)
    # Integers in float64: float32 would lose the digits of large ones.
    wide = tf.cast(x, tf.float64) if _is_exact(x.dtype) else x
    scale = tf.cast(10.0 ** abs(decimals), wide.dtype)
    result = (
        raw.Round(x=wide * scale) / scale if decimals > 0 else raw.Round(x=wide / scale) * scale
    )
    return tf.cast(result, x.dtype)


def stop_gradient(variable: Any) -> tf.Tensor:
    """The value as a constant."""
    return raw.StopGradient(input=variable)


# ------------------------------------------------------------------ two operands


def _alike(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two tensors of one dtype: a graph would let a number on the left set it."""
    if type(x1) in _NUMBERS:
        return _constant(x1, x2.dtype), x2
    if type(x2) in _NUMBERS:
        return x1, _constant(x2, x1.dtype)
    return x1, x2


def _constant(x: Any, dtype: tf.DType) -> tf.Tensor:
    """A number as a tensor. Floats go there directly: by way of float32 they would lose digits."""
    return tf.constant(x, dtype) if type(x) is float else tf.cast(tf.constant(x), dtype)


def _binary(function: Op, boolean: Op | None = None) -> Op:
    """An op of two tensors, or of a tensor and a number; `boolean` is its form for booleans."""

    def call(x1: Any, x2: Any) -> tf.Tensor:
        x1, x2 = _alike(x1, x2)
        if boolean is not None and x1.dtype is tf.bool:
            return boolean(x=x1, y=x2)
        return function(x=x1, y=x2)

    return call


def _in_integers(function: Op) -> Op:
    """An op of booleans, worked out on 0 and 1."""

    def call(x: Any, y: Any) -> tf.Tensor:
        return function(x=tf.cast(x, tf.uint8), y=tf.cast(y, tf.uint8))

    return call


add = _binary(raw.AddV2, raw.LogicalOr)
subtract = _binary(raw.Sub)
multiply = _binary(raw.Mul, raw.LogicalAnd)
true_divide = _binary(raw.RealDiv)
floor_divide = _binary(raw.FloorDiv)
mod = _binary(raw.FloorMod)
maximum = _binary(raw.Maximum, raw.LogicalOr)
minimum = _binary(raw.Minimum, raw.LogicalAnd)
squared_difference = _binary(raw.SquaredDifference)
bitwise_and = _binary(raw.BitwiseAnd, raw.LogicalAnd)
bitwise_or = _binary(raw.BitwiseOr, raw.LogicalOr)
bitwise_xor = _binary(raw.BitwiseXor, raw.NotEqual)
equal = _binary(raw.Equal)
not_equal = _binary(raw.NotEqual)
less = _binary(raw.Less, _in_integers(raw.Less))
less_equal = _binary(raw.LessEqual, _in_integers(raw.LessEqual))
greater = _binary(raw.Greater, _in_integers(raw.Greater))
greater_equal = _binary(raw.GreaterEqual, _in_integers(raw.GreaterEqual))
logical_and = _binary(raw.LogicalAnd)
logical_or = _binary(raw.LogicalOr)
logical_xor = _binary(raw.NotEqual)
arctan2 = _binary(lambda x, y: raw.Atan2(y=x, x=y))
bitwise_left_shift = _binary(numbers.left_shift)
bitwise_right_shift = _binary(numbers.right_shift)
gcd = _binary(numbers.gcd)
nextafter = _binary(numbers.nextafter)


def power(x1: Any, x2: Any) -> tf.Tensor:
    """Of integers, with exponents that are not negative."""
    return _through_int64(lambda x, y: raw.Pow(x=x, y=y))(*_alike(x1, x2))


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Chooses element by element. The indices of a condition alone are int32."""
    if x1 is None and x2 is None:
        return tuple(tf.unstack(tf.cast(tf.where(condition), tf.int32), axis=1))
    x1, x2 = _alike(x1, x2)
    if isinstance(condition, bool) or condition.dtype is not tf.bool:
        condition = tf.cast(condition, tf.bool)
    return raw.SelectV2(condition=condition, t=x1, e=x2)


# ------------------------------------------------------------------ reductions


def _axes(x: Any, axis: Any) -> Any:
    if axis is None:
        return list(range(x.shape.rank))
    return axis if isinstance(axis, int) else list(axis)


def _reduction(function: Op, boolean: Op | None = None) -> Op:
    def call(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
        chosen = boolean if boolean is not None and x.dtype is tf.bool else function
        return chosen(input=x, axis=_axes(x, axis), keep_dims=keepdims)

    return call


sum = _reduction(raw.Sum)
mean = _reduction(raw.Mean)
all = _reduction(raw.All)
any = _reduction(raw.Any)
_prod = _reduction(raw.Prod)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> tf.Tensor:
    """Computes in `dtype`."""
    return _prod(x if dtype is None else cast(x, dtype), axis, keepdims)


def _extremum(of_elements: Op, either: Op) -> Op:
    def call(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> tf.Tensor:
        if initial is not None:
            return either(of_elements(x, axis, keepdims), tf.cast(initial, x.dtype))
        if x.shape.num_elements() == 0:
            numbers.refuse_no_elements(x, _axes(x, axis))
        return of_elements(x, axis, keepdims)

    return call


max = _extremum(_reduction(raw.Max, raw.Any), maximum)
min = _extremum(_reduction(raw.Min, raw.All), minimum)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """`tf.reduce_logsumexp`."""
    return tf.reduce_logsumexp(_floating(x), axis, keepdims)


def _arg_reduction(function: Op) -> Op:
    def call(x: Any, axis: int | None = None, keepdims: bool = False) -> tf.Tensor:
        rank = x.shape.rank
        if axis is None:
            x = tf.reshape(x, [-1])
        index = function(input=x, dimension=axis or 0, output_type=tf.int32)
        if x.dtype.is_floating:  # the first NaN, which TensorFlow passes over
            nan = raw.IsNan(x=x)
            first = raw.ArgMax(
                input=tf.cast(nan, tf.uint8), dimension=axis or 0, output_type=tf.int32
            )
            any_nan = raw.Any(input=nan, axis=axis or 0, keep_dims=False)
            index = raw.SelectV2(condition=any_nan, t=first, e=index)
        if not keepdims:
            return index
        return tf.reshape(index, [1] * rank) if axis is None else tf.expand_dims(index, axis)

    return call


argmax = _arg_reduction(raw.ArgMax)
argmin = _arg_reduction(raw.ArgMin)


def _cumulative(function: Op) -> Op:
    def call(x: Any, axis: int | None = None, dtype: str | None = None) -> tf.Tensor:
        if axis is None:
            x, axis = tf.reshape(x, [-1]), 0
        return run(x if dtype is None else cast(x, dtype), axis=axis)

    run = _through_int64(lambda x, axis: function(x=x, axis=axis))
    return call


cumsum = _cumulative(raw.Cumsum)
cumprod = _cumulative(raw.Cumprod)


# ------------------------------------------------------------------ products


@_through_int64
def matmul(x1: Any, x2: Any) -> tf.Tensor:
    """Matrix product; a matrix on the right is one product over all leading axes."""
    rank1, rank2 = x1.shape.rank, x2.shape.rank
    if rank1 == rank2 == 2:
        return raw.MatMul(a=x1, b=x2)
    if rank1 == 1:
        return tf.squeeze(matmul(tf.expand_dims(x1, 0), x2), -1 if rank2 == 1 else -2)
    if rank2 == 1:
        return tf.squeeze(matmul(x1, tf.expand_dims(x2, 1)), -1)
    if rank2 > 2 or x1.shape[-1] == 0:
        return raw.BatchMatMulV2(x=x1, y=x2)
    # One large product; as a batch of small ones its gradient would be slow.
    rows = raw.MatMul(a=tf.reshape(x1, [-1, x1.shape[-1]]), b=x2)
    return reshape(rows, [*shape(x1)[:-1], x2.shape[-1]])


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> tf.Tensor:
    """`tf.tensordot`, with axes that may be negative."""
    if not isinstance(axes, int):
        left, right = ([a] if isinstance(a, int) else a for a in axes)
        axes = [[a % x1.shape.rank for a in left], [a % x2.shape.rank for a in right]]
    return _through_int64(tf.tensordot)(x1, x2, axes=axes)


def einsum(subscripts: str, *operands: Any) -> tf.Tensor:
    """`tf.einsum`."""
    subscripts = subscripts.replace(" ", "")
    return _through_int64(lambda *tensors: tf.einsum(subscripts, *tensors))(*operands)


# ------------------------------------------------------------------ composites that are faster


def _floating(x: Any) -> Any:
    """Integers become floats, as they do in an op that has a rule."""
    return x if x.dtype.is_floating else cast(x, dtypes.float_type(dtype_name(x)))


def _activation(function: Op) -> Op:
    def call(x: Any) -> tf.Tensor:
        return function(features=_floating(x))

    return call


softplus = _activation(raw.Softplus)
softsign = _activation(raw.Softsign)
selu = _activation(raw.Selu)


def relu(x: Any) -> tf.Tensor:
    """`max(x, 0)`."""
    return raw.Relu(features=x)


def relu6(x: Any) -> tf.Tensor:
    """`min(max(x, 0), 6)`."""
    return raw.Relu6(features=x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> tf.Tensor:
    """`x` where positive, else a part of it."""
    return raw.LeakyRelu(features=_floating(x), alpha=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> tf.Tensor:
    """TensorFlow knows `alpha` 1 only."""
    x = _floating(x)
    return raw.Elu(features=x) if alpha == 1 else where(x > 0, x, raw.Elu(features=x) * alpha)


def silu(x: Any) -> tf.Tensor:
    """`x * sigmoid(x)`, whose gradient keeps `x` only."""
    return tf.nn.silu(_floating(x))


def softmax(x: Any, axis: Any = -1) -> tf.Tensor:
    """Over one axis `tf.nn.softmax`, over several by hand."""
    if isinstance(axis, int):
        return tf.nn.softmax(x, axis)
    shifted = tf.exp(x - tf.stop_gradient(tf.reduce_max(x, axis, keepdims=True)))
    return shifted / tf.reduce_sum(shifted, axis, keepdims=True)


def log_softmax(x: Any, axis: Any = -1) -> tf.Tensor:
    """As `softmax`."""
    x = _floating(x)
    if isinstance(axis, int):
        return tf.nn.log_softmax(x, axis)
    return x - tf.reduce_logsumexp(x, axis, keepdims=True)


def square(x: Any) -> tf.Tensor:
    """`x * x`."""
    return raw.LogicalAnd(x=x, y=x) if x.dtype is tf.bool else raw.Square(x=x)


def dense(x: Any, kernel: Any, bias: Any = None) -> tf.Tensor:
    """A product and a `BiasAdd`, whose gradient is cheaper than that of a broadcast."""
    if x.dtype != kernel.dtype or (bias is not None and bias.dtype != kernel.dtype):
        received = [t for t in (x, kernel, bias) if t is not None]
        dtype = dtypes.result_type(*map(dtype_name, received))
        x, kernel, bias = (None if t is None else cast(t, dtype) for t in (x, kernel, bias))
    product = matmul(x, kernel)
    if bias is None:
        return product
    if bias.shape.rank == 1 and product.shape.rank > 1 and kernel.shape[-1] == bias.shape[0]:
        return raw.BiasAdd(value=product, bias=bias)
    return add(product, bias)
