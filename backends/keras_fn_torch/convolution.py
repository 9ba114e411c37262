"""Convolutions."""

from collections.abc import Sequence

import torch.nn.functional as F

from keras_fn.backend.conv_geometry import Sizes, per_axis, standardize_padding, transpose_padding
from keras_fn.core.memoize import memoize
from keras_fn.settings import standardize_data_format
from keras_fn_torch.data_format import (
    TO_CHANNELS_FIRST,
    TO_CHANNELS_LAST,
    Pads,
    are_known,
    for_pad,
    padding_pairs,
    with_channels_first,
)
from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor

_CONV = {rank: with_dtype_fallback(f) for rank, f in ((1, F.conv1d), (2, F.conv2d), (3, F.conv3d))}

_CONV_TRANSPOSE = {
    rank: with_dtype_fallback(f)
    for rank, f in ((1, F.conv_transpose1d), (2, F.conv_transpose2d), (3, F.conv_transpose3d))
}

# Keras's kernel is (*window, channels, filters), PyTorch's (filters, channels, *window).
_KERNEL = {rank: (rank + 1, rank, *range(rank)) for rank in (1, 2, 3)}


def _pad(x: Tensor, pads: Pads) -> Tensor:
    """Pads the spatial axes with zeros; negative numbers crop."""
    if not any(before or after for before, after in pads):
        return x
    return F.pad(x, for_pad(pads))


@memoize
def _conv_plan(
    shape: Sequence[int], kernel: Sequence[int], strides: Sizes, dilation: Sizes, padding: str
) -> tuple[list[int], list[int] | None, int]:
    """Returns the padding of the convolution, of `F.pad` before it, and the number of groups.

    The convolution itself pads the part that is equal before and after an axis.
    """
    sizes, window = shape[2:], kernel[2:]
    rank = len(window)
    pads = padding_pairs(
        sizes,
        window,
        per_axis(strides, rank),
        per_axis(dilation, rank),
        standardize_padding(padding),
    )
    if not are_known(pads):
        return [0] * rank, for_pad(pads), shape[1] // kernel[1]
    even = [min(pair) for pair in pads]
    rest = [n - m for pair, m in zip(reversed(pads), reversed(even), strict=True) for n in pair]
    return even, rest if any(rest) else None, shape[1] // kernel[1]


def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """`F.conv*d`; the groups follow from the kernel's shape."""
    return conv_with_bias(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def conv_with_bias(
    inputs: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """The same with a bias, in one kernel."""
    rank = inputs.dim() - 2
    last = standardize_data_format(data_format) == "channels_last"
    x = inputs.permute(TO_CHANNELS_FIRST[rank]) if last else inputs
    weight = kernel.permute(_KERNEL[rank])
    even, rest, groups = _conv_plan(x.shape, weight.shape, strides, dilation_rate, padding)
    x = x if rest is None else F.pad(x, rest)
    y = _CONV[rank](x, weight, bias, strides, even, dilation_rate, groups)
    return y.permute(TO_CHANNELS_LAST[rank]) if last else y


def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """`F.conv_transpose*d`, cropped or padded where Keras's output size differs."""
    rank = inputs.dim() - 2
    steps, dilation = per_axis(strides, rank), per_axis(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else per_axis(output_padding, rank)
    weight = kernel.permute(_KERNEL[rank])
    crops, surplus = [], []
    axes = zip(weight.shape[2:], steps, dilation, extra, strict=True)
    for k, stride, rate, more in axes:
        crop, tail = transpose_padding(k, stride, rate, padding, more)
        crops.append(crop)
        surplus.append(tail - ((k - 1) * rate + 1 - 2 * crop))  # over PyTorch's output size
    # PyTorch accepts no other output padding: the rest is padded or cropped afterwards.
    supported = [0 <= n < max(s, d) for n, s, d in zip(surplus, steps, dilation, strict=True)]
    padded_later = [(0, 0 if ok else n) for n, ok in zip(surplus, supported, strict=True)]
    padded_now = [n if ok else 0 for n, ok in zip(surplus, supported, strict=True)]

    def run(x: Tensor) -> Tensor:
        x = _CONV_TRANSPOSE[rank](x, weight, None, steps, crops, padded_now, 1, dilation)
        return _pad(x, padded_later)

    return with_channels_first(inputs, data_format, run)
