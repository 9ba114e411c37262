"""What weights are projected onto after each update."""

from typing import Any

from keras_fn.ops import add, clip, divide, maximum, multiply, sqrt, square, sum
from keras_fn.settings import settings

Axis = int | tuple[int, ...] | list[int] | None


class Constraint:
    """Base class of constraints. A subclass of yours writes `__call__` and `get_config`.

    Example:
        >>> class Halved(keras.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return w / 2
        >>> convert_to_numpy(Halved()(convert_to_tensor([2.0]))).tolist()
        [1.0]
    """

    def __call__(self, w: Any) -> Any:
        """Returns the weight that is allowed in the place of `w`, of its shape."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns an instance made from what `get_config` gave."""
        return cls(**config)


class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value`.

    Args:
        max_value: The largest norm.
        axis: The axes that a norm is taken along: 0 for each unit of a dense layer, `[0, 1, 2]`
            for each filter of a 2D convolution.

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
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        """Returns the weight that is allowed in the place of `w`, of its shape."""
        norms = _norms(w, self.axis)
        return _with_norms(w, clip(norms, 0, self.max_value), norms)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms along `axis` moved towards the range from `min_value` to `max_value`.

    Args:
        min_value: The least norm.
        max_value: The largest norm.
        rate: How far they are moved: 1 into the range, less than 1 part of the way.
        axis: The axes that a norm is taken along, as for `MaxNorm`.

    Example:
        >>> w = keras.constraints.MinMaxNorm(10.0, 20.0)(convert_to_tensor([[3.0], [4.0]]))
        >>> print(convert_to_numpy(w).round(3))
        [[6.]
         [8.]]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        """Returns the weight that is allowed in the place of `w`, of its shape."""
        norms = _norms(w, self.axis)
        inside = multiply(clip(norms, self.min_value, self.max_value), self.rate)
        return _with_norms(w, add(inside, multiply(norms, 1.0 - self.rate)), norms)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


class NonNeg(Constraint):
    """Nothing below 0.

    Example:
        >>> convert_to_numpy(keras.constraints.NonNeg()(convert_to_tensor([-1.0, 2.0]))).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        """Returns the weight that is allowed in the place of `w`, of its shape."""
        return maximum(w, 0)


class UnitNorm(Constraint):
    """Norms of 1 along `axis`.

    Args:
        axis: The axes that a norm is taken along, as for `MaxNorm`.

    Example:
        >>> w = keras.constraints.UnitNorm()(convert_to_tensor([[3.0], [4.0]]))
        >>> print(convert_to_numpy(w).round(3))
        [[0.6]
         [0.8]]
    """

    def __init__(self, axis: Axis = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Returns the weight that is allowed in the place of `w`, of its shape."""
        return divide(w, add(_norms(w, self.axis), settings.epsilon))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"axis": self.axis}


def _norms(w: Any, axis: Axis) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return sqrt(sum(square(w), axis=axis, keepdims=True))


def _with_norms(w: Any, wanted: Any, norms: Any) -> Any:
    return multiply(w, divide(wanted, add(norms, settings.epsilon)))
