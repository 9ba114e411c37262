"""Output shapes of convolution and pooling, with their checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from keras_fn.backend.conv_geometry import per_axis, standardize_padding, transpose_padding
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import TensorSpec
from keras_fn.settings import standardize_data_format


def check_sizes(
    value: int | Sequence[int], rank: int, source: str, argument: str, minimum: int = 1
) -> tuple[int, ...]:
    """Returns one number for each spatial axis.

    Args:
        value: A number, or one for each axis.
        rank: The number of spatial axes.
        source: Name of the op, for errors.
        argument: Name of the argument, for errors.
        minimum: The smallest valid number.

    Raises:
        ValueError: There are more or fewer numbers than axes, or one is too small.
    """
    sizes = per_axis(value, rank)
    if len(sizes) != rank or any(n < minimum for n in sizes):
        raise SpecError(
            source,
            expected=f"{argument}: a number of at least {minimum}, or {rank}, one for each axis",
            received=f"{argument}={value}",
            fix=f"pass {argument}= for {rank} spatial axes",
        )
    return sizes


def spatial(shape: Shape, data_format: str | None) -> Shape:
    """Returns the spatial sizes of an input of shape `shape`."""
    return shape[1:-1] if standardize_data_format(data_format) == "channels_last" else shape[2:]


def channels(shape: Shape, data_format: str | None) -> int | None:
    """Returns the number of channels of an input of shape `shape`; None if it is unknown."""
    return shape[-1 if standardize_data_format(data_format) == "channels_last" else 1]


def assemble(batch: Any, sizes: Sequence[Any], channels: Any, data_format: str | None) -> Shape:
    """Returns the shape of a batch with these sizes and channels, in a data format."""
    if standardize_data_format(data_format) == "channels_last":
        return (batch, *sizes, channels)
    return (batch, channels, *sizes)


def window_sizes(
    sizes: Sequence[int | None],
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int],
    source: str,
) -> tuple[int | None, ...]:
    """Returns the number of windows that fit along each spatial axis; None where it is unknown.

    Raises:
        ValueError: The window does not fit.
    """
    covers = padding == "causal" or standardize_padding(padding, source) == "same"
    result: list[int | None] = []
    for size, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        if size is None:
            result.append(None)
            continue
        count = count_windows(size, k, s, d, covers)
        if count < 1:
            raise SpecError(
                source,
                expected=f"spatial sizes that hold a window of {tuple(window)}",
                received=f"sizes {tuple(sizes)}, dilation_rate {tuple(dilation)}",
                fix="make the kernel or the pool smaller, or use padding='same'",
            )
        result.append(count)
    return tuple(result)


def count_windows(size: Any, window: int, stride: int, dilation: int, covers: bool) -> Any:
    """Returns how many windows there are along an axis of a size, a number or a tensor.

    `covers` says whether windows may reach beyond the axis, as with the padding "same".
    """
    if covers:
        return (size + stride - 1) // stride
    return (size - (window - 1) * dilation - 1) // stride + 1


def conv(
    inputs: TensorSpec,
    kernel: TensorSpec,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> TensorSpec:
    """Rule of `ops.conv`. The kernel has shape `(*window, channels // groups, filters)`."""
    rank = len(inputs.shape) - 2
    _check_rank(inputs, kernel, rank, "ops.conv")
    num_channels = channels(inputs.shape, data_format)
    *window, per_group, filters = cast("tuple[int, ...]", kernel.shape)  # weights have all sizes
    if num_channels is not None and num_channels % per_group:
        data_format = standardize_data_format(data_format)
        raise SpecError(
            "ops.conv",
            expected=f"inputs whose channels are a multiple of {per_group}, as in the kernel",
            received=f"{num_channels} channels (shape {inputs.shape}, {data_format})",
            fix="check data_format and the kernel's shape",
        )
    sizes = window_sizes(
        spatial(inputs.shape, data_format),
        window,
        check_sizes(strides, rank, "ops.conv", "strides"),
        padding,
        check_sizes(dilation_rate, rank, "ops.conv", "dilation_rate"),
        "ops.conv",
    )
    return TensorSpec(
        assemble(inputs.shape[0], sizes, filters, data_format),
        dtypes.result_type(inputs.dtype, kernel.dtype),
    )


def _check_rank(inputs: TensorSpec, kernel: TensorSpec, rank: int, source: str) -> None:
    if rank not in (1, 2, 3) or len(kernel.shape) != rank + 2:
        raise SpecError(
            source,
            expected="inputs of rank 3, 4 or 5 and a kernel of the same rank",
            received=f"inputs of shape {inputs.shape}, kernel of shape {kernel.shape}",
            fix="add the batch axis and the channel axis",
        )


def conv_transpose(
    inputs: TensorSpec,
    kernel: TensorSpec,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> TensorSpec:
    """Rule of `ops.conv_transpose`. The kernel has shape `(*window, filters, channels)`."""
    rank = len(inputs.shape) - 2
    source = "ops.conv_transpose"
    _check_rank(inputs, kernel, rank, source)
    sizes = transpose_sizes(
        spatial(inputs.shape, data_format),
        kernel.shape[:-2],
        check_sizes(strides, rank, source, "strides"),
        standardize_padding(padding, source),
        None
        if output_padding is None
        else check_sizes(output_padding, rank, source, "output_padding", 0),
        check_sizes(dilation_rate, rank, source, "dilation_rate"),
    )
    return TensorSpec(
        assemble(inputs.shape[0], sizes, kernel.shape[-2], data_format),
        dtypes.result_type(inputs.dtype, kernel.dtype),
    )


def transpose_sizes(
    sizes: Sequence[Any],
    window: Sequence[Any],
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilation: Sequence[int],
) -> tuple[Any, ...]:
    """Returns the spatial sizes of the output of a transposed convolution."""
    extra = output_padding or (None,) * len(sizes)
    return tuple(
        None if n is None else (n - 1) * s + transpose_padding(k, s, d, padding, e)[1]
        for n, k, s, e, d in zip(sizes, window, strides, extra, dilation, strict=True)
    )


def pool(
    inputs: TensorSpec,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> TensorSpec:
    """Rule of `ops.max_pool`: windows along the spatial axes, each channel by itself."""
    rank = len(inputs.shape) - 2
    if rank not in (1, 2, 3):
        raise SpecError(
            "ops",
            expected="inputs of rank 3, 4 or 5",
            received=f"shape {inputs.shape}",
            fix="add the batch axis and the channel axis",
        )
    window = check_sizes(pool_size, rank, "ops", "pool_size")
    sizes = window_sizes(
        spatial(inputs.shape, data_format),
        window,
        window if strides is None else check_sizes(strides, rank, "ops", "strides"),
        padding,
        (1,) * rank,
        "ops",
    )
    num_channels = channels(inputs.shape, data_format)
    return TensorSpec(assemble(inputs.shape[0], sizes, num_channels, data_format), inputs.dtype)
