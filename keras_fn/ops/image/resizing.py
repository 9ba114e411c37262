"""Resizing of images."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError, check_choice
from keras_fn.ops import arithmetic, logic, reductions, trigonometric
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops.arithmetic import floor_divide, maximum, minimum
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.image._data_format import (
    axes_of,
    compute_dtype,
    pad_axis,
    replace_sizes,
    to_pixels,
)
from keras_fn.ops.image._interpolation import KERNELS, resize_weights, weights
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.linalg.products import tensordot
from keras_fn.ops.manipulation import expand_dims, moveaxis, squeeze
from keras_fn.types import Tensor, TensorLike


class _Ops:
    """NumPy's names for the ops that the formulas of `_interpolation.weights` use."""

    abs = staticmethod(arithmetic.absolute)
    sin = staticmethod(trigonometric.sin)
    sum = staticmethod(reductions.sum)
    where = staticmethod(logic.where)
    maximum = staticmethod(arithmetic.maximum)
    logical_and = staticmethod(logic.logical_and)


def _apply_weights(x: Tensor, axis: int, table: Any) -> Tensor:
    """Multiplies an axis by a weight matrix."""
    return moveaxis(tensordot(x, cast(table, x.dtype), [[axis], [0]]), -1, axis)


def _resize_axis(x: Any, axis: int, target: int, method: str, antialias: bool) -> Tensor:
    size = shape_of(x)[axis]
    if isinstance(size, int):
        if size == target:
            return x
        if method == "nearest":
            nearest = (2 * np.arange(target) + 1) * size // (2 * target)
            return take(x, nearest.astype("int32"), axis=axis)
        return _apply_weights(x, axis, resize_weights(size, target, method, antialias, dtype_of(x)))
    if method == "nearest":
        return take(x, floor_divide((2 * arange(target) + 1) * size, 2 * target), axis=axis)
    outputs, inputs = arange(target, dtype=x.dtype), arange(size, dtype=x.dtype)
    scale = target / cast(size, x.dtype)
    return _apply_weights(x, axis, weights(_Ops, outputs, inputs, scale, 0.0, method, antialias))


INTERPOLATIONS = ("nearest", *KERNELS)


def _check_resize(images: Any, size: Any, options: dict[str, Any], data_format: Any) -> Any:
    """Checks the options. Returns the axes of height and width."""
    source = "ops.image.resize"
    height, width, _ = axes_of(images, data_format, source)
    check_choice(source, "interpolation", options["interpolation"], INTERPOLATIONS)
    check_choice(source, "fill_mode", options["fill_mode"], ("constant",))
    if len(size) != 2 or builtins.min(size) < 1:
        raise SpecError(
            source,
            expected="a size (height, width) of 1 or more",
            received=f"size={tuple(size)}",
            fix="check size=",
        )
    if options["crop_to_aspect_ratio"] and options["pad_to_aspect_ratio"]:
        raise SpecError(
            source,
            expected="crop_to_aspect_ratio or pad_to_aspect_ratio",
            received="both",
            fix="choose one",
        )
    return height, width


def _resize(images: TensorSpec, size: Any, *positional: Any, **named: Any) -> TensorSpec:
    bound = dict(zip(_RESIZE_OPTIONS, positional, strict=False))
    options = {**_RESIZE_OPTIONS, **bound, **named}
    height, width = _check_resize(images, size, options, options["data_format"])
    shape = replace_sizes(images.shape, {height: size[0], width: size[1]})
    return TensorSpec(shape, dtypes.result_type(images.dtype))


_RESIZE_OPTIONS: dict[str, Any] = {
    "interpolation": "bilinear",
    "antialias": False,
    "crop_to_aspect_ratio": False,
    "pad_to_aspect_ratio": False,
    "fill_mode": "constant",
    "fill_value": 0.0,
    "data_format": None,
}


