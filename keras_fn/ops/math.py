"""Elementwise math: exponentials, logarithms, rounding, remainders, special functions."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes

from keras_fn.core import dtypes
from keras_fn.core.dtypes import float_type
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import (
    broadcast,
    elementwise,
    elementwise_float,
    elementwise_int,
    integer_type,
    like,
    like_float,
    number_type,
)
from keras_fn.ops.arithmetic import (
    absolute,
    add,
    as_tensors,
    divide,
    floor_divide,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    power,
    sign,
    subtract,
    true_divide,
)
from keras_fn.ops.complex import is_complex, view_as_complex, view_as_real
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.logic import (
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    logical_and,
    logical_or,
    where,
)
from keras_fn.ops.trigonometric import sin
from keras_fn.types import Tensor, TensorLike


@op(rule=elementwise_float)
def exp(x: TensorLike) -> Tensor:
    """e to the power of `x`.

    Example:
        >>> print(convert_to_numpy(exp([0.0, 1.0])).round(3))
        [1.    2.718]
    """
    ...


@op(rule=elementwise_float)
def exp2(x: TensorLike) -> Tensor:
    """2 to the power of `x`.

    Example:
        >>> print(convert_to_numpy(exp2([0.0, 3.0])).round(3))
        [1. 8.]
    """
    ...


@op(rule=elementwise_float)
def expm1(x: TensorLike) -> Tensor:
    """`exp(x) - 1`, exact near 0.

    Example:
        >>> print(convert_to_numpy(expm1([0.0, 1.0])).round(3))
        [0.    1.718]
    """
    ...


@op(rule=elementwise_float)
def log(x: TensorLike) -> Tensor:
    """Natural logarithm.

    Example:
        >>> print(convert_to_numpy(log([1.0, 10.0])).round(3))
        [0.    2.303]
    """
    ...


@op(rule=elementwise_float)
def log2(x: TensorLike) -> Tensor:
    """Logarithm of base 2.

    Example:
        >>> print(convert_to_numpy(log2([1.0, 8.0])).round(3))
        [0. 3.]
    """
    ...


@op(rule=elementwise_float)
def log10(x: TensorLike) -> Tensor:
    """Logarithm of base 10.

    Example:
        >>> print(convert_to_numpy(log10([1.0, 100.0])).round(3))
        [0. 2.]
    """
    ...


@op(rule=elementwise_float)
def log1p(x: TensorLike) -> Tensor:
    """`log(1 + x)`, exact near 0.

    Example:
        >>> print(convert_to_numpy(log1p([0.0, 1.0])).round(3))
        [0.    0.693]
    """
    ...


@op(rule=elementwise_float)
def sqrt(x: TensorLike) -> Tensor:
    """Square root.

    Example:
        >>> print(convert_to_numpy(sqrt([4.0, 9.0])).round(3))
        [2. 3.]
    """
    ...


@op(rule=elementwise_float)
def rsqrt(x: TensorLike) -> Tensor:
    """`1 / sqrt(x)`.

    Example:
        >>> print(convert_to_numpy(rsqrt([4.0, 0.25])).round(3))
        [0.5 2. ]
    """
    ...


@op(rule=elementwise_float)
def sigmoid(x: TensorLike) -> Tensor:
    """Logistic function, `1 / (1 + exp(-x))`.

    Example:
        >>> print(convert_to_numpy(sigmoid([0.0, 2.0])).round(3))
        [0.5   0.881]
    """
    ...


@op(rule=elementwise_float)
def erf(x: TensorLike) -> Tensor:
    """Error function.

    Example:
        >>> print(convert_to_numpy(erf([0.0, 1.0])).round(3))
        [0.    0.843]
    """
    ...


@op(rule=elementwise_float)
def erfinv(x: TensorLike) -> Tensor:
    """Inverse error function.

    Example:
        >>> print(convert_to_numpy(erfinv([0.0, 0.5])).round(3))
        [0.    0.477]
    """
    ...


@op(rule=elementwise_float)
def erfc(x: TensorLike) -> Tensor:
    """`1 - erf(x)`, exact for large `x` too.

    Example:
        >>> print(convert_to_numpy(erfc([0.0, 1.0])).round(3))
        [1.    0.157]
    """
    ...


@op(rule=elementwise_float)
def i0(x: TensorLike) -> Tensor:
    """Modified Bessel function of the first kind, of order 0.

    Example:
        >>> print(convert_to_numpy(i0([0.0, 1.0])).round(3))
        [1.    1.266]
    """
    ...


@op(rule=like_float)
def floor(x: TensorLike) -> Tensor:
    """Largest integer not above `x`, as a float.

    Example:
        >>> print(convert_to_numpy(floor([-1.5, 1.5])).round(3))
        [-2.  1.]
    """
    ...


@op(rule=like_float)
def ceil(x: TensorLike) -> Tensor:
    """Smallest integer not below `x`, as a float.

    Example:
        >>> print(convert_to_numpy(ceil([-1.5, 1.5])).round(3))
        [-1.  2.]
    """
    ...


@op(rule=like)
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Rounds to `decimals` digits after the point; halves go to the even neighbour.

    Example:
        >>> convert_to_numpy(round([0.5, 1.5, 2.6])).tolist()
        [0.0, 2.0, 3.0]
    """
    ...


