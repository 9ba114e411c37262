"""Convolutions."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.backend.conv_geometry import (
    Sizes,
    per_axis,
    same_padding,
    standardize_padding,
    transpose_padding,
)
from keras_fn_tensorflow.data_format import full_rank, spatial_sizes, with_native_layout
from keras_fn_tensorflow.dtype_fallback import product_in_float32
from keras_fn_tensorflow.tensors import shape


def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> tf.Tensor:
    """Convolution; the number of groups follows from the kernel's shape."""
    if not inputs.dtype.is_floating:
        return _conv_others(conv, inputs, kernel, strides, padding, data_format, dilation_rate)
    rank = inputs.shape.rank - 2
    steps, dilations = per_axis(strides, rank), per_axis(dilation_rate, rank)

    def run(x: Any, layout: str) -> tf.Tensor:
        groups = x.shape[layout.index("C")] // kernel.shape[-2]
        if max(steps) > 1 and max(dilations) > 1:
            return _strided_and_dilated(x, kernel, steps, padding, layout, dilations, groups)
        return _grouped(x, kernel, steps, padding, layout, dilations, groups)

    return with_native_layout(inputs, data_format, run)


def _conv_others(
    function: Callable[..., tf.Tensor], x: Any, kernel: Any, *options: Any
) -> tf.Tensor:
    """Convolves what TensorFlow hardly supports: integers in float64, complex numbers by parts."""
    if x.dtype.is_complex:
        (a, b), (c, d) = ((tf.math.real(t), tf.math.imag(t)) for t in (x, kernel))

        def run(x: Any, kernel: Any) -> tf.Tensor:
            return function(x, kernel, *options)

        return tf.complex(run(a, c) - run(b, d), run(a, d) + run(b, c))
    wide = function(tf.cast(x, tf.float64), tf.cast(kernel, tf.float64), *options)
    return tf.cast(tf.cast(wide, tf.int64), x.dtype)  # integers out of range wrap around


def _grouped(
    x: Any, kernel: Any, steps: Any, padding: Any, layout: Any, dilations: Any, groups: int
) -> tf.Tensor:
    """Runs one convolution for each group: on a CPU, grouped ones have no gradient."""
    if groups == 1:
        return _convolution(x, kernel, steps, padding, layout, dilations)
    if kernel.shape[-2] == 1 and len(steps) == 2 and len(set(steps)) == 1:
        return _depthwise(x, kernel, steps, padding, layout, dilations, groups)
    axis = layout.index("C")
    parts = zip(tf.split(x, groups, axis), tf.split(kernel, groups, -1), strict=True)
    return tf.concat(
        [_convolution(*pair, steps, padding, layout, dilations) for pair in parts], axis
    )


def _convolution(
    x: Any, kernel: Any, steps: Any, padding: Any, layout: Any, dilations: Any
) -> tf.Tensor:
    """`tf.nn.convolution`, or the raw op that it would call."""
    if len(steps) == 3 or max(dilations) > 1:
        return tf.nn.convolution(x, kernel, steps, padding.upper(), layout, dilations)
    if len(steps) == 1:
        axis, layout = (2, "NCHW") if layout[1] == "C" else (1, "NHWC")
        x, kernel = raw.ExpandDims(input=x, axis=axis), raw.ExpandDims(input=kernel, axis=0)
        y = _convolution(x, kernel, (1, *steps), padding, layout, dilations)
        return raw.Squeeze(input=y, axis=[axis])
    return raw.Conv2D(
        input=x,
        filter=kernel,
        strides=full_rank(steps, layout),
        padding=padding.upper(),
        data_format=layout,
    )


def _depthwise(
    x: Any, kernel: Any, steps: Any, padding: str, layout: str, dilations: Any, groups: int
) -> tf.Tensor:
    """`tf.nn.depthwise_conv2d`, whose kernel is `(*window, channels, multiplier)`."""
    window, each = kernel.shape[:-2], kernel.shape[-1] // groups
    kernel = tf.reshape(kernel, [*window, groups, each])
    strides = full_rank(steps, layout)
    return tf.nn.depthwise_conv2d(x, kernel, strides, padding.upper(), layout, dilations)


