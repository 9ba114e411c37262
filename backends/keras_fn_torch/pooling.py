"""Max and average pooling."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from keras_fn.backend.conv_geometry import Sizes, per_axis, standardize_padding
from keras_fn.core.memoize import memoize
from keras_fn_torch.data_format import are_known, for_pad, padding_pairs, with_channels_first
from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor


def _max_pool1d(
    x: Tensor, size: Sizes, steps: Sizes, padding: Sequence[int], ceil_mode: bool = False
) -> Tensor:
    """`F.max_pool1d`, of which `torch.export` would have the length as a constant."""
    if not torch.compiler.is_exporting():
        return F.max_pool1d(x, size, steps, padding, ceil_mode=ceil_mode)
    size, steps = per_axis(size, 1), per_axis(steps, 1)
    pooled = F.max_pool2d(
        x.unsqueeze(-1), (*size, 1), (*steps, 1), (*padding, 0), ceil_mode=ceil_mode
    )
    return pooled.squeeze(-1)


_MAX_POOL = {
    rank: with_dtype_fallback(f)
    for rank, f in ((1, _max_pool1d), (2, F.max_pool2d), (3, F.max_pool3d))
}

_AVERAGE_POOL = {
    rank: with_dtype_fallback(f)
    for rank, f in ((1, F.avg_pool1d), (2, F.avg_pool2d), (3, F.avg_pool3d))
}


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


@memoize
def _pool_pads(
    sizes: Sequence[int], pool_size: Sizes, strides: Sizes, padding: str
) -> tuple[list[int], bool, Any]:
    """Returns the padding, `ceil_mode`, and the slices of the result to keep.

    PyTorch pads both ends equally. One more element at the end is achieved with `ceil_mode`, which
    allows the last window to exceed the input; with stride 1 it is one more window at the start,
    which is removed.
    """
    rank = len(sizes)
    steps = per_axis(strides, rank)
    pads = padding_pairs(
        sizes, per_axis(pool_size, rank), steps, (1,) * rank, standardize_padding(padding)
    )
    uneven = [a != b for a, b in pads]
    extra = [int(odd and s == 1) for odd, s in zip(uneven, steps, strict=True)]
    before = [a + n for (a, _), n in zip(pads, extra, strict=True)]
    crop = (..., *(slice(n, None) for n in extra)) if any(extra) else None
    return before, any(uneven), crop


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
        if torch.compiler.is_exporting() and standardize_padding(padding) == "same":
            per = per_axis(pool_size, rank), per_axis(steps, rank), (1,) * rank
            pads = padding_pairs(x.shape[2:], *per, "same")
            if not are_known(pads):
                return _pool_padded(functions[rank], options, x, pool_size, steps, for_pad(pads))
        before, uneven, extra = _pool_pads(x.shape[2:], pool_size, steps, padding)
        x = functions[rank](x, pool_size, steps, before, ceil_mode=uneven, **options)
        return x if extra is None else x[extra]

    return with_channels_first(inputs, data_format, run)


def _pool_padded(
    pool: Any, options: dict[str, Any], x: Tensor, pool_size: Sizes, steps: Sizes, pads: list[int]
) -> Tensor:
    """Pads, and pools without padding: by how much may not be known yet."""
    none = [0] * (x.dim() - 2)
    if pool is _MAX_POOL[x.dim() - 2]:
        limits = torch.finfo if x.dtype.is_floating_point else torch.iinfo
        return pool(F.pad(x, pads, value=limits(x.dtype).min), pool_size, steps, none)
    sums, counts = (
        pool(F.pad(t, pads), pool_size, steps, none, **options)
        for t in (x, torch.ones_like(x[:1, :1]))
    )
    return sums / counts
