"""Convolutions."""

import math
from typing import Any

import numpy as np

from keras_fn.backend.conv_geometry import (
    Sizes,
    per_axis,
    same_padding,
    standardize_padding,
    transposed_window,
)
from keras_fn_numpy.data_format import from_channels_last, to_channels_last
from keras_fn_numpy.dtype_fallback import in_float32


def window_views(
    x: Any, window: Any, strides: Sizes, padding: str, dilation: Sizes = 1, fill: Any = 0
) -> Any:
    """Returns a view of all windows, of shape `(batch, *positions, channels, *window)`."""
    rank = len(window)
    strides, dilation = per_axis(strides, rank), per_axis(dilation, rank)
    if standardize_padding(padding) == "same":
        axes = zip(x.shape[1:-1], window, strides, dilation, strict=True)
        x = np.pad(
            x, [(0, 0), *(same_padding(*axis) for axis in axes), (0, 0)], constant_values=fill
        )
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(x, reach, tuple(range(1, rank + 1)))
    steps = [slice(None, None, s) for s in strides]
    return views[:, *steps, :, *(slice(None, None, d) for d in dilation)]


@in_float32
def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Product of windows and kernel; the number of groups follows from the kernel's shape."""
    *window, depth, filters = kernel.shape
    x = to_channels_last(inputs, data_format)
    groups, size = x.shape[-1] // depth, math.prod(window)
    views = window_views(x, window, strides, padding, dilation_rate)
    positions = views.shape[: -1 - len(window)]
    views = views.reshape(*positions, groups, depth, size)
    kernel = kernel.reshape(size, depth, groups, filters // groups)
    y = np.einsum("...gcw,wcgf->...gf", views, kernel, optimize=True)
    return from_channels_last(y.reshape(*positions, filters), data_format)


@in_float32
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Convolution of the dilated inputs with the flipped kernel."""
    x = to_channels_last(inputs, data_format)
    batch, *sizes, channels = x.shape
    window, steps = kernel.shape[:-2], per_axis(strides, len(sizes))
    pads = transposed_window(window, strides, padding, output_padding, dilation_rate)
    axes = list(zip(sizes, steps, pads, strict=True))
    stretched = np.zeros(
        [batch, *((n - 1) * s + 1 + max(a, 0) + max(b, 0) for n, s, (a, b) in axes), channels],
        x.dtype,
    )
    positions = [slice(max(a, 0), max(a, 0) + (n - 1) * s + 1, s) for n, s, (a, _) in axes]
    stretched[:, *positions] = x
    # Negative padding crops.
    crops = [slice(max(-a, 0), min(b, 0) or None) for _, _, (a, b) in axes]
    kernel = np.flip(kernel, tuple(range(len(sizes)))).swapaxes(-1, -2)
    y = conv(stretched[:, *crops], kernel, 1, "valid", "channels_last", dilation_rate)
    return from_channels_last(y, data_format)
