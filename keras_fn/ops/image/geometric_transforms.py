"""Images looked up at other places: affine, perspective and elastic transformations."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops.arithmetic import absolute, clip, floor_divide, mod, sign
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image._data_format import alike, axes_of, one_of, working_dtype
from keras_fn.ops.image.filters import gaussian_blur
from keras_fn.ops.indexing import take
from keras_fn.ops.linalg.solvers import solve
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import concatenate, expand_dims, moveaxis, reshape, squeeze, stack
from keras_fn.ops.math import floor
from keras_fn.types import Tensor, TensorLike

_ORDERS = {"nearest": 0, "bilinear": 1}


def _mirrored(index: Any, size: Any) -> Any:
    """`c b | a b c | b a`: the first and the last element are not repeated."""
    turn = size - 1
    return absolute(mod(index + turn, 2 * turn + (turn == 0)) - turn)


# What stands for an index beyond the ends, by fill mode.
_INSIDE: dict[str, Callable[[Any, Any], Any]] = {
    "constant": lambda index, size: clip(index, 0, size - 1),
    "nearest": lambda index, size: clip(index, 0, size - 1),
    "wrap": mod,
    "mirror": _mirrored,
    "reflect": lambda index, size: floor_divide(_mirrored(2 * index + 1, 2 * size + 1) - 1, 2),
}


def _round_away(x: Tensor) -> Tensor:
    """To the nearest integer, halves away from 0."""
    return sign(x) * floor(absolute(x) + 0.5)


def _sample_at(
    gather: Callable[[list[Tensor]], Tensor],
    spread: Callable[[Tensor], Tensor],
    coordinates: list[Tensor],
    sizes: Sequence[Any],
    order: int,
    fill_mode: str,
    fill_value: float,
) -> Tensor:
    """Returns values at coordinates, from the elements around each.

    Args:
        gather: Returns the elements at integer indices, one tensor of them for each axis.
        spread: Gives something of the shape of the coordinates that of the elements.
        coordinates: Floats, one tensor for each axis.
        sizes: Sizes of the axes.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: What stands beyond the ends, a name in `_INSIDE`.
        fill_value: The element beyond the ends where `fill_mode` is "constant".
    """
    neighbours = []
    for x, size in zip(coordinates, sizes, strict=True):
        low = _round_away(x) if order == 0 else floor(x)
        shares = [(cast(low, "int32"), None)]
        if order == 1:
            upper = x - low
            shares = [(shares[0][0], 1.0 - upper), (shares[0][0] + 1, upper)]
        neighbours.append([(i, _INSIDE[fill_mode](i, size), share, size) for i, share in shares])
    total = None
    for corner in product(*neighbours):
        value = cast(gather([inside for _, inside, _, _ in corner]), coordinates[0].dtype)
        if fill_mode == "constant":
            tests = [t for i, _, _, n in corner for t in (greater_equal(i, 0), less(i, n))]
            value = where(spread(reduce(logical_and, tests)), value, fill_value)
        if order == 1:
            value = value * spread(reduce(lambda a, b: a * b, [share for _, _, share, _ in corner]))
        total = value if total is None else total + value
    assert total is not None
    return total


def _as(x: Tensor, dtype: str) -> Tensor:
    return cast(_round_away(x) if dtypes.is_int(dtype) else x, dtype)


def _check_map(inputs: Any, coordinates: Any, order: int, fill_mode: str) -> None:
    source = "ops.image.map_coordinates"
    shape, rank = tuple(coordinates.shape), len(inputs.shape)
    if len(shape) < 2 or shape[0] not in (rank, None) or not rank:
        raise SpecError(
            source,
            expected=f"coordinates of rank 2 or more, {rank} along the first axis",
            received=f"shape {shape} for inputs of shape {tuple(inputs.shape)}",
            fix="stack the coordinates, one row for each axis of inputs",
        )
    one_of(order, (0, 1), "order", source)
    one_of(fill_mode, tuple(_INSIDE), "fill_mode", source)


def _map(
    inputs: TensorSpec,
    coordinates: TensorSpec,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> TensorSpec:
    _check_map(inputs, coordinates, order, fill_mode)
    return TensorSpec(coordinates.shape[1:], dtypes.result_type(inputs.dtype))


@op(rule=Rule(_map))
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """Elements of `inputs` at coordinates between them.

    Args:
        inputs: Tensor of any rank, from 1.
        coordinates: Tensor of shape `(rank, ...)`: for each place of the result, where it is in
            `inputs`.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: What stands beyond the ends a b c: "constant" (`fill_value`), "nearest"
            (`a a | a b c | c c`), "wrap" (`b c | a b c | a b`), "mirror" (`c b | a b c | b a`),
            "reflect" (`b a | a b c | c b`).
        fill_value: The element beyond the ends where `fill_mode` is "constant".

    Returns:
        A tensor of shape `coordinates.shape[1:]` and the dtype of `inputs`; integers are rounded.

    Raises:
        ValueError: An argument has none of the values above, or the shapes do not fit.

    Example:
        >>> x = np.array([1.0, 2.0, 4.0])
        >>> convert_to_numpy(ops.image.map_coordinates(x, [[0.5, 1.5]], order=1)).tolist()
        [1.5, 3.0]
    """
    _check_map(inputs, coordinates, order, fill_mode)
    sizes = shape_of(inputs)
    dtype = dtypes.result_type(inputs.dtype)
    wide = dtypes.result_type(working_dtype(dtype), working_dtype(coordinates.dtype))
    places = cast(coordinates, wide)
    flat = reshape(inputs, (-1,))

    def gather(indices: list[Tensor]) -> Tensor:
        place = indices[0]
        for index, size in zip(indices[1:], sizes[1:], strict=True):
            place = place * size + index
        return take(flat, place)

    rows = [places[i] for i in range(len(sizes))]
    found = _sample_at(gather, lambda x: x, rows, sizes, order, fill_mode, fill_value)
    return _as(found, dtype)


def _check_images(
    images: Any, interpolation: str, fill_mode: str, data_format: str | None, source: str
) -> bool:
    """Returns whether the channels come last."""
    last = axes_of(images, data_format, source)[2] == -1
    one_of(interpolation, tuple(_ORDERS), "interpolation", source)
    one_of(fill_mode, tuple(_INSIDE), "fill_mode", source)
    return last


def _warped(
    images: Tensor,
    coordinates: Callable[[Tensor, Tensor, str], tuple[Tensor, Tensor]],
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    channels_last: bool,
) -> Tensor:
    """Looks up every pixel of the result.

    Args:
        coordinates: Takes the numbers of rows, shape `(height, 1)`, and of columns, `(width,)`,
            and their dtype; returns the row and the column to look at, of shape
            `(images or 1, height, width)`.
    """
    dtype = dtypes.result_type(images.dtype)
    wide = working_dtype(dtype)
    x = images if len(images.shape) == 4 else expand_dims(images, 0)
    x = x if channels_last else moveaxis(x, 1, -1)
    batch, height, width, channels = shape_of(x)
    rows, columns = arange(height, dtype=wide), arange(width, dtype=wide)
    y, x_ = coordinates(expand_dims(rows, 1), columns, wide)
    flat = reshape(x, (batch * height * width, channels))
    first = reshape(arange(batch), (-1, 1, 1)) * (height * width)

    def gather(indices: list[Tensor]) -> Tensor:
        return take(flat, first + indices[0] * width + indices[1], axis=0)

    found = _sample_at(
        gather,
        lambda v: expand_dims(v, -1),
        [y, x_],
        (height, width),
        _ORDERS[interpolation],
        fill_mode,
        fill_value,
    )
    found = _as(found, dtype)
    found = found if channels_last else moveaxis(found, -1, 1)
    return found if len(images.shape) == 4 else squeeze(found, 0)


def _projected(parameters: Tensor) -> Any:
    """The coordinates that eight parameters for each image lead to."""

    def coordinates(rows: Tensor, columns: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
        table = cast(parameters, dtype)
        p = [reshape(table[..., i], (-1, 1, 1)) for i in range(8)]
        depth = p[6] * columns + p[7] * rows + 1.0
        return (
            (p[3] * columns + p[4] * rows + p[5]) / depth,
            (p[0] * columns + p[1] * rows + p[2]) / depth,
        )

    return coordinates


def _one_or_each(images: Any, x: Any, tail: tuple[int, ...], name: str, source: str) -> None:
    """Refuses other than one of `x` for all images, or one for each."""
    shape = tuple(x.shape)
    batch = images.shape[0] if len(images.shape) == 4 else 1
    if not any(alike(shape, fit) for fit in (tail, (1, *tail), (batch, *tail))):
        raise SpecError(
            source,
            expected=f"{name} of shape {tail}, or of {('images', *tail)}: one for each",
            received=f"shape {shape} for images of shape {tuple(images.shape)}",
            fix=f"check the axes of {name}",
        )


def _check_affine(
    images: Any, transform: Any, interpolation: str, fill_mode: str, data_format: str | None
) -> bool:
    source = "ops.image.affine_transform"
    last = _check_images(images, interpolation, fill_mode, data_format, source)
    _one_or_each(images, transform, (8,), "transform", source)
    return last


def _affine(
    images: TensorSpec,
    transform: TensorSpec,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> TensorSpec:
    _check_affine(images, transform, interpolation, fill_mode, data_format)
    return TensorSpec(images.shape, dtypes.result_type(images.dtype))


@op(rule=Rule(_affine))
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images turned, stretched, sheared and moved.

    With a transform `(a0, a1, a2, b0, b1, b2, c0, c1)`, the pixel (x, y) of the result is what
    the image has at `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`, where
    `k = c0 x + c1 y + 1`.

    Args:
        images: Tensor of shape `(height, width, channels)`, or `(batch, height, width, channels)`,
            or with the channels before the sizes.
        transform: Tensor of shape `(8,)`, or `(batch, 8)` with one for each image.
        interpolation: "nearest" or "bilinear".
        fill_mode: What stands beyond the borders a b c: "constant" (`fill_value`), "nearest"
            (`a a | a b c | c c`), "wrap" (`b c | a b c | a b`), "mirror" (`c b | a b c | b a`),
            "reflect" (`b a | a b c | c b`).
        fill_value: The pixel beyond the borders where `fill_mode` is "constant".
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Raises:
        ValueError: An argument has none of the values above, or the shapes do not fit.

    Example:
        >>> x = np.array([[[1.0], [2.0], [3.0]]])
        >>> shift = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
        >>> y = ops.image.affine_transform(x, shift, data_format="channels_last")
        >>> convert_to_numpy(y).ravel().tolist()
        [2.0, 3.0, 0.0]
    """
    last = _check_affine(images, transform, interpolation, fill_mode, data_format)
    return _warped(images, _projected(transform), interpolation, fill_mode, fill_value, last)


