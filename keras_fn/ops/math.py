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
    integer_type,
    like,
    like_float,
    number_type,
)
from keras_fn.ops.arithmetic import (
    absolute,
    add,
    divide,
    floor_divide,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    power,
    promote_scalars,
    sign,
    subtract,
    true_divide,
)
from keras_fn.ops.complex import is_complex, view_as_complex, view_as_real
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of
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
    """Exponential, element by element: e to the power of `x`.

    Example:
        >>> print(convert_to_numpy(exp([0.0, 1.0])).round(3))
        [1.    2.718]
    """
    ...


@op(rule=elementwise_float)
def exp2(x: TensorLike) -> Tensor:
    """Base-2 exponential, element by element: 2 to the power of `x`.

    Example:
        >>> print(convert_to_numpy(exp2([0.0, 3.0])).round(3))
        [1. 8.]
    """
    ...


@op(rule=elementwise_float)
def expm1(x: TensorLike) -> Tensor:
    """`exp(x) - 1`, element by element, accurate near 0.

    Example:
        >>> print(convert_to_numpy(expm1([0.0, 1.0])).round(3))
        [0.    1.718]
    """
    ...


@op(rule=elementwise_float)
def log(x: TensorLike) -> Tensor:
    """Natural logarithm, element by element.

    Example:
        >>> print(convert_to_numpy(log([1.0, 10.0])).round(3))
        [0.    2.303]
    """
    ...


@op(rule=elementwise_float)
def log2(x: TensorLike) -> Tensor:
    """Base-2 logarithm, element by element.

    Example:
        >>> print(convert_to_numpy(log2([1.0, 8.0])).round(3))
        [0. 3.]
    """
    ...


@op(rule=elementwise_float)
def log10(x: TensorLike) -> Tensor:
    """Base-10 logarithm, element by element.

    Example:
        >>> print(convert_to_numpy(log10([1.0, 100.0])).round(3))
        [0. 2.]
    """
    ...


@op(rule=elementwise_float)
def log1p(x: TensorLike) -> Tensor:
    """`log(1 + x)`, element by element, accurate near 0.

    Example:
        >>> print(convert_to_numpy(log1p([0.0, 1.0])).round(3))
        [0.    0.693]
    """
    ...


@op(rule=elementwise_float)
def sqrt(x: TensorLike) -> Tensor:
    """Square root, element by element.

    Example:
        >>> print(convert_to_numpy(sqrt([4.0, 9.0])).round(3))
        [2. 3.]
    """
    ...


@op(rule=elementwise_float)
def rsqrt(x: TensorLike) -> Tensor:
    """Reciprocal square root, element by element: `1 / sqrt(x)`.

    Example:
        >>> print(convert_to_numpy(rsqrt([4.0, 0.25])).round(3))
        [0.5 2. ]
    """
    ...


@op(rule=elementwise_float)
def sigmoid(x: TensorLike) -> Tensor:
    """Sigmoid (logistic function), element by element: `1 / (1 + exp(-x))`.

    Example:
        >>> print(convert_to_numpy(sigmoid([0.0, 2.0])).round(3))
        [0.5   0.881]
    """
    ...


@op(rule=elementwise_float)
def erf(x: TensorLike) -> Tensor:
    """Error function, element by element.

    Example:
        >>> print(convert_to_numpy(erf([0.0, 1.0])).round(3))
        [0.    0.843]
    """
    ...


@op(rule=elementwise_float)
def erfinv(x: TensorLike) -> Tensor:
    """Inverse error function, element by element.

    Example:
        >>> print(convert_to_numpy(erfinv([0.0, 0.5])).round(3))
        [0.    0.477]
    """
    ...


@op(rule=elementwise_float)
def erfc(x: TensorLike) -> Tensor:
    """Complementary error function, `1 - erf(x)`, element by element, accurate for large `x`.

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
    """Floor, element by element: the largest integer that is not greater than `x`, as a float.

    Example:
        >>> print(convert_to_numpy(floor([-1.5, 1.5])).round(3))
        [-2.  1.]
    """
    ...


@op(rule=like_float)
def ceil(x: TensorLike) -> Tensor:
    """Ceiling, element by element: the smallest integer that is not less than `x`, as a float.

    Example:
        >>> print(convert_to_numpy(ceil([-1.5, 1.5])).round(3))
        [-1.  2.]
    """
    ...


@op(rule=like)
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Rounds to a number of decimals; halves are rounded to the even neighbor.

    Args:
        x: Tensor of any shape.
        decimals: Number of digits after the decimal point; negative to round to tens and so on.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(round([0.5, 1.5, 2.6])).tolist()
        [0.0, 2.0, 3.0]
    """
    ...


