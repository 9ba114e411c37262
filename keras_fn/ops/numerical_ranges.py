"""Numerical ranges and grids: linspace, logspace, geomspace, meshgrid."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis
from keras_fn.ops.arithmetic import absolute, add, divide, multiply, power, sign, subtract
from keras_fn.ops.core import cast, convert_to_tensor, shape as shape_of
from keras_fn.ops.creation import full_like
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import _rank, broadcast_to, expand_dims, reshape
from keras_fn.ops.math import floor, log10
from keras_fn.types import Tensor, TensorLike


def _meshgrid(*x: TensorSpec, indexing: str = "xy") -> list[TensorSpec]:
    if indexing not in ("xy", "ij"):
        raise SpecError(
            "ops.meshgrid",
            expected="'xy' or 'ij'",
            received=f"indexing={indexing!r}",
            fix="'xy' lets the first tensor run along the second axis, 'ij' along the first",
        )
    if any(len(v.shape) > 1 for v in x):
        raise SpecError(
            "ops.meshgrid",
            expected="tensors of rank 1",
            received=", ".join(str(v.shape) for v in x),
            fix="flatten them with ops.ravel",
        )
    sizes: Shape = tuple(v.shape[0] if v.shape else 1 for v in x)
    if indexing == "xy":
        sizes = (*sizes[1::-1], *sizes[2:])
    return [TensorSpec(sizes, dtypes.result_type(v.dtype)) for v in x]


@op(rule=Rule(_meshgrid))
def meshgrid(*x: TensorLike, indexing: str = "xy") -> Any:
    """The coordinates of a grid: for each tensor its elements along one axis of it.

    Args:
        *x: Tensors of shape `(n,)`, `(m,)` …: the places along each axis.
        indexing: `"ij"` for grids of shape `(n, m, ...)`, `"xy"` for `(m, n, ...)`.

    Returns:
        A list of as many tensors.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in meshgrid([1, 2], [3, 4])]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    _meshgrid(*map(spec_of, x), indexing=indexing)
    places = list(range(len(x)))
    if indexing == "xy":
        places[:2] = places[1::-1]
    sizes: list[Any] = [1] * len(x)
    for place, v in zip(places, x, strict=True):
        sizes[place] = shape_of(v)[0] if _rank(v) else 1
    grids = []
    for place, v in zip(places, x, strict=True):
        along = [1] * len(x)
        along[place] = sizes[place]
        grids.append(broadcast_to(reshape(v, along), sizes))
    return grids


# ---------------------------------------------------------------- samples


class _Grid:
    """Where samples lie between two ends, along a new axis of the result.

    Attributes:
        spaces: How many spaces there are between the two ends.
    """

    def __init__(
        self, start: Tensor, stop: Tensor, num: int, endpoint: bool, axis: int, source: str
    ):
        if num < 0:
            raise SpecError(
                source,
                expected="a number of samples from 0 up",
                received=f"num={num}",
                fix="check num=",
            )
        shapes = spec_of(start).shape, spec_of(stop).shape
        self.rank = len(broadcast(*shapes, source=source)) + 1
        self.axis = normalize_axis(axis, self.rank, source)
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
    start: TensorLike,
    stop: TensorLike,
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
    start: TensorLike,
    stop: TensorLike,
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
    start: TensorLike,
    stop: TensorLike,
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