def _check_perspective(
    images: Any, start: Any, end: Any, interpolation: str, data_format: str | None
) -> bool:
    source = "ops.image.perspective_transform"
    last = _check_images(images, interpolation, "constant", data_format, source)
    for name, points in (("start_points", start), ("end_points", end)):
        _one_or_each(images, points, (4, 2), name, source)
    return last


def _perspective(
    images: TensorSpec,
    start_points: TensorSpec,
    end_points: TensorSpec,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> TensorSpec:
    _check_perspective(images, start_points, end_points, interpolation, data_format)
    return TensorSpec(images.shape, dtypes.result_type(images.dtype))


@op(rule=Rule(_perspective, no_compile=True))
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images seen from elsewhere: four points of each move, and all others with them.

    Args:
        images: Tensor of shape `(height, width, channels)`, or `(batch, height, width, channels)`,
            or with the channels before the sizes.
        start_points: Where four points are in the images, as (x, y): tensor of shape `(4, 2)`, or
            `(batch, 4, 2)` with four for each image.
        end_points: Where they come to be, likewise.
        interpolation: "nearest" or "bilinear".
        fill_value: The pixel beyond the borders.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Raises:
        ValueError: An argument has none of the values above, the shapes do not fit, or three of
            the end points lie on a line.

    Example:
        >>> x = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
        >>> start, end = [[0, 0], [1, 0], [0, 1], [1, 1]], [[1, 0], [0, 0], [1, 1], [0, 1]]
        >>> y = ops.image.perspective_transform(x, start, end, data_format="channels_last")
        >>> print(convert_to_numpy(y)[..., 0].round(3))
        [[2. 1.]
         [4. 3.]]
    """
    _check_perspective(images, start_points, end_points, interpolation, data_format)
    wide = working_dtype(images.dtype)
    transform = _homography(cast(start_points, wide), cast(end_points, wide))
    return affine_transform(images, transform, interpolation, "constant", fill_value, data_format)


def _homography(start: Tensor, end: Tensor) -> Tensor:
    """The eight parameters that lead from end points to start points."""
    (u, v), (x, y) = ((points[..., 0], points[..., 1]) for points in (start, end))
    none, one = x * 0.0, x * 0.0 + 1.0
    rows = [
        stack([x, y, one, none, none, none, -u * x, -u * y], -1),
        stack([none, none, none, x, y, one, -v * x, -v * y], -1),
    ]
    places = expand_dims(concatenate([u, v], -1), -1)
    return squeeze(solve(concatenate(rows, -2), places), -1)


def _elastic(
    images: TensorSpec,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> TensorSpec:
    _check_images(images, interpolation, fill_mode, data_format, "ops.image.elastic_transform")
    return TensorSpec(images.shape, dtypes.result_type(images.dtype))


@op(rule=Rule(_elastic))
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with pixels moved about at random, neighbours alike, as if on rubber.

    Args:
        images: Tensor of shape `(height, width, channels)`, or `(batch, height, width, channels)`,
            or with the channels before the sizes.
        alpha: How far pixels move.
        sigma: How far neighbours are alike: standard deviation of the blur, in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode: What stands beyond the borders a b c: "constant" (`fill_value`), "nearest"
            (`a a | a b c | c c`), "wrap" (`b c | a b c | a b`), "mirror" (`c b | a b c | b a`),
            "reflect" (`b a | a b c | c b`).
        fill_value: The pixel beyond the borders where `fill_mode` is "constant".
        seed: An integer (the same moves at each call), a `SeedGenerator`, or None for one that
            follows from `keras.utils.set_random_seed`. A compiled function draws other moves at
            each call with a `SeedGenerator` only.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ValueError: An argument has none of the values above.
        TypeError: `seed` is none of these.

    Example:
        >>> x = ones((1, 8, 8, 3))
        >>> y = ops.image.elastic_transform(x, seed=1, data_format="channels_last")
        >>> bool(np.allclose(convert_to_numpy(y), 1.0))
        True

    Note:
        In Keras rows and columns move by the same amount, as both are drawn with one seed.

    References:
        Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied
        to visual document analysis", 2003.
    """
    source = "ops.image.elastic_transform"
    last = _check_images(images, interpolation, fill_mode, data_format, source)
    reach = int(6 * sigma) | 1

    def coordinates(rows: Tensor, columns: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
        batch = shape_of(images)[0] if len(images.shape) == 4 else 1
        sizes = (shape_of(rows)[0], shape_of(columns)[0])
        moves = current().ops.random_normal((2, batch, *sizes), dtype, _key(seed, source))
        moves = reshape(moves * sigma, (-1, *sizes, 1))
        smooth = gaussian_blur(moves, (reach, reach), (sigma, sigma), "channels_last")
        smooth = reshape(smooth * alpha, (2, batch, *sizes))
        return rows + smooth[0], columns + smooth[1]

    return _warped(images, coordinates, interpolation, fill_mode, fill_value, last)


def _key(seed: Any, source: str) -> Any:
    """The key of a draw: two integers."""
    if hasattr(seed, "next"):
        return seed.next()
    if current().is_tensor(seed):
        return seed
    if seed is None:
        seed = random.getrandbits(32)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise DTypeError(
            source,
            expected="an integer seed, or a SeedGenerator",
            received=f"{seed!r}",
            fix="pass an integer, or None",
        )
    return current().convert_to_tensor(np.array([int(seed) % 2**32, 0], "uint32"))
