"""Geometric transforms of images: affine, perspective and elastic."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import DTypeError, SpecError, check_choice
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.image._data_format import axes_of, compute_dtype
from keras_fn.ops.image.filters import gaussian_blur
from keras_fn.ops.image.sampling import (
    FILL_INDICES,
    ORDERS,
    round_and_cast,
    sample_at,
    sample_images,
    transform_images,
)
from keras_fn.ops.indexing import take
from keras_fn.ops.joining_splitting import concatenate, stack
from keras_fn.ops.linalg.solvers import solve
from keras_fn.ops.manipulation import expand_dims, reshape, squeeze
from keras_fn.types import SeedLike, Tensor, TensorLike


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
    check_choice(source, "order", order, (0, 1))
    check_choice(source, "fill_mode", fill_mode, FILL_INDICES)


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
    """Samples `inputs` at float coordinates, by interpolation.

    Args:
        inputs: Tensor of rank 1 or more.
        coordinates: Tensor of shape `(rank, ...)`: the coordinates in `inputs` for each element of
            the result.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: Values outside of `a b c`: `"constant"` (`fill_value`), `"nearest"`
            (`a a | a b c | c c`), `"wrap"` (`b c | a b c | a b`), `"mirror"`
            (`c b | a b c | b a`), `"reflect"` (`b a | a b c | c b`).
        fill_value: The value outside where `fill_mode` is `"constant"`.

    Returns:
        A tensor of shape `coordinates.shape[1:]` and the dtype of `inputs`; integers are rounded.

    Raises:
        ValueError: An option is not one of the values above, or the shapes do not match.

    Example:
        >>> x = np.array([1.0, 2.0, 4.0])
        >>> convert_to_numpy(ops.image.map_coordinates(x, [[0.5, 1.5]], order=1)).tolist()
        [1.5, 3.0]
    """
    _check_map(inputs, coordinates, order, fill_mode)
    sizes = shape_of(inputs)
    dtype = dtypes.result_type(dtype_of(inputs))
    wide = dtypes.result_type(compute_dtype(dtype), compute_dtype(dtype_of(coordinates)))
    positions = cast(coordinates, wide)
    flat = reshape(inputs, (-1,))

    def gather(indices: list[Tensor]) -> Tensor:
        position = indices[0]
        for index, size in zip(indices[1:], sizes[1:], strict=True):
            position = position * size + index
        return take(flat, position)

    rows = [positions[i] for i in range(len(sizes))]
    values = sample_at(gather, lambda x: x, rows, sizes, order, fill_mode, fill_value)
    return round_and_cast(values, dtype)


def _check_images(
    images: Any, interpolation: str, fill_mode: str, data_format: str | None, source: str
) -> bool:
    """Checks the options. Returns whether the data format is channels-last."""
    channels_last = axes_of(images, data_format, source)[2] == -1
    check_choice(source, "interpolation", interpolation, ORDERS)
    check_choice(source, "fill_mode", fill_mode, FILL_INDICES)
    return channels_last


def _check_per_image(images: Any, x: Any, tail: tuple[int, ...], name: str, source: str) -> None:
    """Raises unless there is one `x` for all images, or one for each."""
    shape = tuple(x.shape)
    batch = images.shape[0] if len(images.shape) == 4 else 1
    if not any(is_compatible(shape, fit) for fit in (tail, (1, *tail), (batch, *tail))):
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
    channels_last = _check_images(images, interpolation, fill_mode, data_format, source)
    _check_per_image(images, transform, (8,), "transform", source)
    return channels_last


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
    """Affine (or projective) transform of images: rotation, scaling, shear and translation.

    With a transform `(a0, a1, a2, b0, b1, b2, c0, c1)`, the pixel (x, y) of the result is sampled
    at `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)` of the image, where `k = c0 x + c1 y + 1`.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        transform: Tensor of shape `(8,)`, or `(batch, 8)` with one for each image.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: Values outside of `a b c`: `"constant"` (`fill_value`), `"nearest"`
            (`a a | a b c | c c`), `"wrap"` (`b c | a b c | a b`), `"mirror"`
            (`c b | a b c | b a`), `"reflect"` (`b a | a b c | c b`).
        fill_value: The value outside where `fill_mode` is `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Raises:
        ValueError: An option is not one of the values above, or the shapes do not match.

    Example:
        >>> x = np.array([[[1.0], [2.0], [3.0]]])
        >>> shift = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
        >>> y = ops.image.affine_transform(x, shift, data_format="channels_last")
        >>> convert_to_numpy(y).ravel().tolist()
        [2.0, 3.0, 0.0]
    """
    channels_last = _check_affine(images, transform, interpolation, fill_mode, data_format)
    options = (interpolation, fill_mode, fill_value, channels_last)
    return transform_images(images, transform, *options)


def _check_perspective(
    images: Any, start: Any, end: Any, interpolation: str, data_format: str | None
) -> bool:
    source = "ops.image.perspective_transform"
    channels_last = _check_images(images, interpolation, "constant", data_format, source)
    for name, points in (("start_points", start), ("end_points", end)):
        _check_per_image(images, points, (4, 2), name, source)
    return channels_last


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
    """Perspective transform of images (homography), given by four pairs of points.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        start_points: Points (x, y) in the images: tensor of shape `(4, 2)`, or `(batch, 4, 2)` with
            four points for each image.
        end_points: Their positions in the result, of the same shape.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: The value outside the images.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Raises:
        ValueError: An option is not one of the values above, the shapes do not match, or three end
            points are collinear.

    Example:
        >>> x = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
        >>> start, end = [[0, 0], [1, 0], [0, 1], [1, 1]], [[1, 0], [0, 0], [1, 1], [0, 1]]
        >>> y = ops.image.perspective_transform(x, start, end, data_format="channels_last")
        >>> print(convert_to_numpy(y)[..., 0].round(3))
        [[2. 1.]
         [4. 3.]]
    """
    _check_perspective(images, start_points, end_points, interpolation, data_format)
    wide = compute_dtype(dtype_of(images))
    transform = homography(cast(start_points, wide), cast(end_points, wide))
    return affine_transform(images, transform, interpolation, "constant", fill_value, data_format)


def homography(start: Tensor, end: Tensor) -> Tensor:
    """Returns the eight parameters of the projective transform from end points to start points."""
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
    seed: SeedLike = None,
    data_format: str | None = None,
) -> Tensor:
    """Elastic transform of images: displaces pixels by smooth random vectors.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        alpha: Scale of the displacement.
        sigma: Smoothness of the displacement: standard deviation of a Gaussian blur, in pixels.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: Values outside of `a b c`: `"constant"` (`fill_value`), `"nearest"`
            (`a a | a b c | c c`), `"wrap"` (`b c | a b c | a b`), `"mirror"`
            (`c b | a b c | b a`), `"reflect"` (`b a | a b c | c b`).
        fill_value: The value outside where `fill_mode` is `"constant"`.
        seed: An integer (the same displacement in each call), a `SeedGenerator`, or None for one
            that `keras.utils.set_random_seed` determines. In a compiled function, only a
            `SeedGenerator` draws another displacement in each call.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ValueError: An option is not one of the values above.
        TypeError: `seed` has another type.

    Example:
        >>> x = ones((1, 8, 8, 3))
        >>> y = ops.image.elastic_transform(x, seed=1, data_format="channels_last")
        >>> bool(np.allclose(convert_to_numpy(y), 1.0))
        True

    Note:
        In Keras rows and columns move by the same amount, since both are drawn with one seed.

    References:
        Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied
        to visual document analysis", 2003.
    """
    source = "ops.image.elastic_transform"
    channels_last = _check_images(images, interpolation, fill_mode, data_format, source)
    reach = int(6 * sigma) | 1

    def coordinates(rows: Tensor, columns: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
        batch = shape_of(images)[0] if len(shape_of(images)) == 4 else 1
        sizes = (shape_of(rows)[0], shape_of(columns)[0])
        moves = current().ops.random_normal((2, batch, *sizes), dtype, _key(seed, source))
        moves = reshape(moves * sigma, (-1, *sizes, 1))
        smooth = gaussian_blur(moves, (reach, reach), (sigma, sigma), "channels_last")
        smooth = reshape(smooth * alpha, (2, batch, *sizes))
        return rows + smooth[0], columns + smooth[1]

    return sample_images(images, coordinates, interpolation, fill_mode, fill_value, channels_last)


def _key(seed: Any, source: str) -> Any:
    """Returns the key of a draw: two integers."""
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
