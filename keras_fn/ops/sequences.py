"""Rows of numbers: window functions, and samples between two ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.ops._op import op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import add, divide, multiply, power, subtract, where
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.ops.creation import full_like
from keras_fn.ops.shapes import expand_dims
from keras_fn.ops.unary import absolute, floor, log10, sign
from keras_fn.settings import settings

# ---------------------------------------------------------------- windows


def _window(make: Callable[..., np.ndarray], size: Any, *options: Any) -> Tensor:
    """A window is a constant: NumPy works it out in 64 bits."""
    if isinstance(size, KerasTensor):
        raise SpecError(
            f"ops.{make.__name__}",
            expected="a size that is known where the graph is built",
            given=f"a KerasTensor of shape {size.shape}",
            fix="give the size as an integer",
        )
    return convert_to_tensor(make(int(size), *options), settings.floatx)


def bartlett(x: Any) -> Tensor:
    """Triangular window: `1 - |2 * n / (x - 1) - 1|` for n from 0 to `x - 1`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> convert_to_numpy(bartlett(5)).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _window(np.bartlett, x)


def blackman(x: Any) -> Tensor:
    """Window `0.42 - 0.5 * cos(2 pi n / (x - 1)) + 0.08 * cos(4 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(blackman(5))[1:4].round(3))
        [0.34 1.   0.34]
    """
    return _window(np.blackman, x)


def hamming(x: Any) -> Tensor:
    """Window `0.54 - 0.46 * cos(2 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(hamming(5)).round(3))
        [0.08 0.54 1.   0.54 0.08]
    """
    return _window(np.hamming, x)


def hanning(x: Any) -> Tensor:
    """Window `0.5 - 0.5 * cos(2 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(hanning(5)).round(3))
        [0.  0.5 1.  0.5 0. ]
    """
    return _window(np.hanning, x)


def kaiser(x: Any, beta: float) -> Tensor:
    """Window `i0(beta * sqrt(1 - (2 * n / (x - 1) - 1)**2)) / i0(beta)`.

    Args:
        x: Number of points.
        beta: Shape of the window: 0 is a rectangle, 14 is close to a bell.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(kaiser(3, 2.0)).round(3))
        [0.439 1.    0.439]
    """
    return _window(np.kaiser, x, float(beta))


# ---------------------------------------------------------------- samples


class _Grid:
    """Where samples lie between two ends, along a new axis of the result.

    Attributes:
        spaces: How many spaces there are between the two ends.
    """

    def __init__(self, start: Tensor, stop: Tensor, num: int, endpoint: bool, axis: int, who: str):
        if num < 0:
            raise SpecError(
                who, expected="a number of samples from 0 up", given=f"num={num}", fix="check num="
            )
        shapes = spec_of(start).shape, spec_of(stop).shape
        self.rank = len(broadcast(*shapes, who=who)) + 1
        self.axis = normalize_axis(axis, self.rank, who)
        self.num, self.endpoint = num, endpoint
        self.spaces = num - 1 if endpoint else num

    def along_axis(self, values: Any) -> np.ndarray:
        """One value a sample, in a shape that broadcasts with the result."""
        return np.reshape(values, [-1 if i == self.axis else 1 for i in range(self.rank)])

    def end(self, end: Tensor) -> Tensor:
        """An end with the new axis, and with all the axes of the result."""
        missing = self.rank - 1 - len(spec_of(end).shape)
        return expand_dims(expand_dims(end, tuple(range(missing))) if missing else end, self.axis)

    def between(self, start: Tensor, stop: Tensor, dtype: str) -> Tensor:
        """The samples; the last one is `stop` itself where it is among them."""
        first, last = self.end(start), self.end(stop)
        places = self.along_axis(np.arange(self.num) / max(self.spaces, 1))
        steps = multiply(convert_to_tensor(places, dtype), subtract(last, first))
        return self.exact_ends(add(first, steps), start, stop)

    def exact_ends(self, samples: Tensor, start: Tensor, stop: Tensor) -> Tensor:
        """The samples with the ends that were given in their places."""
        number = np.arange(self.num)
        samples = where(self.along_axis(number == 0), self.end(start), samples)
        if not self.endpoint or self.num < 2:
            return samples
        return where(self.along_axis(number == self.num - 1), self.end(stop), samples)


def _working_type(start: Tensor, stop: Tensor) -> tuple[str, str]:
    """The dtype of the result, and one to compute in: half precision loses too much."""
    dtype = dtypes.float_type(spec_of(start).dtype, spec_of(stop).dtype)
    return dtype, "float64" if dtype == "float64" else "float32"


@op
def linspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers at equal distances from `start` to `stop`.

    Args:
        start: First number, or a tensor of first numbers.
        stop: Last number, of a shape that broadcasts with that of `start`.
        num: How many, 0 or more.
        endpoint: Whether `stop` is the last of them; else it would be the next.
        retstep: Whether the distance is returned, too.
        dtype: Dtype of the result; by default the float dtype in which the ends meet. Integers
            are rounded down.
        axis: Where the new axis stands in the result.

    Returns:
        The numbers, or with `retstep` the pair of them and their distance.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> convert_to_numpy(linspace(0, 1, 5)).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    grid = _Grid(start, stop, num, endpoint, axis, "ops.linspace")
    common, working = _working_type(start, stop)
    start, stop = cast(start, working), cast(stop, working)
    name = dtypes.standardize_dtype(dtype or common)
    samples = grid.between(start, stop, working)
    samples = cast(floor(samples) if dtypes.is_int(name) else samples, name)
    if not retstep:
        return samples
    distance = subtract(stop, start)
    if grid.spaces < 1:
        return samples, cast(full_like(distance, float("nan")), common)
    return samples, cast(divide(distance, grid.spaces), common)


@op
def logspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Powers of `base` whose exponents are at equal distances from `start` to `stop`.

    Args:
        start: First exponent, or a tensor of first exponents.
        stop: Last exponent, of a shape that broadcasts with that of `start`.
        num: How many, 0 or more.
        endpoint: Whether `base**stop` is the last of them; else it would be the next.
        base: The base.
        dtype: Dtype of the result; by default the float dtype in which the ends meet.
        axis: Where the new axis stands in the result.

    Returns:
        The powers.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> print(convert_to_numpy(logspace(0, 3, 4)).round(2))
        [   1.   10.  100. 1000.]
    """
    grid = _Grid(start, stop, num, endpoint, axis, "ops.logspace")
    common, working = _working_type(start, stop)
    exponents = grid.between(cast(start, working), cast(stop, working), working)
    return cast(power(float(base), exponents), dtype or common)


@op
def geomspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before.

    Args:
        start: First number, or a tensor of first numbers; not 0.
        stop: Last number, of a shape that broadcasts with that of `start`, and of its sign.
        num: How many, 0 or more.
        endpoint: Whether `stop` is the last of them; else it would be the next.
        dtype: Dtype of the result; by default the float dtype in which the ends meet.
        axis: Where the new axis stands in the result.

    Returns:
        The numbers: NaN where the ends differ in sign.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> print(convert_to_numpy(geomspace(1, 1000, 4)).round(2))
        [   1.   10.  100. 1000.]
    """
    grid = _Grid(start, stop, num, endpoint, axis, "ops.geomspace")
    common, working = _working_type(start, stop)
    start, stop = cast(start, working), cast(stop, working)
    side = sign(start)
    exponents = grid.between(log10(absolute(start)), log10(multiply(stop, side)), working)
    samples = multiply(power(10.0, exponents), grid.end(side))
    return cast(grid.exact_ends(samples, start, stop), dtype or common)
