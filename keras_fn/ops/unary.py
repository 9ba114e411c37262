"""Elementwise mathematics: functions of one tensor."""

from __future__ import annotations

from keras_fn.ops._op import op
from keras_fn.ops._rules import (
    elementwise_float,
    elementwise_int,
    like,
    like_float,
    like_number,
    logical,
    magnitude,
    predicate,
)
from keras_fn.ops._types import Tensor


@op(rule=elementwise_float)
def exp(x: Tensor) -> Tensor:
    """e to the power of `x`.

    Example:
        >>> print(convert_to_numpy(exp([0.0, 1.0])).round(3))
        [1.    2.718]
    """


@op(rule=elementwise_float)
def exp2(x: Tensor) -> Tensor:
    """2 to the power of `x`.

    Example:
        >>> print(convert_to_numpy(exp2([0.0, 3.0])).round(3))
        [1. 8.]
    """


@op(rule=elementwise_float)
def expm1(x: Tensor) -> Tensor:
    """`exp(x) - 1`, exact near 0.

    Example:
        >>> print(convert_to_numpy(expm1([0.0, 1.0])).round(3))
        [0.    1.718]
    """


@op(rule=elementwise_float)
def log(x: Tensor) -> Tensor:
    """Natural logarithm.

    Example:
        >>> print(convert_to_numpy(log([1.0, 10.0])).round(3))
        [0.    2.303]
    """


@op(rule=elementwise_float)
def log2(x: Tensor) -> Tensor:
    """Logarithm of base 2.

    Example:
        >>> print(convert_to_numpy(log2([1.0, 8.0])).round(3))
        [0. 3.]
    """


@op(rule=elementwise_float)
def log10(x: Tensor) -> Tensor:
    """Logarithm of base 10.

    Example:
        >>> print(convert_to_numpy(log10([1.0, 100.0])).round(3))
        [0. 2.]
    """


@op(rule=elementwise_float)
def log1p(x: Tensor) -> Tensor:
    """`log(1 + x)`, exact near 0.

    Example:
        >>> print(convert_to_numpy(log1p([0.0, 1.0])).round(3))
        [0.    0.693]
    """


@op(rule=elementwise_float)
def sqrt(x: Tensor) -> Tensor:
    """Square root.

    Example:
        >>> print(convert_to_numpy(sqrt([4.0, 9.0])).round(3))
        [2. 3.]
    """


@op(rule=elementwise_float)
def rsqrt(x: Tensor) -> Tensor:
    """`1 / sqrt(x)`.

    Example:
        >>> print(convert_to_numpy(rsqrt([4.0, 0.25])).round(3))
        [0.5 2. ]
    """


@op(rule=elementwise_float)
def sin(x: Tensor) -> Tensor:
    """Sine of angles in radians.

    Example:
        >>> print(convert_to_numpy(sin([0.0, 1.0])).round(3))
        [0.    0.841]
    """


@op(rule=elementwise_float)
def cos(x: Tensor) -> Tensor:
    """Cosine of angles in radians.

    Example:
        >>> print(convert_to_numpy(cos([0.0, 1.0])).round(3))
        [1.   0.54]
    """


@op(rule=elementwise_float)
def tan(x: Tensor) -> Tensor:
    """Tangent of angles in radians.

    Example:
        >>> print(convert_to_numpy(tan([0.0, 1.0])).round(3))
        [0.    1.557]
    """


@op(rule=elementwise_float)
def arcsin(x: Tensor) -> Tensor:
    """Inverse sine, in radians.

    Example:
        >>> print(convert_to_numpy(arcsin([0.0, 1.0])).round(3))
        [0.    1.571]
    """


@op(rule=elementwise_float)
def arccos(x: Tensor) -> Tensor:
    """Inverse cosine, in radians.

    Example:
        >>> print(convert_to_numpy(arccos([1.0, 0.0])).round(3))
        [0.    1.571]
    """


@op(rule=elementwise_float)
def arctan(x: Tensor) -> Tensor:
    """Inverse tangent, in radians.

    Example:
        >>> print(convert_to_numpy(arctan([0.0, 1.0])).round(3))
        [0.    0.785]
    """


@op(rule=elementwise_float)
def sinh(x: Tensor) -> Tensor:
    """Hyperbolic sine.

    Example:
        >>> print(convert_to_numpy(sinh([0.0, 1.0])).round(3))
        [0.    1.175]
    """


@op(rule=elementwise_float)
def cosh(x: Tensor) -> Tensor:
    """Hyperbolic cosine.

    Example:
        >>> print(convert_to_numpy(cosh([0.0, 1.0])).round(3))
        [1.    1.543]
    """


