"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math

from keras_fn.ops._op import op
from keras_fn.ops._rules import elementwise_float
from keras_fn.ops._types import Tensor
from keras_fn.ops.arithmetic import multiply


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
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """Angle in radians of the point `(x2, x1)`.

    Example:
        >>> print(convert_to_numpy(arctan2([1.0, 0.0], [1.0, -1.0])).round(3))
        [0.785 3.142]
    """


@op
def deg2rad(x: Tensor) -> Tensor:
    """Degrees to radians."""
    return multiply(x, math.pi / 180.0)


@op
def rad2deg(x: Tensor) -> Tensor:
    """Radians to degrees."""
    return multiply(x, 180.0 / math.pi)
