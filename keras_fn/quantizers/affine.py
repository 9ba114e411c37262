"""Affine quantization: integers, with a scale and a zero point for each group of weights.

A weight is `scale * (q - zero_point)`. The rows of a matrix are the output channels, and the groups
are runs of columns; `group_index` says for each column in which group it is.
"""

from types import ModuleType
from typing import Any

from keras_fn import ops
from keras_fn.quantizers._arguments import ValueRange
from keras_fn.types import Tensor

_EMPTY_SCALE = 1e-8  # of a group whose scale rounds to 0


def compute_quantization_parameters(
    x: Any,
    value_range: ValueRange,
    *,
    symmetric: bool = False,
    per_channel: bool = True,
    group_size: int = -1,
    epsilon: float = 0.0,
    xp: ModuleType = ops,
) -> tuple[Any, Any]:
    """Returns the scales and zero points with which the values of a matrix fill an integer range.

    The range of a group always includes 0, so that 0 stays 0 and the zero point is one of the
    integers.

    Args:
        x: The matrix, of shape (rows, columns): a tensor, or an array if `xp` is NumPy.
        value_range: The lowest and the highest integer.
        symmetric: Whether the range is symmetric, with one zero point for all groups.
        per_channel: Whether each row has scales of its own.
        group_size: The number of columns that share a scale, if `per_channel`; -1 for all.
        epsilon: Added to the width of each range.
        xp: The functions to compute with: `ops`, or NumPy on the host.

    Returns:
        The scales, of the dtype of `x`, and the zero points, as floats of that dtype, both of
        shape (rows, groups).
    """
    rows, columns = int(x.shape[0]), int(x.shape[1])
    groups = -(-columns // group_size) if per_channel and group_size > 0 else 1
    lowest, highest = value_range
    steps = highest - lowest
    if groups > 1:
        x = xp.pad(x, [[0, 0], [0, groups * group_size - columns]])
    grouped = xp.reshape(x, (rows if per_channel else 1, groups, -1))
    minimum = xp.minimum(xp.min(grouped, axis=2), 0)
    maximum = xp.maximum(xp.max(grouped, axis=2), 0)
    if symmetric:
        maximum = xp.maximum(-minimum, maximum)
        minimum = -maximum
    is_zero = xp.equal(minimum, maximum)  # all weights are 0: any scale does
    minimum = xp.where(is_zero, minimum - 1, minimum)
    maximum = xp.where(is_zero, maximum + 1, maximum)
    scale = (maximum - minimum + epsilon) / steps
    scale = xp.where(scale <= 0, xp.full_like(scale, _EMPTY_SCALE), scale)
    if symmetric:
        zero_point = xp.full_like(scale, (steps + 1) / 2 + lowest)
    else:
        zero_point = xp.round(-minimum / scale) + lowest
    zero_point = xp.clip(zero_point, lowest, highest)
    if not per_channel:
        scale, zero_point = xp.tile(scale, (rows, 1)), xp.tile(zero_point, (rows, 1))
    return scale, zero_point


def quantize_affine(
    x: Tensor, scale: Tensor, zero_point: Tensor, value_range: ValueRange
) -> Tensor:
    """Quantizes a tensor: `round(x / scale + zero_point)`, clipped to the range.

    Args:
        x: The tensor.
        scale: The scales, which broadcast with `x`.
        zero_point: The zero points, which broadcast with `x`.
        value_range: The lowest and the highest integer.

    Returns:
        The integers, as floats of the dtype of `x`.
    """
    shifted = ops.add(ops.divide(x, scale), ops.cast(zero_point, ops.dtype(scale)))
    return ops.clip(ops.round(shifted), *value_range)


def dequantize_affine(quantized: Tensor, scale: Tensor, zero_point: Tensor) -> Tensor:
    """Dequantizes a tensor: `scale * (quantized - zero_point)`.

    Args:
        quantized: The integers, of any dtype.
        scale: The scales, which broadcast with `quantized`.
        zero_point: The zero points, which broadcast with `quantized`.

    Returns:
        A tensor of the dtype of `scale`.
    """
    dtype = ops.dtype(scale)
    return ops.multiply(
        scale, ops.subtract(ops.cast(quantized, dtype), ops.cast(zero_point, dtype))
    )


def gather_groups(parameters: Tensor, group_index: Tensor, axis: int = -1) -> Tensor:
    """Returns the scale or zero point of each weight along an axis.

    Args:
        parameters: One for each group along `axis`.
        group_index: The group of each weight along the axis, as numbers of any dtype.
        axis: The axis of the groups.
    """
    return ops.take(parameters, ops.cast(group_index, "int32"), axis=axis)
