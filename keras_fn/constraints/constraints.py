"""Weight constraints: projections that are applied after each update."""

from typing import Any, Self

from keras_fn.core.argument_forms import AXES, NUMBER, check_arguments
from keras_fn.ops import add, clip, divide, maximum, multiply, sqrt, square, sum
from keras_fn.settings import settings
from keras_fn.types import Axis, Tensor


class Constraint:
    """Base class of constraints. Custom constraints define `__call__` and `get_config`.

    Example:
        >>> class Halved(keras.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return w / 2
        >>> convert_to_numpy(Halved()(convert_to_tensor([2.0]))).tolist()
        [1.0]
    """

    def __call__(self, w: Tensor) -> Tensor:
        """Returns the projected weight, of the shape of `w`."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**config)


_FORMS = {"min_value": NUMBER, "max_value": NUMBER, "rate": NUMBER, "axis": AXES}


class MaxNorm(Constraint):
    """Max-norm constraint: limits the norms along `axis` to `max_value`.

    Args:
        max_value: The maximum norm.
        axis: The axes of the norm: 0 for each unit of a dense layer, `[0, 1, 2]` for each filter
            of a 2D convolution.

    Example:
        >>> w = keras.constraints.MaxNorm(1.0)(convert_to_tensor([[3.0], [4.0]]))
        >>> print(convert_to_numpy(w).round(3))
        [[0.6]
         [0.8]]

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014.
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0):
        check_arguments("MaxNorm", _FORMS, {"max_value": max_value, "axis": axis})
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Tensor) -> Tensor:
        """Returns the projected weight, of the shape of `w`."""
        norms = _norms(w, self.axis)
        return _rescale(w, clip(norms, 0, self.max_value), norms)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"max_value": self.max_value, "axis": self.axis}


class MinMaxNorm(Constraint):
    """Min-max-norm constraint: moves the norms along `axis` into a range.

    Args:
        min_value: The minimum norm.
        max_value: The maximum norm.
        rate: The fraction of the way into the range, from 0 to 1.
        axis: The axes of the norm: 0 for each unit of a dense layer, `[0, 1, 2]` for each filter
            of a 2D convolution.

    Example:
        >>> w = keras.constraints.MinMaxNorm(10.0, 20.0)(convert_to_tensor([[3.0], [4.0]]))
        >>> print(convert_to_numpy(w).round(3))
        [[6.]
         [8.]]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ):
        values = {"min_value": min_value, "max_value": max_value, "rate": rate, "axis": axis}
        check_arguments("MinMaxNorm", _FORMS, values)
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Tensor) -> Tensor:
        """Returns the projected weight, of the shape of `w`."""
        norms = _norms(w, self.axis)
        inside = multiply(clip(norms, self.min_value, self.max_value), self.rate)
        return _rescale(w, add(inside, multiply(norms, 1.0 - self.rate)), norms)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


class NonNeg(Constraint):
    """Non-negativity constraint: sets negative elements to 0.

    Example:
        >>> convert_to_numpy(keras.constraints.NonNeg()(convert_to_tensor([-1.0, 2.0]))).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Tensor) -> Tensor:
        """Returns the projected weight, of the shape of `w`."""
        return maximum(w, 0)


class UnitNorm(Constraint):
    """Unit-norm constraint: norms of 1 along `axis`.

    Args:
        axis: The axes of the norm: 0 for each unit of a dense layer, `[0, 1, 2]` for each filter
            of a 2D convolution.

    Example:
        >>> w = keras.constraints.UnitNorm()(convert_to_tensor([[3.0], [4.0]]))
        >>> print(convert_to_numpy(w).round(3))
        [[0.6]
         [0.8]]
    """

    def __init__(self, axis: Axis = 0):
        check_arguments("UnitNorm", _FORMS, {"axis": axis})
        self.axis = axis

    def __call__(self, w: Tensor) -> Tensor:
        """Returns the projected weight, of the shape of `w`."""
        return divide(w, add(_norms(w, self.axis), settings.epsilon))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"axis": self.axis}


def _norms(w: Tensor, axis: Axis) -> Tensor:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return sqrt(sum(square(w), axis=axis, keepdims=True))


def _rescale(w: Tensor, target: Tensor, norms: Tensor) -> Tensor:
    return multiply(w, divide(target, add(norms, settings.epsilon)))