@op(rule=elementwise_float)
def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent.

    Example:
        >>> print(convert_to_numpy(tanh([0.0, 1.0])).round(3))
        [0.    0.762]
    """


@op(rule=elementwise_float)
def arcsinh(x: Tensor) -> Tensor:
    """Inverse hyperbolic sine.

    Example:
        >>> print(convert_to_numpy(arcsinh([0.0, 1.0])).round(3))
        [0.    0.881]
    """


@op(rule=elementwise_float)
def arccosh(x: Tensor) -> Tensor:
    """Inverse hyperbolic cosine.

    Example:
        >>> print(convert_to_numpy(arccosh([1.0, 2.0])).round(3))
        [0.    1.317]
    """


@op(rule=elementwise_float)
def arctanh(x: Tensor) -> Tensor:
    """Inverse hyperbolic tangent.

    Example:
        >>> print(convert_to_numpy(arctanh([0.0, 0.5])).round(3))
        [0.    0.549]
    """


@op(rule=elementwise_float)
def sigmoid(x: Tensor) -> Tensor:
    """Logistic function, `1 / (1 + exp(-x))`.

    Example:
        >>> print(convert_to_numpy(sigmoid([0.0, 2.0])).round(3))
        [0.5   0.881]
    """


@op(rule=elementwise_float)
def erf(x: Tensor) -> Tensor:
    """Error function.

    Example:
        >>> print(convert_to_numpy(erf([0.0, 1.0])).round(3))
        [0.    0.843]
    """


@op(rule=elementwise_float)
def erfinv(x: Tensor) -> Tensor:
    """Inverse error function.

    Example:
        >>> print(convert_to_numpy(erfinv([0.0, 0.5])).round(3))
        [0.    0.477]
    """


@op(rule=elementwise_float)
def erfc(x: Tensor) -> Tensor:
    """`1 - erf(x)`, exact for large `x` too.

    Example:
        >>> print(convert_to_numpy(erfc([0.0, 1.0])).round(3))
        [1.    0.157]
    """


@op(rule=elementwise_float)
def i0(x: Tensor) -> Tensor:
    """Modified Bessel function of the first kind, of order 0.

    Example:
        >>> print(convert_to_numpy(i0([0.0, 1.0])).round(3))
        [1.    1.266]
    """


@op(rule=magnitude)
def absolute(x: Tensor) -> Tensor:
    """Absolute value; of complex numbers, the length.

    Example:
        >>> print(convert_to_numpy(absolute([-1.5, 2.0])).round(3))
        [1.5 2. ]
    """


@op(rule=like_number("ops.negative"))
def negative(x: Tensor) -> Tensor:
    """`-x`.

    Example:
        >>> print(convert_to_numpy(negative([1.0, -2.0])).round(3))
        [-1.  2.]
    """


@op(rule=like)
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1, as `x` is negative, zero or positive.

    Example:
        >>> print(convert_to_numpy(sign([-3.0, 0.0, 2.0])).round(3))
        [-1.  0.  1.]
    """


@op(rule=like_float)
def floor(x: Tensor) -> Tensor:
    """Largest integer not above `x`, as a float.

    Example:
        >>> print(convert_to_numpy(floor([-1.5, 1.5])).round(3))
        [-2.  1.]
    """


@op(rule=like_float)
def ceil(x: Tensor) -> Tensor:
    """Smallest integer not below `x`, as a float.

    Example:
        >>> print(convert_to_numpy(ceil([-1.5, 1.5])).round(3))
        [-1.  2.]
    """


@op(rule=predicate)
def isfinite(x: Tensor) -> Tensor:
    """Whether each element is neither infinite nor NaN.

    Example:
        >>> convert_to_numpy(isfinite([1.0, float('nan'), float('inf')])).tolist()
        [True, False, False]
    """


@op(rule=predicate)
def isinf(x: Tensor) -> Tensor:
    """Whether each element is infinite.

    Example:
        >>> convert_to_numpy(isinf([1.0, float('nan'), float('inf')])).tolist()
        [False, False, True]
    """


@op(rule=predicate)
def isnan(x: Tensor) -> Tensor:
    """Whether each element is NaN.

    Example:
        >>> convert_to_numpy(isnan([1.0, float('nan'), float('inf')])).tolist()
        [False, True, False]
    """


@op(rule=elementwise_int("ops.bitwise_not", booleans="bool"))
def bitwise_not(x: Tensor) -> Tensor:
    """Bits turned over; logical not of booleans.

    Example:
        >>> convert_to_numpy(bitwise_not([0, 5])).tolist()
        [-1, -6]
    """


@op
def bitwise_invert(x: Tensor) -> Tensor:
    """Bits turned over; another name of `bitwise_not`."""
    return bitwise_not(x)


@op(rule=logical)
def logical_not(x: Tensor) -> Tensor:
    """Logical not.

    Example:
        >>> convert_to_numpy(logical_not([True, False])).tolist()
        [False, True]
    """


@op(rule=like)
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Rounds to `decimals` digits after the point; halves go to the even neighbour.

    Example:
        >>> convert_to_numpy(round([0.5, 1.5, 2.6])).tolist()
        [0.0, 2.0, 3.0]
    """


@op(rule=like)
def stop_gradient(variable: Tensor) -> Tensor:
    """Returns the tensor as a constant: gradients do not flow through it.

    Example:
        >>> convert_to_numpy(stop_gradient([1.0])).tolist()
        [1.0]
    """


@op
def abs(x: Tensor) -> Tensor:
    """Absolute value; another name of `absolute`."""
    return absolute(x)
