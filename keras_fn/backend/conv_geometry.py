"""Geometry of convolution windows, shared by rules and backends."""

from collections.abc import Sequence

from keras_fn.errors import check_choice

Sizes = int | Sequence[int]


def per_axis(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Returns one number for each of `rank` spatial axes: the same for all, or those given."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def standardize_padding(padding: str, source: str = "ops") -> str:
    """Returns `"valid"` or `"same"`, checked. Capitals are taken, too.

    Args:
        padding: The argument.
        source: Name of the op, for errors.

    Raises:
        ValueError: It is another word.
    """
    return _PADDINGS.get(padding) or check_choice(source, "padding", padding, ("valid", "same"))


_PADDINGS = {"valid": "valid", "same": "same", "VALID": "valid", "SAME": "same"}


def same_padding(size: int, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Returns the padding before and after an axis that yields `ceil(size / stride)` windows."""
    reach = (window - 1) * dilation + 1
    total = reach - 1  # with stride 1, whatever the size, which may be a symbol
    if stride != 1:
        # Not `-(-size // stride)`: where a size is a symbol, exporters may round to 0.
        windows = (size + stride - 1) // stride
        total = (windows - 1) * stride + reach - size
        if reach < stride:  # otherwise it is never negative, and exporters need not ask
            total = max(total, 0)
    return total // 2, total - total // 2


def transpose_padding(
    window: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """Returns (crop before, output size minus `(n - 1) * stride`) of a transposed convolution.

    The full output has `(n - 1) * stride + reach` elements; "same" keeps `n * stride` of them,
    cropped as the forward convolution of that size would have been padded.
    """
    reach = (window - 1) * dilation + 1
    if standardize_padding(padding) == "valid":
        if output_padding is None:
            return 0, max(reach, stride)
        return 0, reach + output_padding
    if output_padding is None:
        return max(reach - stride, 0) // 2, stride
    tail = reach - 2 * (reach // 2) + output_padding
    return max(reach - tail, 0) // 2, tail


def transposed_window(
    window: Sequence[int],
    strides: Sizes,
    padding: str,
    output_padding: Sizes | None,
    dilation_rate: Sizes,
) -> list[tuple[int, int]]:
    """Returns the padding of the standard convolution that equals a transposed convolution.

    That convolution takes the input with `stride - 1` zeros between its elements, and the flipped
    kernel. The padding, a pair (before, after) for each axis, may be negative.
    """
    rank = len(window)
    extra = (None,) * rank if output_padding is None else per_axis(output_padding, rank)
    pads = []
    axes = zip(window, per_axis(strides, rank), per_axis(dilation_rate, rank), extra, strict=True)
    for k, stride, dilation, more in axes:
        crop, tail = transpose_padding(k, stride, dilation, padding, more)
        reach = (k - 1) * dilation + 1
        before = reach - 1 - crop
        pads.append((before, tail + reach - 2 - before))
    return pads
