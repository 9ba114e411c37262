"""Sampling of images at float coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import Any

from keras_fn.core import dtypes
from keras_fn.ops._op import op
from keras_fn.ops._rules import like
from keras_fn.ops.arithmetic import absolute, clip, floor_divide, maximum, mod, sign
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image._data_format import compute_dtype
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import expand_dims, moveaxis, reshape, squeeze
from keras_fn.ops.math import floor
from keras_fn.types import Tensor

ORDERS = {"nearest": 0, "bilinear": 1}


def _mirror_index(index: Any, size: Any) -> Any:
    """Index for the mode `c b | a b c | b a`: the first and the last element are not repeated."""
    turn = size - 1
    period = max(2 * turn, 1) if isinstance(turn, int) else maximum(2 * turn, 1)
    return absolute(mod(index + turn, period) - turn)


# The index that replaces one out of range, by fill mode.
FILL_INDICES: dict[str, Callable[[Any, Any], Any]] = {
    "constant": lambda index, size: clip(index, 0, size - 1),
    "nearest": lambda index, size: clip(index, 0, size - 1),
    "wrap": mod,
    "mirror": _mirror_index,
    "reflect": lambda index, size: floor_divide(_mirror_index(2 * index + 1, 2 * size + 1) - 1, 2),
}


def _round_away(x: Tensor) -> Tensor:
    """Rounds to the nearest integer, halves away from 0."""
    return sign(x) * floor(absolute(x) + 0.5)


def sample_at(
    gather: Callable[[list[Tensor]], Tensor],
    expand: Callable[[Tensor], Tensor],
    coordinates: list[Tensor],
    sizes: Sequence[Any],
    order: int,
    fill_mode: str,
    fill_value: float,
) -> Tensor:
    """Samples a tensor at float coordinates, by interpolation.

    Args:
        gather: Returns the elements at integer indices, a tensor of indices for each axis.
        expand: Reshapes a tensor of the shape of the coordinates to broadcast with the elements.
        coordinates: Floats, a tensor for each axis.
        sizes: Sizes of the axes.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: Treatment of indices outside the tensor, a name in `FILL_INDICES`.
        fill_value: The element outside the tensor where `fill_mode` is "constant".
    """
    neighbors = []
    for x, size in zip(coordinates, sizes, strict=True):
        low = _round_away(x) if order == 0 else floor(x)
        index = cast(low, "int32")
        terms: list[tuple[Tensor, Any]] = [(index, None)]
        if order == 1:
            fraction = x - low
            terms = [(index, 1.0 - fraction), (index + 1, fraction)]
        neighbors.append([(i, FILL_INDICES[fill_mode](i, size), w, size) for i, w in terms])
    total = None
    for corner in product(*neighbors):
        value = cast(gather([inside for _, inside, _, _ in corner]), coordinates[0].dtype)
        if fill_mode == "constant":
            tests = [t for i, _, _, n in corner for t in (greater_equal(i, 0), less(i, n))]
            value = where(expand(reduce(logical_and, tests)), value, fill_value)
        if order == 1:
            value = value * expand(reduce(lambda a, b: a * b, [w for _, _, w, _ in corner]))
        total = value if total is None else total + value
    assert total is not None
    return total


def round_and_cast(x: Tensor, dtype: str) -> Tensor:
    """Casts floats to `dtype`; for integers they are rounded."""
    return cast(_round_away(x) if dtypes.is_int(dtype) else x, dtype)


def sample_images(
    images: Any,
    coordinates: Callable[[Tensor, Tensor, str], tuple[Tensor, Tensor]],
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    channels_last: bool,
) -> Tensor:
    """Samples the images at the coordinates of each pixel of the result.

    Args:
        coordinates: Takes the indices of rows, of shape `(height, 1)`, and of columns, of shape
            `(width,)`, and their dtype; returns the rows and columns to sample, of shape
            `(images or 1, height, width)`.
    """
    dtype = dtypes.result_type(images.dtype)
    wide = compute_dtype(dtype)
    x = images if len(images.shape) == 4 else expand_dims(images, 0)
    x = x if channels_last else moveaxis(x, 1, -1)
    batch, height, width, channels = shape_of(x)
    rows, columns = arange(height, dtype=wide), arange(width, dtype=wide)
    y, x_ = coordinates(expand_dims(rows, 1), columns, wide)
    flat = reshape(x, (batch * height * width, channels))
    first = reshape(arange(batch), (-1, 1, 1)) * (height * width)

    def gather(indices: list[Tensor]) -> Tensor:
        return take(flat, first + indices[0] * width + indices[1], axis=0)

    values = sample_at(
        gather,
        lambda v: expand_dims(v, -1),
        [y, x_],
        (height, width),
        ORDERS[interpolation],
        fill_mode,
        fill_value,
    )
    values = round_and_cast(values, dtype)
    values = values if channels_last else moveaxis(values, -1, 1)
    return values if len(images.shape) == 4 else squeeze(values, 0)


def projective_coordinates(parameters: Any) -> Any:
    """Returns the coordinates function of projective transforms, of eight parameters each.

    Affine ones have six.
    """

    def coordinates(rows: Tensor, columns: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
        wide: Any = cast(parameters, dtype)
        p = [reshape(wide[..., i], (-1, 1, 1)) for i in range(wide.shape[-1])]
        if len(p) == 6:
            return p[3] * columns + (p[4] * rows + p[5]), p[0] * columns + (p[1] * rows + p[2])
        depth = p[6] * columns + p[7] * rows + 1.0
        return (
            (p[3] * columns + p[4] * rows + p[5]) / depth,
            (p[0] * columns + p[1] * rows + p[2]) / depth,
        )

    return coordinates


@op(rule=like)
def sample_projective(
    images: Tensor, transform: Tensor, fill_mode: str, fill_value: float
) -> Tensor:
    """Samples images at places given by projective transforms, by bilinear interpolation.

    Backends whose framework has a kernel for it replace this.

    Args:
        images: Tensor of shape `(batch, height, width, channels)` and dtype float32.
        transform: Tensor of shape `(batch, 8)`, or `(batch, 6)` of affine transforms; `batch` may
            be 1.
        fill_mode: `"constant"`, `"nearest"` or `"reflect"`.
        fill_value: The value outside where `fill_mode` is `"constant"`.
    """
    coordinates = projective_coordinates(transform)
    return sample_images(images, coordinates, "bilinear", fill_mode, fill_value, True)


def transform_images(
    images: Any,
    transform: Any,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    channels_last: bool,
) -> Tensor:
    """Projective transform of an image or a batch, of any dtype and data format.

    Args:
        images: Tensor of rank 3 or 4.
        transform: Eight numbers, or six for an affine transform, for all images or for each.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: A name in `FILL_INDICES`.
        fill_value: The value outside where `fill_mode` is `"constant"`.
        channels_last: Whether the channels are last.
    """
    dtype = dtypes.result_type(dtype_of(images))
    has_kernel = interpolation == "bilinear" and fill_mode in ("constant", "nearest", "reflect")
    if not has_kernel or compute_dtype(dtype) != "float32":
        coordinates = projective_coordinates(transform)
        options = (interpolation, fill_mode, fill_value, channels_last)
        return sample_images(images, coordinates, *options)
    x = cast(images, "float32")
    x = x if len(images.shape) == 4 else expand_dims(x, 0)
    x = x if channels_last else moveaxis(x, 1, -1)
    matrix = cast(transform, "float32")
    matrix = matrix if len(matrix.shape) == 2 else expand_dims(matrix, 0)
    x = sample_projective(x, matrix, fill_mode, float(fill_value))
    x = round_and_cast(x, dtype)
    x = x if channels_last else moveaxis(x, -1, 1)
    return x if len(images.shape) == 4 else squeeze(x, 0)