@op(rule=Rule(_resize))
def resize(
    images: TensorLike,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Resizes images by interpolation. Pixel centers are at half-integer coordinates.

    Args:
        images: Tensor of shape `(height, width, channels)` or `(batch, height, width, channels)`,
            or with the channels before the height.
        size: The new height and width.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` (Keys, a = -1/2), `"lanczos3"` or
            `"lanczos5"`. At the borders the weights of existing pixels are scaled to the sum 1.
        antialias: Whether to widen the kernel when downsampling.
        crop_to_aspect_ratio: Whether to center-crop the images to the aspect ratio of `size` first.
        pad_to_aspect_ratio: Whether to pad the images at both sides to the aspect ratio of `size`
            first.
        fill_mode: `"constant"`.
        fill_value: The value of the padding.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.

    Returns:
        A tensor of the dtype of `images`, with the new height and width; integers are rounded.

    Raises:
        ValueError: An option is not one of the values above, or `size` is not two positive
            integers.

    Example:
        >>> x = np.array([[[1.0], [3.0]]])
        >>> y = ops.image.resize(x, (1, 4), data_format="channels_last")
        >>> convert_to_numpy(y).ravel().tolist()
        [1.0, 1.5, 2.5, 3.0]

    Note:
        The results are those of Keras on JAX. Keras on PyTorch and on TensorFlow differs for
        "bicubic" (a = -3/4), and rounds integers differently.

    References:
        Keys, "Cubic convolution interpolation for digital image processing", 1981.
        Duchon, "Lanczos filtering in one and two dimensions", 1979.
    """
    options = {
        "interpolation": interpolation,
        "fill_mode": fill_mode,
        "crop_to_aspect_ratio": crop_to_aspect_ratio,
        "pad_to_aspect_ratio": pad_to_aspect_ratio,
    }
    axes = _check_resize(images, size, options, data_format)
    dtype = dtypes.result_type(dtype_of(images))
    x: Any = images if interpolation == "nearest" else cast(images, compute_dtype(dtype))
    if crop_to_aspect_ratio:
        x = _crop_to_ratio(x, axes, size)
    if pad_to_aspect_ratio:
        x = _pad_to_ratio(x, axes, size, fill_value)
    if interpolation == "bilinear" and dtype_of(x) == "float32":
        return to_pixels(_resize_bilinear(x, axes, size, antialias), dtype)
    for axis, target in zip(axes, size, strict=True):
        x = _resize_axis(x, axis, target, interpolation, antialias)
    return x if interpolation == "nearest" else to_pixels(x, dtype)


def _resize_bilinear(x: Any, axes: tuple[int, int], size: Sequence[int], antialias: bool) -> Tensor:
    """Resizes float32 images by bilinear interpolation, by the framework's kernel if it has one."""
    sizes = [shape_of(x)[axis] for axis in axes]
    if all(isinstance(n, int) for n in sizes) and sizes == list(size):
        return x
    rank, channels_last = len(x.shape), axes[1] == -2
    x = x if rank == 4 else expand_dims(x, 0)
    x = resize_bilinear(x, (size[0], size[1]), antialias, channels_last)
    return x if rank == 4 else squeeze(x, 0)


def _resized(images: TensorSpec, size: Any, antialias: bool, channels_last: bool) -> TensorSpec:
    height, width = (1, 2) if channels_last else (2, 3)
    return TensorSpec(replace_sizes(images.shape, {height: size[0], width: size[1]}), images.dtype)


@op(rule=Rule(_resized))
def resize_bilinear(
    images: Tensor, size: tuple[int, int], antialias: bool, channels_last: bool
) -> Tensor:
    """Resizes a batch of float32 images by bilinear interpolation.

    Backends whose framework has a kernel for it replace this.

    Args:
        images: Tensor of rank 4.
        size: The new height and width.
        antialias: Whether to widen the kernel when downsampling.
        channels_last: Whether the channels are last.
    """
    x: Any = images
    for axis, target in zip((-3, -2) if channels_last else (-2, -1), size, strict=True):
        x = _resize_axis(x, axis, target, "bilinear", antialias)
    return x


def source_window(
    sizes: Sequence[Any], size: Sequence[int], crop: bool, pad: bool
) -> list[tuple[Any, Any]]:
    """Returns the part of an image that `resize` scales to `size`: start and extent of each axis.

    Args:
        sizes: Height and width of the image: integers or scalar tensors.
        size: Height and width of the result.
        crop: Whether images are cropped to the aspect ratio of the result.
        pad: Whether they are padded to it. The window then starts at a negative index.
    """
    height, width = sizes
    if not crop and not pad:
        return [(0, height), (0, width)]
    window = []
    for n, at_ratio in ((height, width * size[0] // size[1]), (width, height * size[1] // size[0])):
        is_static = isinstance(n, int) and isinstance(at_ratio, int)
        if crop:
            kept = max(min(n, at_ratio), 1) if is_static else maximum(minimum(n, at_ratio), 1)
            window.append(((n - kept) // 2, kept))
        else:
            before = ((max if is_static else maximum)(n, at_ratio) - n) // 2
            window.append((-before, n + 2 * before))
    return window


def _crop_to_ratio(x: Any, axes: tuple[int, int], size: Sequence[int]) -> Tensor:
    window = source_window([shape_of(x)[axis] for axis in axes], size, crop=True, pad=False)
    for axis, (start, kept) in zip(axes, window, strict=True):
        after = (slice(None),) * (-axis - 1)
        x = getitem(x, (..., slice(start, start + kept), *after))
    return x


def _pad_to_ratio(x: Any, axes: tuple[int, int], size: Sequence[int], fill: float) -> Tensor:
    window = source_window([shape_of(x)[axis] for axis in axes], size, crop=False, pad=True)
    for axis, (start, extent) in zip(axes, window, strict=True):
        x = pad_axis(x, axis, -start, extent, fill)
    return x


_METHODS = {
    "linear": "bilinear",
    "bilinear": "bilinear",
    "trilinear": "bilinear",
    "cubic": "bicubic",
    "bicubic": "bicubic",
    "tricubic": "bicubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


def _check_translate(images: Any, shape: Any, scale: Any, translation: Any, dims: Any) -> Any:
    """Checks the options. Returns the axes, counted from the front."""
    source = "ops.image.scale_and_translate"
    axes = normalize_axes(dims, len(images.shape), source, "spatial_dims")
    kept = [n for i, n in enumerate(images.shape) if i not in axes]
    expected = [n for i, n in enumerate(shape) if i not in axes]
    if len(shape) != len(images.shape) or not is_compatible(kept, expected):
        raise SpecError(
            source,
            expected="an output_shape equal to the shape of images except for spatial_dims",
            received=f"{tuple(shape)} for images of shape {tuple(images.shape)}, axes {axes}",
            fix="check output_shape= and spatial_dims=",
        )
    for name, x in (("scale", scale), ("translation", translation)):
        if not is_compatible(tuple(x.shape), (len(axes),)):
            raise SpecError(
                source,
                expected=f"a {name} of shape {(len(axes),)}, one number for each of spatial_dims",
                received=f"shape {tuple(x.shape)}",
                fix="pass one number for each axis",
            )
    return axes


def _translate(
    images: TensorSpec,
    output_shape: Any,
    scale: TensorSpec,
    translation: TensorSpec,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> TensorSpec:
    _check_translate(images, output_shape, scale, translation, spatial_dims)
    check_choice("ops.image.scale_and_translate", "method", method, _METHODS)
    return TensorSpec(tuple(output_shape), dtypes.result_type(images.dtype))


@op(rule=Rule(_translate))
def scale_and_translate(
    images: TensorLike,
    output_shape: Sequence[int],
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Scales and translates images along some axes: `y = x * scale + translation`.

    Args:
        images: Tensor of any rank.
        output_shape: Shape of the result, equal to the shape of `images` except for `spatial_dims`.
        scale: Tensor of shape `(axes,)`: scale factor of each axis.
        translation: Tensor of shape `(axes,)`: offset of each axis, in pixels of the result.
        spatial_dims: The axes to transform.
        method: `"linear"`, `"bilinear"` or `"trilinear"` (the same), `"cubic"`, `"bicubic"` or
            `"tricubic"` (the same), `"lanczos3"` or `"lanczos5"`.
        antialias: Whether to widen the kernel when downsampling.

    Returns:
        A tensor of the dtype of `images`, 0 outside the images; integers are rounded.

    Raises:
        ValueError: An option is not one of the values above, or the shapes do not match.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0])
        >>> y = ops.image.scale_and_translate(x, (3,), [1.0], [1.0], (0,), "linear")
        >>> convert_to_numpy(y).tolist()
        [0.0, 1.0, 2.0]
    """
    check_choice("ops.image.scale_and_translate", "method", method, _METHODS)
    axes = _check_translate(images, output_shape, scale, translation, spatial_dims)
    dtype = dtypes.result_type(dtype_of(images))
    x: Any = cast(images, compute_dtype(dtype))
    scale, translation = cast(scale, x.dtype), cast(translation, x.dtype)
    for i, axis in enumerate(axes):
        outputs = arange(output_shape[axis], dtype=x.dtype)
        inputs = arange(shape_of(x)[axis], dtype=x.dtype)
        table = weights(
            _Ops, outputs, inputs, scale[i], translation[i], _METHODS[method], antialias
        )
        x = _apply_weights(x, axis, table)
    return to_pixels(x, dtype)
