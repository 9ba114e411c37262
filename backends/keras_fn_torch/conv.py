"""Convolution and pooling.

With channels last, the axes are only named in PyTorch's order: the memory is then what PyTorch
calls `torch.channels_last`, for which it has its fastest kernels, and nothing is copied.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F

from keras_fn.backend.conv_geometry import Sizes, per_axis, same_padding, transpose_padding
from keras_fn.core.memoize import remembered
from keras_fn.settings import standardize_data_format
from keras_fn_torch.refused import accepting
from keras_fn_torch.tensors import Tensor

_CONV = {rank: accepting(f) for rank, f in ((1, F.conv1d), (2, F.conv2d), (3, F.conv3d))}
_CONV_TRANSPOSE = {
    rank: accepting(f)
    for rank, f in ((1, F.conv_transpose1d), (2, F.conv_transpose2d), (3, F.conv_transpose3d))
}
_MAX_POOL = {
    rank: accepting(f) for rank, f in ((1, F.max_pool1d), (2, F.max_pool2d), (3, F.max_pool3d))
}
_AVERAGE_POOL = {
    rank: accepting(f) for rank, f in ((1, F.avg_pool1d), (2, F.avg_pool2d), (3, F.avg_pool3d))
}

# The order of the axes with the channels moved to the front of the sizes, and back to the end.
_TO_FRONT = {rank: (0, rank + 1, *range(1, rank + 1)) for rank in (1, 2, 3)}
_TO_BACK = {rank: (0, *range(2, rank + 2), 1) for rank in (1, 2, 3)}
# Keras's kernel is (*window, channels, filters), PyTorch's (filters, channels, *window).
_KERNEL = {rank: (rank + 1, rank, *range(rank)) for rank in (1, 2, 3)}

Pads = list[tuple[int, int]]


def _with_channels_first(
    x: Tensor, data_format: str | None, function: Callable[[Tensor], Tensor]
) -> Tensor:
    """Applies a function of PyTorch, which wants `(batch, channels, *sizes)`."""
    if standardize_data_format(data_format) == "channels_first":
        return function(x)
    rank = x.dim() - 2
    return function(x.permute(_TO_FRONT[rank])).permute(_TO_BACK[rank])


def _pads(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    padding: str,
) -> Pads:
    if padding == "valid":
        return [(0, 0)] * len(window)
    axes = zip(sizes, window, strides, dilation, strict=True)
    return [same_padding(*axis) for axis in axes]


def _pad(x: Tensor, pads: Pads) -> Tensor:
    """Adds zeros along the spatial axes; negative numbers take elements away."""
    if not any(before or after for before, after in pads):
        return x
    return F.pad(x, [n for pair in reversed(pads) for n in pair])


@remembered
def _conv_plan(
    shape: Sequence[int], kernel: Sequence[int], strides: Sizes, dilation: Sizes, padding: str
) -> tuple[list[int], list[int] | None, int]:
    """Returns what the convolution pads, what `F.pad` has to before it, and the number of groups.

    What is equal before and after an axis, the convolution pads by itself.
    """
    sizes, window = shape[2:], kernel[2:]
    rank = len(window)
    pads = _pads(sizes, window, per_axis(strides, rank), per_axis(dilation, rank), padding.lower())
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
    rank = inputs.dim() - 2
    last = standardize_data_format(data_format) == "channels_last"
    x = inputs.permute(_TO_FRONT[rank]) if last else inputs
    weight = kernel.permute(_KERNEL[rank])
    even, rest, groups = _conv_plan(x.shape, weight.shape, strides, dilation_rate, padding)
    x = x if rest is None else F.pad(x, rest)
    y = _CONV[rank](x, weight, None, strides, even, dilation_rate, groups)
    return y.permute(_TO_BACK[rank]) if last else y


def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """`F.conv_transpose*d`, cropped or padded where Keras's sizes are not PyTorch's."""
    rank = inputs.dim() - 2
    steps, dilation = per_axis(strides, rank), per_axis(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else per_axis(output_padding, rank)
    weight = kernel.permute(_KERNEL[rank])
    crops, rests = [], []
    axes = zip(weight.shape[2:], steps, dilation, extra, strict=True)
    for k, stride, rate, more in axes:
        crop, tail = transpose_padding(k, stride, rate, padding.lower(), more)
        crops.append(crop)
        rests.append(tail - ((k - 1) * rate + 1 - 2 * crop))  # over what PyTorch would give
    fits = [
        0 <= n < max(s, d) for n, s, d in zip(rests, steps, dilation, strict=True)
    ]  # PyTorch refuses other output paddings: those are padded or cropped afterwards
    later = [(0, 0 if ok else n) for n, ok in zip(rests, fits, strict=True)]
    at_once = [n if ok else 0 for n, ok in zip(rests, fits, strict=True)]

    def run(x: Tensor) -> Tensor:
        x = _CONV_TRANSPOSE[rank](x, weight, None, steps, crops, at_once, 1, dilation)
        return _pad(x, later)

    return _with_channels_first(inputs, data_format, run)


def max_pool(
    inputs: Tensor,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """`F.max_pool*d`."""
    return _pool(_MAX_POOL, {}, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Tensor,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """`F.avg_pool*d`, padding not counted."""
    uncounted = {"count_include_pad": False}
    return _pool(_AVERAGE_POOL, uncounted, inputs, pool_size, strides, padding, data_format)


@remembered
def _pool_pads(
    sizes: Sequence[int], pool_size: Sizes, strides: Sizes, padding: str
) -> tuple[list[int], bool, Any]:
    """Returns what PyTorch pads, whether its last window reaches beyond, and what to keep of it.

    PyTorch pads both ends alike. One element more at the end is what ceil_mode allows for, as it
    lets the last window reach beyond; with steps of 1 it is a window too many at the beginning,
    which is taken away.
    """
    rank = len(sizes)
    steps = per_axis(strides, rank)
    pads = _pads(sizes, per_axis(pool_size, rank), steps, (1,) * rank, padding.lower())
    uneven = [a != b for a, b in pads]
    extra = [int(odd and s == 1) for odd, s in zip(uneven, steps, strict=True)]
    before = [a + n for (a, _), n in zip(pads, extra, strict=True)]
    kept = (..., *(slice(n, None) for n in extra)) if any(extra) else None
    return before, any(uneven), kept


def _pool(
    functions: dict[int, Any],
    options: dict[str, Any],
    inputs: Tensor,
    pool_size: Sizes,
    strides: Sizes | None,
    padding: str,
    data_format: str | None,
) -> Tensor:
    rank = inputs.dim() - 2
    steps = pool_size if strides is None else strides

    def run(x: Tensor) -> Tensor:
        before, uneven, extra = _pool_pads(x.shape[2:], pool_size, steps, padding)
        x = functions[rank](x, pool_size, steps, before, ceil_mode=uneven, **options)
        return x if extra is None else x[extra]

    return _with_channels_first(inputs, data_format, run)
