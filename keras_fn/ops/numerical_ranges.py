"""Numerical ranges and grids: linspace, logspace, geomspace, meshgrid."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis
from keras_fn.ops.arithmetic import absolute, add, divide, multiply, power, sign, subtract
from keras_fn.ops.core import cast, convert_to_tensor, ndim, shape as shape_of
from keras_fn.ops.creation import full_like
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import broadcast_to, expand_dims, reshape
from keras_fn.ops.math import floor, log10
from keras_fn.types import DTypeLike, Tensor, TensorLike


def _meshgrid_spec(*x: TensorSpec, indexing: str = "xy") -> list[TensorSpec]:
    if indexing not in ("xy", "ij"):
        raise SpecError(
            "ops.meshgrid",
            expected="'xy' or 'ij'",
            received=f"indexing={indexing!r}",
            fix="use 'xy' for Cartesian indexing, 'ij' for matrix indexing",
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


@op(rule=Rule(_meshgrid_spec))
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Coordinate grids from coordinate vectors.

    Args:
        *x: Tensors of shapes `(n,)`, `(m,)` …: the coordinates along each axis.
        indexing: `"ij"` for grids of shape `(n, m, ...)`, `"xy"` for `(m, n, ...)`.

    Returns:
        List with a tensor for each vector, all of the shape of the grid.

    Raises:
        ValueError: `indexing` is unknown, or a tensor has more than one axis.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in meshgrid([1, 2], [3, 4])]
        [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    _meshgrid_spec(*map(spec_of, x), indexing=indexing)
    axes = list(range(len(x)))
    if indexing == "xy":
        axes[:2] = axes[1::-1]
    sizes: list[Any] = [1] * len(x)
    for axis, coordinates in zip(axes, x, strict=True):
        sizes[axis] = shape_of(coordinates)[0] if ndim(coordinates) else 1
    grids = []
    for axis, coordinates in zip(axes, x, strict=True):
        shape = [1] * len(x)
        shape[axis] = sizes[axis]
        grids.append(broadcast_to(reshape(coordinates, shape), sizes))
    return grids


class _SampleGrid:
    """Positions of samples between two ends, along a new axis of the result.

    Attributes:
        intervals: Number of intervals between the two ends.
    """

    def __init__(
        self, start: TensorLike, stop: TensorLike, num: int, endpoint: bool, axis: int, source: str
    ):
        if num < 0:
            raise SpecError(
                source,
                expected="a non-negative number of samples",
                received=f"num={num}",
                fix="pass num >= 0",
            )
        shapes = spec_of(start).shape, spec_of(stop).shape
        self.rank = len(broadcast(*shapes, source=source)) + 1
        self.axis = normalize_axis(axis, self.rank, source)
        self.num, self.endpoint = num, endpoint
        self.intervals = num - 1 if endpoint else num

    def align_to_axis(self, values: Any) -> np.ndarray:
        """Returns one value for each sample, in a shape that broadcasts with the result."""
        return np.reshape(values, [-1 if i == self.axis else 1 for i in range(self.rank)])

    def expand_end(self, end: TensorLike) -> Tensor:
        """Returns an end with the new axis, and with all axes of the result."""
        missing = self.rank - 1 - len(spec_of(end).shape)
        return expand_dims(expand_dims(end, tuple(range(missing))) if missing else end, self.axis)

    def interpolate(self, start: TensorLike, stop: TensorLike, dtype: str) -> Tensor:
        """Returns the samples; the last one is exactly `stop` if the endpoint is included."""
        first, last = self.expand_end(start), self.expand_end(stop)
        fractions = self.align_to_axis(np.arange(self.num) / max(self.intervals, 1))
        steps = multiply(convert_to_tensor(fractions, dtype), subtract(last, first))
        return self.set_exact_ends(add(first, steps), start, stop)

    def set_exact_ends(self, samples: Tensor, start: TensorLike, stop: TensorLike) -> Tensor:
        """Returns the samples with the first and the last one replaced by the exact ends."""
        index = np.arange(self.num)
        samples = where(self.align_to_axis(index == 0), self.expand_end(start), samples)
        if not self.endpoint or self.num < 2:
            return samples
        return where(self.align_to_axis(index == self.num - 1), self.expand_end(stop), samples)


def _result_and_compute_dtype(start: TensorLike, stop: TensorLike) -> tuple[str, str]:
    """Returns the dtype of the result and the dtype to compute in: at least float32."""
    dtype = dtypes.float_type(spec_of(start).dtype, spec_of(stop).dtype)
    return dtype, "float64" if dtype == "float64" else "float32"


@overload
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = ...,
    endpoint: bool = ...,
    retstep: Literal[False] = ...,
    dtype: DTypeLike | None = ...,
    axis: int = ...,
) -> Tensor: ...
@overload
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = ...,
    endpoint: bool = ...,
    *,
    retstep: Literal[True],
    dtype: DTypeLike | None = ...,
    axis: int = ...,
) -> tuple[Tensor, Tensor]: ...
@op
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Evenly spaced numbers from `start` to `stop`.

    Args:
        start: First number, or a tensor of first numbers.
        stop: Last number, of a shape that broadcasts with `start`.
        num: Number of samples, 0 or more.
        endpoint: Whether `stop` is the last sample; else it would be the next one.
        retstep: Whether to return the spacing as well.
        dtype: Dtype of the result; by default the promoted float dtype of the ends. For integer
            dtypes the samples are rounded down.
        axis: Index of the new axis in the result.

    Returns:
        Tensor of the broadcast shape of the ends, with a new axis of size `num`; with `retstep` the
        pair `(samples, spacing)`.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> convert_to_numpy(linspace(0, 1, 5)).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    grid = _SampleGrid(start, stop, num, endpoint, axis, "ops.linspace")
    common, compute_dtype = _result_and_compute_dtype(start, stop)
    start, stop = cast(start, compute_dtype), cast(stop, compute_dtype)
    name = dtypes.standardize_dtype(dtype or common)
    samples = grid.interpolate(start, stop, compute_dtype)
    samples = cast(floor(samples) if dtypes.is_int(name) else samples, name)
    if not retstep:
        return samples
    difference = subtract(stop, start)
    if grid.intervals < 1:
        return samples, cast(full_like(difference, float("nan")), common)
    return samples, cast(divide(difference, grid.intervals), common)


@op
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """Numbers evenly spaced on a logarithmic scale: powers of `base`.

    Args:
        start: First exponent, or a tensor of first exponents.
        stop: Last exponent, of a shape that broadcasts with `start`.
        num: Number of samples, 0 or more.
        endpoint: Whether `base**stop` is the last sample; else it would be the next one.
        base: Base of the powers.
        dtype: Dtype of the result; by default the promoted float dtype of the ends.
        axis: Index of the new axis in the result.

    Returns:
        Tensor of the broadcast shape of the ends, with a new axis of size `num`.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> print(convert_to_numpy(logspace(0, 3, 4)).round(2))
        [   1.   10.  100. 1000.]
    """
    grid = _SampleGrid(start, stop, num, endpoint, axis, "ops.logspace")
    common, compute_dtype = _result_and_compute_dtype(start, stop)
    exponents = grid.interpolate(
        cast(start, compute_dtype), cast(stop, compute_dtype), compute_dtype
    )
    return cast(power(float(base), exponents), dtype or common)


@op
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """Geometric progression from `start` to `stop`: consecutive numbers have a constant ratio.

    Args:
        start: First number, or a tensor of first numbers; not 0.
        stop: Last number, of a shape that broadcasts with `start`, and of the same sign.
        num: Number of samples, 0 or more.
        endpoint: Whether `stop` is the last sample; else it would be the next one.
        dtype: Dtype of the result; by default the promoted float dtype of the ends.
        axis: Index of the new axis in the result.

    Returns:
        Tensor of the broadcast shape of the ends, with a new axis of size `num`. NaN where the ends
        differ in sign.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> print(convert_to_numpy(geomspace(1, 1000, 4)).round(2))
        [   1.   10.  100. 1000.]
    """
    grid = _SampleGrid(start, stop, num, endpoint, axis, "ops.geomspace")
    common, compute_dtype = _result_and_compute_dtype(start, stop)
    start, stop = cast(start, compute_dtype), cast(stop, compute_dtype)
    direction = sign(start)
    exponents = grid.interpolate(
        log10(absolute(start)), log10(multiply(stop, direction)), compute_dtype
    )
    samples = multiply(power(10.0, exponents), grid.expand_end(direction))
    return cast(grid.set_exact_ends(samples, start, stop), dtype or common)
