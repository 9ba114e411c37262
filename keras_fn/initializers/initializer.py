"""Base classes of initializers: functions of a shape and a dtype."""

import math
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.core.keras_tensor import standardize_shape
from keras_fn.errors import SpecError, missing_method
from keras_fn.ops import convert_to_tensor
from keras_fn.random.philox import Key
from keras_fn.types import DTypeLike, ShapeLike, Tensor


class Initializer:
    """Base class of initializers. Custom initializers define `__call__` and `get_config`.

    Example:
        >>> class Sevens(keras.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return full(shape, 7, dtype=dtype)
        >>> convert_to_numpy(Sevens()((2,))).tolist()
        [7.0, 7.0]
    """

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        """Returns a tensor of initial values.

        Args:
            shape: The shape of the tensor.
            dtype: The dtype of the tensor. `floatx()` by default.

        Returns:
            A tensor of that shape and dtype.
        """
        raise missing_method(self, "__call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**config)

    def clone(self) -> Self:
        """Returns a new instance with the same config."""
        return type(self).from_config(self.get_config())


DrawRows = Callable[[tuple[int, ...], str, Key | None, int, int], np.ndarray]
"""A function `(shape, dtype, key, start, stop)`: rows `start` to `stop - 1` of a draw."""


class NumpyInitializer(Initializer):
    """Base class of the built-in initializers: NumPy draws the values, equal on every backend.

    Subclasses define `_values`.

    Attributes:
        can_defer: Whether drawing never fails, so that a variable may defer it.
        draw_rows: Draws some rows of a weight alone, for the shards of several devices; None where
            all values depend on each other.
    """

    can_defer = True
    draw_rows: DrawRows | None = None

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls) and "draw" not in vars(cls):
            # A custom __call__, which a Variable must not bypass.
            cls.draw = cls.draw_rows = None  # pyright: ignore[reportAttributeAccessIssue]

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        """Returns a tensor of initial values.

        Args:
            shape: The shape of the tensor.
            dtype: The dtype of the tensor. `floatx()` by default.

        Returns:
            A tensor of that shape and dtype.
        """
        return convert_to_tensor(self.draw(shape, dtype))

    def draw(
        self, shape: ShapeLike, dtype: DTypeLike | None = None, key: Key | None = None
    ) -> np.ndarray:
        """Returns initial values on the host.

        Args:
            shape: The shape of the array.
            dtype: The dtype of the array. `floatx()` by default.
            key: A key of `new_key`, to draw the values of an earlier point in time.
        """
        name = standardize_dtype(dtype)
        sizes = check_static_shape(shape, type(self).__name__)
        return self._narrow(self._values(sizes, _drawn_dtype(name), key), name)

    def _narrow(self, values: np.ndarray, dtype: str) -> np.ndarray:
        """Converts values to the dtype of the weight."""
        return values.astype(numpy_dtype(dtype), copy=False)

    def new_key(self) -> Key | None:
        """Returns the key of the next draw, or None if nothing is random."""
        return None

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        raise missing_method(self, "_values()")


def _drawn_dtype(dtype: str) -> str:
    """Half-precision floats and integers are converted from float32."""
    return dtype if dtype in ("float32", "float64") else "float32"


class UniformValue(NumpyInitializer):
    """Base class of the initializers that give each element the same value."""

    def draw_rows(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, shape: tuple[int, ...], dtype: str, key: Key | None, start: int, stop: int
    ) -> np.ndarray:
        """Returns rows `start` to `stop - 1` of `draw(shape, dtype, key)`."""
        return self.draw((stop - start, *shape[1:]), dtype, key)


class IndependentValues(NumpyInitializer):
    """Base class of the initializers whose elements depend on their position alone.

    Subclasses define `_values` with the range of elements to draw.
    """

    def draw_rows(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, shape: tuple[int, ...], dtype: str, key: Key | None, start: int, stop: int
    ) -> np.ndarray:
        """Returns rows `start` to `stop - 1` of `draw(shape, dtype, key)`."""
        row, rows = product(shape[1:]), (stop - start, *shape[1:])
        values = self._values(shape, _drawn_dtype(dtype), key, start * row, stop * row)
        return self._narrow(values.reshape(rows), dtype)

    def _values(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        shape: tuple[int, ...],
        dtype: str,
        key: Key | None,
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        raise missing_method(self, "_values()")


def check_static_shape(shape: Any, source: str) -> tuple[int, ...]:
    """Returns the shape as a tuple, after checking that all sizes are known."""
    sizes = standardize_shape(shape)
    if None in sizes:
        raise SpecError(
            source,
            expected="a shape whose sizes are all known",
            received=f"shape {sizes}",
            fix="set all sizes",
        )
    return sizes  # pyright: ignore[reportReturnType]


def check_rank(shape: tuple[int, ...], fits: bool, source: str, expected: str) -> None:
    """Raises unless `fits`."""
    if not fits:
        raise SpecError(
            source,
            expected=f"a shape of {expected}",
            received=f"shape {shape}",
            fix="choose another initializer for this weight",
        )


def product(sizes: Any) -> int:
    """Returns the product of the sizes."""
    return math.prod(int(s) for s in sizes)