@op(rule=elementwise_float)
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Next representable number after `x1` in the direction of `x2`, element by element.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> float(nextafter(1.0, 2.0)) - 1.0 == 2.0**-23
        True
    """
    ...


def _limits(dtype: str) -> Any:
    """Returns `finfo` of a dtype, including bfloat16 and the 8-bit floats."""
    return ml_dtypes.finfo(dtypes.numpy_dtype(dtype))


@op(rule=elementwise_float)
def cbrt(x: TensorLike) -> Tensor:
    """Cube root, element by element; also of negative numbers.

    Example:
        >>> print(convert_to_numpy(cbrt([27.0, -8.0])).round(3))
        [ 3. -2.]
    """
    is_negative = less(x, 0)
    magnitude = where(is_negative, negative(x), x)  # absolute has no slope at 0, the root has one
    root = power(magnitude, 1.0 / 3.0)
    # One step of Newton's method: 1 / 3 is not exact in floating point, nor is the power.
    is_regular = logical_and(greater(root, 0), isfinite(root))
    safe = where(is_regular, root, 1.0)
    step = divide(subtract(safe, divide(magnitude, multiply(safe, safe))), 3.0)
    root = where(is_regular, subtract(root, step), root)
    return where(is_negative, negative(root), root)


@op(rule=elementwise_float)
def sinc(x: TensorLike) -> Tensor:
    """Normalized sinc, element by element: `sin(pi * x) / (pi * x)`, and 1 at 0.

    Example:
        >>> print(convert_to_numpy(sinc([0.0, 0.5, 1.0])).round(3))
        [ 1.     0.637 -0.   ]
    """
    angle = multiply(x, math.pi)
    # Near 0 by its series: the derivative of the quotient is the difference of two large numbers.
    is_small = less(absolute(angle), 0.5)
    center = where(is_small, angle, 0.0)
    squared = multiply(center, center)
    series: TensorLike = 1.0
    for n in (12, 10, 8, 6, 4, 2):
        series = subtract(1.0, multiply(multiply(squared, 1 / (n * (n + 1))), series))
    large = where(is_small, 1.0, angle)
    return where(is_small, series, divide(sin(large), large))


@op(rule=like)
def trunc(x: TensorLike) -> Tensor:
    """Truncation, element by element: rounds toward zero. Integers are left as they are.

    Example:
        >>> convert_to_numpy(trunc([-1.5, 1.5])).tolist()
        [-1.0, 1.0]
    """
    if not dtypes.is_float(dtype_of(x)):
        return convert_to_tensor(x)
    return multiply(sign(x), floor(absolute(x)))


@op(rule=like)
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Replaces NaN and infinities by numbers.

    Args:
        x: Tensor of any shape.
        nan: Replacement for NaN.
        posinf: Replacement for infinity; by default the largest number of the dtype.
        neginf: Replacement for minus infinity; by default the lowest number of the dtype.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:
        >>> convert_to_numpy(nan_to_num([1.0, float('nan'), float('inf')], posinf=9.0)).tolist()
        [1.0, 0.0, 9.0]
    """
    if is_complex(x):
        return view_as_complex(nan_to_num(view_as_real(x), nan, posinf, neginf))
    dtype = dtype_of(x)
    if not dtypes.is_float(dtype):
        return convert_to_tensor(x)
    limits = _limits(dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    x = where(equal(x, -math.inf), low, where(equal(x, math.inf), high, x))
    return where(isnan(x), nan, x)


@op(rule=elementwise_float)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Heaviside step function: 0 where `x1` is negative, `x2` where it is 0, 1 elsewhere.

    Args:
        x1: Tensor or number.
        x2: The value at 0: a tensor or number of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> convert_to_numpy(heaviside([-1.0, 0.0, 2.0], 0.5)).tolist()
        [0.0, 0.5, 1.0]
    """
    x1, x2 = promote_scalars(x1, x2)
    return where(equal(x1, 0), x2, maximum(sign(x1), 0))


@op(rule=elementwise_float)
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Hypotenuse, element by element: `sqrt(x1**2 + x2**2)` without overflow.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> convert_to_numpy(hypot([3.0], [4.0])).tolist()
        [5.0]
    """
    x1, x2 = promote_scalars(x1, x2)
    a, b = absolute(x1), absolute(x2)
    ordered = greater_equal(a, b)
    high, low = where(ordered, a, b), where(ordered, b, a)
    ratio = divide(low, where(equal(high, 0), 1, high))
    length = multiply(high, sqrt(add(1, multiply(ratio, ratio))))
    return where(logical_or(isinf(x1), isinf(x2)), math.inf, length)


def _ldexp_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    integer_type("ops.ldexp (x2)")(x2.dtype)
    shape = broadcast(x1.shape, x2.shape, source="ops.ldexp")
    return TensorSpec(shape, float_type(x1.dtype, x2.dtype))


@op(rule=Rule(_ldexp_spec))
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * 2**x2`, element by element; exact if the result is a number of the dtype.

    Args:
        x1: Tensor or number.
        x2: Integer tensor of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Raises:
        TypeError: `x2` is a float tensor.

    Example:
        >>> convert_to_numpy(ldexp([1.0, 3.0], [4, -1])).tolist()
        [16.0, 1.5]
    """
    dtype = _ldexp_spec(spec_of(x1), spec_of(x2)).dtype
    # Three factors, because a single one may overflow although the result does not.
    max_exponent = 3 * (_limits(dtype).maxexp - 2)
    remaining = minimum(maximum(cast(x2, "int32"), -max_exponent), max_exponent)
    result = cast(x1, dtype)
    for parts in (3, 2, 1):
        part = floor_divide(remaining, parts)
        result = multiply(result, power(cast(2, dtype), cast(part, dtype)))
        remaining = subtract(remaining, part)
    return result


def _max_and_difference(x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    """Returns the larger operand, and the smaller one minus the larger one.

    Both are selected by one comparison, so that the gradient is exact for equal operands too.
    """
    x1, x2 = promote_scalars(x1, x2)
    ordered = greater_equal(x1, x2)
    high, low = where(ordered, x1, x2), where(ordered, x2, x1)
    return high, subtract(low, where(isinf(high), 0, high))


@op(rule=elementwise_float)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Log of the sum of exponentials: `log(exp(x1) + exp(x2))` without overflow.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> print(convert_to_numpy(logaddexp([0.0], [0.0])).round(3))
        [0.693]
    """
    high, difference = _max_and_difference(x1, x2)
    return add(high, log1p(exp(difference)))


@op(rule=elementwise_float)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Base-2 log of the sum of powers of 2: `log2(2**x1 + 2**x2)` without overflow.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> convert_to_numpy(logaddexp2([3.0], [3.0])).tolist()
        [4.0]
    """
    high, difference = _max_and_difference(x1, x2)
    return add(high, divide(log1p(exp2(difference)), math.log(2.0)))


@op(rule=elementwise_float)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Safe division, element by element: `x1 / x2`, and 0 where `x2` is 0, with gradient 0 there.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype.

    Example:
        >>> convert_to_numpy(divide_no_nan([1.0, 1.0], [2.0, 0.0])).tolist()
        [0.5, 0.0]
    """
    if isinstance(x2, (int, float, complex)):  # `where` would lose the weak dtype of a number
        x2 = cast(x2, dtype_of(x1))
    is_zero = equal(x2, 0)
    return where(is_zero, 0, true_divide(x1, where(is_zero, 1, x2)))


@op(rule=elementwise)
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Maximum of two tensors, element by element; if one element is NaN, the other one.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> convert_to_numpy(fmax([1.0, float('nan')], 0.5)).tolist()
        [1.0, 0.5]
    """
    x1, x2 = promote_scalars(x1, x2)
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


@op(rule=elementwise)
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Minimum of two tensors, element by element; if one element is NaN, the other one.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> convert_to_numpy(fmin([1.0, float('nan')], 0.5)).tolist()
        [0.5, 0.5]
    """
    x1, x2 = promote_scalars(x1, x2)
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


def _fmod_spec(x1: TensorSpec, x2: TensorSpec) -> TensorSpec:
    return TensorSpec(
        broadcast(x1.shape, x2.shape, source="ops.fmod"), number_type(x1.dtype, x2.dtype)
    )


@op(rule=Rule(_fmod_spec, promote=number_type))
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder of the division rounded toward zero, element by element; it has the sign of `x1`.

    `mod` returns the remainder with the sign of `x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Example:
        >>> convert_to_numpy(fmod([7, -7], 4)).tolist()
        [3, -3]
    """
    x1, x2 = promote_scalars(x1, x2)
    is_negative = less(x1, 0)
    remainder = mod(where(is_negative, negative(x1), x1), absolute(x2))
    return where(is_negative, negative(remainder), remainder)