@op(rule=elementwise_float)
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The number next to `x1`, as its dtype has them, towards `x2`.

    Example:
        >>> float(nextafter(1.0, 2.0)) - 1.0 == 2.0**-23
        True
    """
    ...


def _limits(dtype: str) -> Any:
    """What NumPy's `finfo` says, of bfloat16 and the 8-bit floats too."""
    return ml_dtypes.finfo(dtypes.numpy_dtype(dtype))


# ---------------------------------------------------------------- one operand


@op(rule=elementwise_float)
def cbrt(x: TensorLike) -> Tensor:
    """Cube root, which negative numbers have too.

    Example:
        >>> print(convert_to_numpy(cbrt([27.0, -8.0])).round(3))
        [ 3. -2.]
    """
    size = absolute(x)
    root = power(size, 1.0 / 3.0)
    # One step of Newton's method: a third is no number of the dtype, so the power is a bit off.
    ordinary = logical_and(greater(root, 0), isfinite(root))
    safe = where(ordinary, root, 1.0)
    step = divide(subtract(safe, divide(size, multiply(safe, safe))), 3.0)
    return multiply(sign(x), where(ordinary, subtract(root, step), root))


@op(rule=elementwise_float)
def sinc(x: TensorLike) -> Tensor:
    """`sin(pi * x) / (pi * x)`, which is 1 at 0.

    Example:
        >>> print(convert_to_numpy(sinc([0.0, 0.5, 1.0])).round(3))
        [ 1.     0.637 -0.   ]
    """
    zero = equal(x, 0)
    angle = multiply(where(zero, 1.0, x), math.pi)
    return where(zero, 1.0, divide(sin(angle), angle))


@op(rule=like)
def trunc(x: TensorLike) -> Tensor:
    """The integer nearer to zero; integers as they are.

    Example:
        >>> convert_to_numpy(trunc([-1.5, 1.5])).tolist()
        [-1.0, 1.0]
    """
    if not dtypes.is_float(dtype_of(x)):
        return x
    return multiply(sign(x), floor(absolute(x)))


@op(rule=like)
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in place of NaN and the infinities.

    Args:
        x: Tensor of any shape.
        nan: What replaces NaN.
        posinf: What replaces plus infinity; by default the largest number of the dtype.
        neginf: What replaces minus infinity; by default the smallest number of the dtype.

    Example:
        >>> convert_to_numpy(nan_to_num([1.0, float('nan'), float('inf')], posinf=9.0)).tolist()
        [1.0, 0.0, 9.0]
    """
    if is_complex(x):
        return view_as_complex(nan_to_num(view_as_real(x), nan, posinf, neginf))
    dtype = dtype_of(x)
    if not dtypes.is_float(dtype):
        return x
    limits = _limits(dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    x = where(equal(x, -math.inf), low, where(equal(x, math.inf), high, x))
    return where(isnan(x), nan, x)


@op(rule=elementwise_float)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The step function: 0 where `x1` is negative, `x2` where it is 0, else 1.

    Example:
        >>> convert_to_numpy(heaviside([-1.0, 0.0, 2.0], 0.5)).tolist()
        [0.0, 0.5, 1.0]
    """
    x1, x2 = as_tensors(x1, x2)
    return where(equal(x1, 0), x2, maximum(sign(x1), 0))