def _strided_and_dilated(
    x: Any, kernel: Any, steps: Any, padding: str, layout: str, dilations: Any, groups: int
) -> tf.Tensor:
    """Computes stride 1 and subsamples: TensorFlow does not support both at once."""
    if standardize_padding(padding) == "same":
        window = zip(spatial_sizes(x, layout), kernel.shape[:-2], steps, dilations, strict=True)
        pads = [_same(*axis) for axis in window]
        x = tf.pad(x, _full_padding(pads, layout))
    result = _grouped(x, kernel, (1,) * len(steps), "valid", layout, dilations, groups)
    keep = [slice(None, None, step) for step in steps]
    around = (slice(None), slice(None))
    return result[(*around, *keep) if layout[1] == "C" else (around[0], *keep, around[1])]


def _same(size: Any, window: int, stride: int, dilation: int) -> tuple[Any, Any]:
    """Same as `same_padding`, also for a size that is unknown in the graph."""
    if isinstance(size, int):
        return same_padding(size, window, stride, dilation)
    reach = (window - 1) * dilation + 1
    total = tf.maximum((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def _full_padding(pads: list[Any], layout: str) -> list[Any]:
    """Returns the paddings of all axes, with none for batch and channels."""
    return [(0, 0), (0, 0), *pads] if layout[1] == "C" else [(0, 0), *pads, (0, 0)]


@product_in_float32
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> tf.Tensor:
    """Full transposed convolution, then cropped or padded."""
    if not inputs.dtype.is_floating:
        options = (strides, padding, output_padding, data_format, dilation_rate)
        return _conv_others(conv_transpose, inputs, kernel, *options)
    rank = inputs.shape.rank - 2
    steps, dilations = per_axis(strides, rank), per_axis(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else per_axis(output_padding, rank)
    window = [int(k) for k in kernel.shape[:-2]]
    crops = [
        transpose_padding(k, s, d, padding, e)
        for k, s, d, e in zip(window, steps, dilations, extra, strict=True)
    ]
    kernel = _dilate(kernel, dilations)

    def run(x: Any, layout: str) -> tf.Tensor:
        reach = [int(k) for k in kernel.shape[:-2]]
        sizes = [
            (n - 1) * s + r for n, s, r in zip(spatial_sizes(x, layout), steps, reach, strict=True)
        ]
        batch, filters = shape(x)[0], kernel.shape[-2]
        target = [batch, filters, *sizes] if layout[1] == "C" else [batch, *sizes, filters]
        whole = tf.nn.conv_transpose(x, kernel, target, steps, "VALID", layout)  # type: ignore[arg-type]
        more = [max(crop + tail - r, 0) for (crop, tail), r in zip(crops, reach, strict=True)]
        if any(more):
            whole = tf.pad(whole, _full_padding([(0, n) for n in more], layout))
        if all(crop == 0 and tail >= r for (crop, tail), r in zip(crops, reach, strict=True)):
            return whole
        begin = [crop for crop, _ in crops]
        size = [n - r + tail for n, r, (_, tail) in zip(sizes, reach, crops, strict=True)]
        if layout[1] == "C":
            return tf.slice(whole, [0, 0, *begin], [batch, filters, *size])
        return tf.slice(whole, [0, *begin, 0], [batch, *size, filters])

    return with_native_layout(inputs, data_format, run)


def _dilate(kernel: Any, dilations: tuple[int, ...]) -> Any:
    """Inserts zeros into the kernel: on a CPU, the transposed op does not support dilation."""
    for axis, d in enumerate(dilations):
        if d > 1:
            sizes = list(kernel.shape)
            wide = tf.expand_dims(kernel, axis + 1)
            wide = tf.pad(wide, [(0, (d - 1) * (i == axis + 1)) for i in range(len(sizes) + 1)])
            sizes[axis] *= d
            kernel = tf.reshape(wide, sizes)
            reach = sizes[axis] - (d - 1)
            kernel = kernel[(slice(None),) * axis + (slice(reach),)]
    return kernel
