"""Weight regularizers: penalties that are added to the loss."""

import math
from typing import Any, Self

from keras_fn.core.dtypes import mean_accumulator_type
from keras_fn.errors import SpecError, missing_method
from keras_fn.ops import (
    absolute,
    add,
    cast,
    dtype as dtype_of,
    eye,
    matmul,
    maximum,
    multiply,
    rsqrt,
    square,
    subtract,
    sum,
    transpose,
    zeros,
)
from keras_fn.types import Tensor


class Regularizer:
    """Base class of regularizers. Custom regularizers define `__call__` and `get_config`.

    Example:
        >>> class Largest(keras.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return ops.max(ops.abs(x))
        ...     def get_config(self):
        ...         return {}
        >>> float(Largest()(convert_to_tensor([1.0, -3.0])))
        3.0
    """

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty of a weight, as a scalar."""
        return zeros((), x.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        raise missing_method(self, "get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**config)


class L1(Regularizer):
    """L1 regularizer: `l1 * sum(|x|)`.

    Args:
        l1: The factor, a finite number of 0 or more.

    Raises:
        ValueError: `l1` is not a finite number of 0 or more.

    Example:
        >>> float(keras.regularizers.L1(0.5)(convert_to_tensor([1.0, -3.0])))
        2.0
    """

    def __init__(self, l1: float | None = 0.01):
        self.l1 = check_factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty of a weight, as a scalar."""
        return multiply(sum(absolute(_to_accumulator(x))), self.l1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"l1": self.l1}


class L2(Regularizer):
    """L2 regularizer: `l2 * sum(x**2)`.

    Args:
        l2: The factor, a finite number of 0 or more.

    Raises:
        ValueError: `l2` is not a finite number of 0 or more.

    Example:
        >>> float(keras.regularizers.L2(0.5)(convert_to_tensor([1.0, -3.0])))
        5.0
    """

    def __init__(self, l2: float | None = 0.01):
        self.l2 = check_factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty of a weight, as a scalar."""
        return multiply(sum(square(_to_accumulator(x))), self.l2)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"l2": self.l2}


class L1L2(Regularizer):
    """L1 and L2 regularizer: `l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: The L1 factor, a finite number of 0 or more.
        l2: The L2 factor, a finite number of 0 or more.

    Raises:
        ValueError: A factor is not a finite number of 0 or more.

    Example:
        >>> float(keras.regularizers.L1L2(1.0, 0.5)(convert_to_tensor([1.0, -3.0])))
        9.0
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1 = check_factor("l1", 0.0 if l1 is None else l1)
        self.l2 = check_factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty of a weight, as a scalar."""
        x = _to_accumulator(x)
        total = zeros((), x.dtype)
        if self.l1:
            total = add(total, multiply(sum(absolute(x)), self.l1))
        if self.l2:
            total = add(total, multiply(sum(square(x)), self.l2))
        return total

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Orthogonal regularizer: `factor` times the mean |cosine| between pairs of rows or columns.

    Args:
        factor: The factor, a finite number of 0 or more.
        mode: `"rows"` or `"columns"`: the vectors that become orthogonal.

    Raises:
        ValueError: An argument is invalid; or, on a call, the rank of the weight is not 2.

    Example:
        >>> x = convert_to_tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> float(keras.regularizers.OrthogonalRegularizer(0.1)(x))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = check_factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise SpecError(
                "OrthogonalRegularizer",
                expected='mode to be "rows" or "columns"',
                received=f"mode={mode!r}",
                fix="choose one of these",
            )
        self.mode = mode

    def __call__(self, inputs: Tensor) -> Tensor:
        """Returns the penalty of a weight of rank 2, a scalar."""
        if len(inputs.shape) != 2:
            raise SpecError(
                "OrthogonalRegularizer",
                expected="a weight of rank 2",
                received=f"shape {tuple(inputs.shape)}",
                fix="use another regularizer for this weight",
            )
        x = _to_accumulator(inputs)
        rows = x if self.mode == "rows" else transpose(x)
        length = sum(square(rows), axis=1, keepdims=True)
        rows = multiply(rows, rsqrt(maximum(length, 1e-12)))
        size = rows.shape[0]
        cosines = absolute(matmul(rows, transpose(rows)))
        others = multiply(cosines, subtract(1.0, eye(size, dtype=x.dtype)))
        pairs = max(size * (size - 1) / 2, 1)
        return multiply(sum(others), self.factor * 0.5 / pairs)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"factor": self.factor, "mode": self.mode}


def _to_accumulator(x: Any) -> Any:
    """Returns half precision as float32: a sum of squares of float16 is soon infinite."""
    dtype = dtype_of(x)
    accumulator = mean_accumulator_type(dtype)
    return x if accumulator == dtype else cast(x, accumulator)


def check_factor(name: str, value: Any) -> float:
    """Returns a factor of a penalty as a float.

    Raises:
        SpecError: It is not a finite number of 0 or more.
    """
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise SpecError(
            "regularizer",
            expected=f"{name} to be a finite number, 0 or more",
            received=f"{name}={value!r}",
            fix="use a valid number",
        )
    return float(value)
