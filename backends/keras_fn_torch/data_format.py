"""Data format and padding of windowed ops.

With channels last, only the order of the axes is permuted: the memory format is then what PyTorch
calls `torch.channels_last`, for which it has its fastest kernels, and nothing is copied.
"""

from collections.abc import Callable, Sequence

from keras_fn.backend.conv_geometry import same_padding
from keras_fn.settings import standardize_data_format
from keras_fn_torch.tensors import Tensor

# Permutations from channels last to channels first, and back.
TO_CHANNELS_FIRST = {rank: (0, rank + 1, *range(1, rank + 1)) for rank in (1, 2, 3)}

TO_CHANNELS_LAST = {rank: (0, *range(2, rank + 2), 1) for rank in (1, 2, 3)}

Pads = list[tuple[int, int]]


def with_channels_first(
    x: Tensor, data_format: str | None, function: Callable[[Tensor], Tensor]
) -> Tensor:
    """Applies a function of PyTorch, which expects `(batch, channels, *sizes)`."""
    if standardize_data_format(data_format) == "channels_first":
        return function(x)
    rank = x.dim() - 2
    return function(x.permute(TO_CHANNELS_FIRST[rank])).permute(TO_CHANNELS_LAST[rank])


def padding_pairs(
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


def are_known(pads: Pads) -> bool:
    """Returns whether padding is numbers: where `torch.export` traces it may depend on symbols."""
    return all(isinstance(n, int) for pair in pads for n in pair)


def for_pad(pads: Pads) -> list[int]:
    """Returns padding in the order of `F.pad`: from the last axis on."""
    return [n for pair in reversed(pads) for n in pair]
