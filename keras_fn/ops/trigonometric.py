"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math

from keras_fn.ops._op import op
from keras_fn.ops._rules import elementwise_float
from keras_fn.ops.arithmetic import multiply
from keras_fn.types import Tensor, TensorLike


@op(rule=elementwise_float)
def sin(x: TensorLike) -> Tensor:
    """Sine, element by element, of angles in radians.

    Example:
        >>> print(convert_to_numpy(sin([0.0, 1.0])).round(3))
        [0.    0.841]
    """
    ...


@op(rule=elementwise_float)
def cos(x: TensorLike) -> Tensor:
    """Cosine, element by element, of angles in radians.

    Example:
        >>> print(convert_to_numpy(cos([0.0, 1.0])).round(3))
        [1.   0.54]
    """
    ...


@op(rule=elementwise_float)
def tan(x: TensorLike) -> Tensor:
    """Tangent, element by element, of angles in radians.

    Example:
        >>> print(convert_to_numpy(tan([0.0, 1.0])).round(3))
        [0.    1.557]
    """
    ...


@op(rule=elementwise_float)
def arcsin(x: TensorLike) -> Tensor:
    """Inverse sine, element by element, in radians.

    Example:
        >>> print(convert_to_numpy(arcsin([0.0, 1.0])).round(3))
        [0.    1.571]
    """
    ...


@op(rule=elementwise_float)
def arccos(x: TensorLike) -> Tensor:
    """Inverse cosine, element by element, in radians.

    Example:
        >>> print(convert_to_numpy(arccos([1.0, 0.0])).round(3))
        [0.    1.571]
    """
    ...


@op(rule=elementwise_float)
def arctan(x: TensorLike) -> Tensor:
    """Inverse tangent, element by element, in radians.

    Example:
        >>> print(convert_to_numpy(arctan([0.0, 1.0])).round(3))
        [0.    0.785]
    """
    ...


@op(rule=elementwise_float)
def sinh(x: TensorLike) -> Tensor:
    """Hyperbolic sine, element by element.

    Example:
        >>> print(convert_to_numpy(sinh([0.0, 1.0])).round(3))
        [0.    1.175]
    """
    ...


@op(rule=elementwise_float)
def cosh(x: TensorLike) -> Tensor:
    """Hyperbolic cosine, element by element.

    Example:
        >>> print(convert_to_numpy(cosh([0.0, 1.0])).round(3))
        [1.    1.543]
    """
    ...


@op(rule=elementwise_float)
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent, element by element.

    Example:
        >>> print(convert_to_numpy(tanh([0.0, 1.0])).round(3))
        [0.    0.762]
    """
    ...


@op(rule=elementwise_float)
def arcsinh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic sine, element by element.

    Example:
        >>> print(convert_to_numpy(arcsinh([0.0, 1.0])).round(3))
        [0.    0.881]
    """
    ...


@op(rule=elementwise_float)
def arccosh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic cosine, element by element.

    Example:
        >>> print(convert_to_numpy(arccosh([1.0, 2.0])).round(3))
        [0.    1.317]
    """
    ...


@op(rule=elementwise_float)
def arctanh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic tangent, element by element.

    Example:
        >>> print(convert_to_numpy(arctanh([0.0, 0.5])).round(3))
        [0.    0.549]
    """
    ...


@op(rule=elementwise_float)
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Angle of the point `(x2, x1)` in radians: the inverse tangent of `x1 / x2`, in its quadrant.

    Args:
        x1: The y coordinates: a tensor or number.
        x2: The x coordinates: a tensor or number of a shape that broadcasts with `x1`.

    Returns:
        Tensor of the broadcast shape, of the promoted float dtype, from -pi to pi.

    Example:
        >>> print(convert_to_numpy(arctan2([1.0, 0.0], [1.0, -1.0])).round(3))
        [0.785 3.142]
    """
    ...


@op
def deg2rad(x: TensorLike) -> Tensor:
    """Converts degrees to radians, element by element.

    Example:
        >>> print(convert_to_numpy(deg2rad([90.0, 180.0])).round(3))
        [1.571 3.142]
    """
    return multiply(x, math.pi / 180.0)


@op
def rad2deg(x: TensorLike) -> Tensor:
    """Converts radians to degrees, element by element.

    Example:
        >>> print(convert_to_numpy(rad2deg([0.0, np.pi])).round(3))
        [  0. 180.]
    """
    return multiply(x, 180.0 / math.pi)