@op(rule=elementwise_float)
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`sqrt(x1**2 + x2**2)`, without overflow.

    Example:
        >>> convert_to_numpy(hypot([3.0], [4.0])).tolist()
        [5.0]
    """
    x1, x2 = as_tensors(x1, x2)
    a, b = absolute(x1), absolute(x2)
    ordered = greater_equal(a, b)
    high, low = where(ordered, a, b), where(ordered, b, a)
    ratio = divide(low, where(equal(high, 0), 1, high))
    length = multiply(high, sqrt(add(1, multiply(ratio, ratio))))
    return where(logical_or(isinf(x1), isinf(x2)), math.inf, length)


def _ldexp_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    integer_type("ops.ldexp, its second operand")(x2.dtype)
    shape = broadcast(x1.shape, x2.shape, source="ops.ldexp")
    return TensorSpec(shape, float_type(x1.dtype, x2.dtype))


@op(rule=Rule(_ldexp_spec))
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * 2**x2`, exact wherever the result is a number of the dtype.

    Args:
        x1: Tensor of any shape.
        x2: Integers, of a shape that broadcasts with that of `x1`.

    Raises:
        TypeError: `x2` is of floats.

    Example:
        >>> convert_to_numpy(ldexp([1.0, 3.0], [4, -1])).tolist()
        [16.0, 1.5]
    """
    dtype = _ldexp_spec(spec_of(x1), spec_of(x2)).dtype
    # Three factors: one alone may be beyond the range where the result is not.
    most = 3 * (_limits(dtype).maxexp - 2)
    left = minimum(maximum(cast(x2, "int32"), -most), most)
    result = cast(x1, dtype)
    for parts in (3, 2, 1):
        part = floor_divide(left, parts)
        result = multiply(result, power(cast(2, dtype), cast(part, dtype)))
        left = subtract(left, part)
    return result


def _larger_and_rest(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """The larger operand, and what is left of the smaller one when that is taken away.

    Chosen by one comparison: so the gradient is exact where the operands are equal, too.
    """
    x1, x2 = as_tensors(x1, x2)
    ordered = greater_equal(x1, x2)
    high, low = where(ordered, x1, x2), where(ordered, x2, x1)
    return high, subtract(low, where(isinf(high), 0, high))


@op(rule=elementwise_float)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log(exp(x1) + exp(x2))`, without overflow.

    Example:
        >>> print(convert_to_numpy(logaddexp([0.0], [0.0])).round(3))
        [0.693]
    """
    high, rest = _larger_and_rest(x1, x2)
    return add(high, log1p(exp(rest)))


@op(rule=elementwise_float)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log2(2**x1 + 2**x2)`, without overflow.

    Example:
        >>> convert_to_numpy(logaddexp2([3.0], [3.0])).tolist()
        [4.0]
    """
    high, rest = _larger_and_rest(x1, x2)
    return add(high, divide(log1p(exp2(rest)), math.log(2.0)))


@op(rule=elementwise_int("ops.gcd"))
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Greatest common divisor of the absolute values; that of 0 and 0 is 0.

    Raises:
        TypeError: An operand is of floats.

    Example:
        >>> convert_to_numpy(gcd([12, 0], [18, 5])).tolist()
        [6, 5]
    """
    ...


@op(rule=elementwise_float)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 / x2`, and 0 where `x2` is 0. Its gradient is 0 there too.

    Example:
        >>> convert_to_numpy(divide_no_nan([1.0, 1.0], [2.0, 0.0])).tolist()
        [0.5, 0.0]
    """
    if isinstance(x2, (int, float, complex)):  # `where` would forget that a number is weak
        x2 = cast(x2, dtype_of(x1))
    zero = equal(x2, 0)
    return where(zero, 0, true_divide(x1, where(zero, 1, x2)))


# ---------------------------------------------------------------- two operands


@op(rule=elementwise)
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two elements; where one is NaN, the other.

    Example:
        >>> convert_to_numpy(fmax([1.0, float('nan')], 0.5)).tolist()
        [1.0, 0.5]
    """
    x1, x2 = as_tensors(x1, x2)
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


@op(rule=elementwise)
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two elements; where one is NaN, the other.

    Example:
        >>> convert_to_numpy(fmin([1.0, float('nan')], 0.5)).tolist()
        [0.5, 0.5]
    """
    x1, x2 = as_tensors(x1, x2)
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


def _remainder(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    return TensorSpec(
        broadcast(x1.shape, x2.shape, source="ops.fmod"), number_type(x1.dtype, x2.dtype)
    )


@op(rule=Rule(_remainder, promote=number_type))
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder with the sign of `x1`; that of `mod` has the sign of `x2`.

    Example:
        >>> convert_to_numpy(fmod([7, -7], 4)).tolist()
        [3, -3]
    """
    x1, x2 = as_tensors(x1, x2)
    rest = mod(absolute(x1), absolute(x2))
    return where(less(x1, 0), negative(rest), rest)


@op(rule=elementwise_int("ops.lcm"))
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Least common multiple of the absolute values; 0 if one is 0.

    Raises:
        TypeError: An operand is of floats.

    Example:
        >>> convert_to_numpy(lcm([4, 0], [6, 5])).tolist()
        [12, 0]
    """
    x1, x2 = absolute(x1), absolute(x2)
    return multiply(floor_divide(x1, maximum(gcd(x1, x2), 1)), x2)
