"""What an initializer is: a function of a shape and a dtype that gives initial values."""

import math
from typing import Any

import numpy as np

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.core.keras_tensor import standardize_shape
from keras_fn.errors import SpecError
from keras_fn.ops import convert_to_tensor
from keras_fn.random.philox import Key


class Initializer:
    """Base class of initializers. A subclass of yours writes `__call__` and `get_config`.

    Example:
        >>> class Sevens(keras.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return full(shape, 7, dtype=dtype)
        >>> convert_to_numpy(Sevens()((2,))).tolist()
        [7.0, 7.0]
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Returns a tensor of initial values.

        Args:
            shape: Its sizes.
            dtype: Its dtype; `floatx()` by default.
        """
        raise TypeError(f"{type(self).__name__} has no __call__(shape, dtype) method.")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns an instance made from what `get_config` gave."""
        return cls(**config)

    def clone(self) -> Any:
        """Returns another instance made like this one."""
        return type(self).from_config(self.get_config())


class NumpyInitializer(Initializer):
    """Base of the built-in ones: values are made by NumPy, the same on every backend.

    Subclasses write `_values`.

    Attributes:
        can_defer: Whether drawing cannot fail, so that a variable may put it off.
    """

    can_defer = True

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls) and "draw" not in vars(cls):
            # A user's own __call__: a Variable must not pass it by.
            cls.draw = None  # pyright: ignore[reportAttributeAccessIssue]

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Returns a tensor of initial values.

        Args:
            shape: Its sizes.
            dtype: Its dtype; `floatx()` by default.
        """
        return convert_to_tensor(self.draw(shape, dtype))

    def draw(self, shape: Any, dtype: Any = None, key: Key | None = None) -> np.ndarray:
        """Returns initial values on the host.

        Args:
            shape: The sizes of the array.
            dtype: Its dtype; `floatx()` by default.
            key: What `new_key` gave, to draw the values that are due to an earlier moment.
        """
        name = standardize_dtype(dtype)
        # Half floats and integers come from float32 values.
        wide = name if name in ("float32", "float64") else "float32"
        sizes = check_static_shape(shape, type(self).__name__)
        return self._values(sizes, wide, key).astype(numpy_dtype(name), copy=False)

    def new_key(self) -> Key | None:
        """Returns the key of the next draw, or None where there is nothing random."""
        return None

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} has no _values() method.")


def check_static_shape(shape: Any, source: str) -> tuple[int, ...]:
    """Returns the shape, checked: all sizes known."""
    sizes = standardize_shape(shape)
    if None in sizes:
        raise SpecError(
            source,
            expected="a shape whose sizes are all known",
            received=f"shape {sizes}",
            fix="name the sizes",
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
