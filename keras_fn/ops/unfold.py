"""Rearranges blocks of pixels and channels, and sliding windows and columns (im2col, col2im)."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.backend.conv_geometry import Sizes, per_axis
from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import product
from keras_fn.ops.arithmetic import add
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.creation import arange
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.joining_splitting import unstack
from keras_fn.ops.manipulation import expand_dims, pad, reshape, transpose
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor, TensorLike

# ---------------------------------------------------------------- blocks and channels


def _image_sizes(
    x: TensorSpec, block_size: int, data_format: str, source: str
) -> tuple[Any, Any, Any, Any]:
    """Returns the sizes (batch, height, width, channels) of images, checked."""
    if len(x.shape) != 4 or not isinstance(block_size, int) or block_size < 1:
        raise SpecError(
            source,
            expected="images of rank 4 and a positive integer for block_size",
            received=f"shape {x.shape}, block_size={block_size!r}",
            fix="add the batch axis and the channel axis",
        )
    if standardize_data_format(data_format) == "channels_first":
        batch, channels, height, width = x.shape
    else:
        batch, height, width, channels = x.shape
    return batch, height, width, channels


def _divide_sizes(source: str, x: TensorSpec, block: int, *sizes: int | None) -> list[int | None]:
    """Returns the sizes divided by the block size; all must be multiples of it."""
    if any(n is not None and n % block for n in sizes):
        raise SpecError(
            source,
            expected=f"sizes divisible by {block}, not {' and '.join(map(str, sizes))}",
            received=f"shape {x.shape}",
            fix="check block_size and data_format, or pad the images",
        )
    return [None if n is None else n // block for n in sizes]


def _image_shape(batch: Any, height: Any, width: Any, channels: Any, data_format: str) -> Any:
    if standardize_data_format(data_format) == "channels_first":
        return batch, channels, height, width
    return batch, height, width, channels


def _multiply_size(size: int | None, factor: int) -> int | None:
    return None if size is None else size * factor


def _depth_to_space(
    x: TensorSpec, block_size: int, data_format: str = "channels_last"
) -> TensorSpec:
    source, b = "ops.depth_to_space", block_size
    batch, height, width, channels = _image_sizes(x, b, data_format, source)
    (depth,) = _divide_sizes(source, x, b * b, channels)
    shape = _image_shape(
        batch, _multiply_size(height, b), _multiply_size(width, b), depth, data_format
    )
    return TensorSpec(shape, dtypes.result_type(x.dtype))


def _space_to_depth(
    x: TensorSpec, block_size: int, data_format: str = "channels_last"
) -> TensorSpec:
    source, b = "ops.space_to_depth", block_size
    batch, height, width, channels = _image_sizes(x, b, data_format, source)
    height, width = _divide_sizes(source, x, b, height, width)
    shape = _image_shape(batch, height, width, _multiply_size(channels, b * b), data_format)
    return TensorSpec(shape, dtypes.result_type(x.dtype))


@op(rule=Rule(_depth_to_space))
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Depth to space (pixel shuffle): moves channels into square blocks of pixels.

    Args:
        x: Images of shape `(batch, height, width, channels)` or `(batch, channels, height, width)`.
        block_size: Side b of the blocks. The channels are split as `(b, b, depth)` in the
            channels-last format, as `(depth, b, b)` in the channels-first format.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        A tensor in the dtype and data format of `x`, with sizes `height * b` and `width * b` and
        `channels / b**2` channels.

    Raises:
        ValueError: The number of channels is not a multiple of `b**2`, or `x` is not of rank 4.

    Example:
        >>> x = reshape(arange(4), (1, 1, 1, 4))
        >>> convert_to_numpy(depth_to_space(x, 2))[0, :, :, 0].tolist()
        [[0, 1], [2, 3]]

    References:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
        Convolutional Neural Network", 2016. https://arxiv.org/abs/1609.05158

    Note:
        In the channels-first format, Keras 3 on TensorFlow splits them as `(b, b, depth)`.
    """
    b = block_size
    _depth_to_space(spec_of(x), b, data_format)  # raises
    if standardize_data_format(data_format) == "channels_first":
        batch, channels, height, width = shape_of(x)
        x = reshape(x, (batch, channels // (b * b), b, b, height, width))
        x = transpose(x, (0, 1, 4, 2, 5, 3))
        return reshape(x, (batch, channels // (b * b), height * b, width * b))
    batch, height, width, channels = shape_of(x)
    x = reshape(x, (batch, height, width, b, b, channels // (b * b)))
    x = transpose(x, (0, 1, 3, 2, 4, 5))
    return reshape(x, (batch, height * b, width * b, channels // (b * b)))


@op(rule=Rule(_space_to_depth))
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Space to depth (pixel unshuffle): moves square blocks of pixels into the channels.

    It is the inverse of `depth_to_space`.

    Args:
        x: Images of shape `(batch, height, width, channels)` or `(batch, channels, height, width)`.
        block_size: Side b of the blocks. The new channels are `(b, b, channels)` in the
            channels-last format, `(channels, b, b)` in the channels-first format.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        A tensor in the dtype and data format of `x`, with sizes `height / b` and `width / b` and
        `channels * b**2` channels.

    Raises:
        ValueError: Height or width is not a multiple of `b`, or `x` is not of rank 4.

    Example:
        >>> x = reshape(arange(4), (1, 2, 2, 1))
        >>> convert_to_numpy(space_to_depth(x, 2)).tolist()
        [[[[0, 1, 2, 3]]]]
    """
    b = block_size
    _space_to_depth(spec_of(x), b, data_format)  # raises
    if standardize_data_format(data_format) == "channels_first":
        batch, channels, height, width = shape_of(x)
        x = reshape(x, (batch, channels, height // b, b, width // b, b))
        x = transpose(x, (0, 1, 3, 5, 2, 4))
        return reshape(x, (batch, channels * b * b, height // b, width // b))
    batch, height, width, channels = shape_of(x)
    x = reshape(x, (batch, height // b, b, width // b, b, channels))
    x = transpose(x, (0, 1, 3, 2, 4, 5))
    return reshape(x, (batch, height // b, width // b, b * b * channels))


# ---------------------------------------------------------------- windows and columns


def _window_counts(
    source: str, sizes: Any, kernel: Any, dilation: Any, padding: Any, stride: Any
) -> list:
    """Returns the number of windows along each axis; None or a tensor where it is unknown."""
    counts = []
    for n, k, d, p, s in zip(sizes, kernel, dilation, padding, stride, strict=True):
        count = None if n is None else (n + 2 * p - d * (k - 1) - 1) // s + 1
        if isinstance(count, int) and count < 1:
            raise SpecError(
                source,
                expected=f"sizes that hold a window of {kernel}",
                received=f"sizes {tuple(sizes)}, padding {padding}, dilation {dilation}",
                fix="make the window smaller, or pad",
            )
        counts.append(count)
    return counts


def _pairs(source: str, **options: Sizes) -> list[tuple[int, int]]:
    """Returns a pair of numbers, for height and width, for each option."""
    pairs = []
    for name, value in options.items():
        minimum = 0 if name == "padding" else 1
        pair = per_axis(value, 2)
        if len(pair) != 2 or not all(isinstance(n, int) and n >= minimum for n in pair):
            raise SpecError(
                source,
                expected=f"{name}: an integer of {minimum} or more, or two",
                received=f"{name}={value!r}",
                fix="pass one number for both axes, or one for each",
            )
        pairs.append(pair)
    return pairs


def _unfold(
    x: TensorSpec, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> TensorSpec:
    source = "ops.unfold"
    if len(x.shape) != 4:
        raise SpecError(
            source,
            expected="x of shape (batch, channels, height, width)",
            received=f"shape {x.shape}",
            fix="add the batch axis or the channel axis, or move the channels to the front",
        )
    pairs = _pairs(
        source, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    rows, columns = _window_counts(source, x.shape[2:], *pairs)
    channels = product((x.shape[1], *pairs[0]))
    return TensorSpec((x.shape[0], channels, product((rows, columns))), dtypes.result_type(x.dtype))


@op(rule=Rule(_unfold))
def unfold(
    x: TensorLike, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Tensor:
    """Extracts sliding windows of images as columns ("im2col").

    Args:
        x: Images of shape `(batch, channels, height, width)`.
        kernel_size: Height and width of the window, or one number for both.
        dilation: Step between the elements of the window.
        padding: Number of zeros before and after each axis.
        stride: Stride of the window.

    Returns:
        A tensor of the dtype of `x`, of shape `(batch, channels * window_size, windows)`.

    Raises:
        ValueError: `x` is not of rank 4, an option is not a valid size, or the window does not fit.

    Example:
        >>> convert_to_numpy(unfold([[[[1.0, 2.0, 3.0]]]], (1, 2))).tolist()
        [[[1.0, 2.0], [2.0, 3.0]]]
    """
    source = "ops.unfold"
    _unfold(spec_of(x), kernel_size, dilation, padding, stride)  # raises
    kernel, rates, pads, strides = _pairs(
        source, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    batch, channels, *sizes = shape_of(x)
    if any(pads):
        x = pad(x, ((0, 0), (0, 0), (pads[0],) * 2, (pads[1],) * 2))
    rows, columns = _window_counts(source, sizes, kernel, rates, pads, strides)
    # Axes: batch, channels, window row, row, then window column, column.
    x = take(x, _window_indices(kernel[0], rows, rates[0], strides[0]), 2)
    x = take(x, _window_indices(kernel[1], columns, rates[1], strides[1]), 4)
    x = transpose(x, (0, 1, 2, 4, 3, 5))
    return reshape(x, (batch, channels * kernel[0] * kernel[1], rows * columns))


def _window_indices(window: int, count: Any, dilation: int, stride: int) -> Any:
    """Returns the indices of the elements of the windows: a row for each element of the window."""
    steps = np.arange(count) if isinstance(count, int) else arange(count, dtype="int32")
    return (np.arange(window, dtype="int32") * dilation)[:, None] + steps * stride


def _fold(
    x: TensorSpec,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> TensorSpec:
    source = "ops.fold"
    sizes, *pairs = _pairs(
        source,
        output_size=output_size,
        kernel_size=kernel_size,
        dilation=dilation,
        padding=padding,
        stride=stride,
    )
    rows, columns = _window_counts(source, sizes, *pairs)
    window = pairs[0][0] * pairs[0][1]
    shape = x.shape
    is_valid = is_compatible(shape, (None, None, rows * columns))
    if not is_valid or (shape[1] or 0) % window:
        raise SpecError(
            source,
            expected=f"x of shape (batch, channels * {window}, {rows * columns}): the windows of "
            f"{pairs[0]} over images of {sizes}",
            received=f"shape {x.shape}",
            fix="pass the options of the call of unfold",
        )
    channels = None if shape[1] is None else shape[1] // window
    return TensorSpec((shape[0], channels, *sizes), dtypes.result_type(x.dtype))


@op(rule=Rule(_fold))
def fold(
    x: TensorLike,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Sums columns back into images ("col2im"): the adjoint of `unfold`.

    Args:
        x: Tensor of shape `(batch, channels * window_size, windows)`.
        output_size: Height and width of the images, or one number for both.
        kernel_size: Height and width of the window, or one number for both.
        dilation: Step between the elements of the window.
        padding: Number of zeros that were added before and after each axis.
        stride: Stride of the window.

    Returns:
        Images of the dtype of `x`, of shape `(batch, channels, height, width)`; elements that
        several windows share are summed.

    Raises:
        ValueError: `x` does not have the shape of the result of `unfold` with these options.

    Example:
        >>> columns = unfold([[[[1.0, 2.0, 3.0]]]], (1, 2))
        >>> convert_to_numpy(fold(columns, (1, 3), (1, 2))).tolist()
        [[[[1.0, 4.0, 3.0]]]]
    """
    options = {"dilation": dilation, "padding": padding, "stride": stride}
    _fold(spec_of(x), output_size, kernel_size, **options)  # raises
    pairs = _pairs("ops.fold", output_size=output_size, kernel_size=kernel_size, **options)
    sizes, kernel, rates, pads, strides = pairs
    rows, columns = _window_counts("ops.fold", sizes, kernel, rates, pads, strides)
    batch, depth, _ = shape_of(x)
    x = reshape(x, (batch, depth // (kernel[0] * kernel[1]), *kernel, rows, columns))
    x = transpose(x, (0, 1, 2, 4, 3, 5))
    x = _sum_windows(x, 4, sizes[1], rates[1], pads[1], strides[1])
    return _sum_windows(x, 2, sizes[0], rates[0], pads[0], strides[0])


def _sum_windows(
    x: Tensor, axis: int, size: int, dilation: int, padding: int, stride: int
) -> Tensor:
    """Sums overlapping windows: their axis of elements and the next axis become one of `size`."""
    shape = shape_of(x)
    window, count = shape[axis], shape[axis + 1]
    after = len(shape) - axis - 2
    no_padding = [(0, 0)]
    if stride > 1:  # zeros between the windows
        x = expand_dims(x, axis + 2)
        x = pad(x, [*no_padding * (axis + 2), (0, stride - 1), *no_padding * after])
        x = reshape(x, (*shape[: axis + 1], count * stride, *shape[axis + 2 :]))
    whole = max((window - 1) * dilation + count * stride, padding + size)
    total: Any = None
    for i, part in enumerate(unstack(x, window, axis)):
        before = i * dilation
        width = (before, whole - before - count * stride)
        part = pad(part, [*no_padding * axis, width, *no_padding * after])
        total = part if total is None else add(total, part)
    return getitem(total, (slice(None),) * axis + (slice(padding, padding + size),))
