"""Absolute-maximum quantization, and its grouped form with zero points."""

from types import ModuleType
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.argument_forms import AXES, COUNT, FLAG, NOT_NEGATIVE, check_arguments
from keras_fn.core.dtypes import result_type, standardize_dtype
from keras_fn.errors import SpecError
from keras_fn.quantizers._arguments import VALUE_RANGE, ValueRange, check_range_fits
from keras_fn.quantizers.affine import compute_quantization_parameters
from keras_fn.types import Axis, DTypeLike, Tensor, TensorLike

FORMS = {
    "axis": AXES,
    "block_size": COUNT,
    "value_range": VALUE_RANGE,
    "epsilon": NOT_NEGATIVE,
    "to_numpy": FLAG,
}


def abs_max_quantize(
    inputs: TensorLike,
    axis: Axis,
    value_range: ValueRange = (-127, 127),
    dtype: DTypeLike = "int8",
    epsilon: float = 1e-07,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor]:
    """Absolute-maximum quantization: the largest absolute value becomes the end of the range.

    Computes `scale = value_range[1] / (max(abs(inputs)) + epsilon)` along the axes, and
    `round(inputs * scale)`, clipped to the range. Divide by the scale to dequantize.

    Args:
        inputs: Tensor of floats, of any shape.
        axis: The axes of the maximum, whose values share a scale; None for all of them.
        value_range: The lowest and the highest quantized value.
        dtype: The dtype of the quantized tensor.
        epsilon: Added to the maximum, so that a scale is finite.
        to_numpy: Whether to compute in NumPy, on the host, to save memory on the device.

    Returns:
        The quantized tensor, of the shape of `inputs`, and the scale, in floats of its dtype, with
        size 1 along `axis`.

    Raises:
        TypeError: An argument has another type.
        ValueError: The range is empty, or leaves that of `dtype`.

    Example:
        >>> quantized, scale = keras.quantizers.abs_max_quantize([[0.5, -2.0]], axis=-1)
        >>> print(convert_to_numpy(quantized), convert_to_numpy(scale))
        [[  32 -127]] [[63.5]]
    """
    arguments = {"axis": axis, "value_range": value_range, "epsilon": epsilon, "to_numpy": to_numpy}
    check_arguments("abs_max_quantize", FORMS, arguments)
    name = standardize_dtype(dtype)
    check_range_fits("abs_max_quantize", value_range, name)
    x, xp = _operand(inputs, to_numpy)
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    maximum = xp.max(xp.abs(x), axis=axes, keepdims=True)
    scale = xp.divide(value_range[1], xp.add(maximum, epsilon))
    scale = _cast(scale, standardize_dtype(x.dtype))
    outputs = xp.clip(xp.round(x * scale), value_range[0], value_range[1])
    return ops.convert_to_tensor(_cast(outputs, name)), ops.convert_to_tensor(scale)


def abs_max_quantize_grouped_with_zero_point(
    inputs: TensorLike,
    block_size: int,
    value_range: ValueRange = (-8, 7),
    dtype: DTypeLike = "int8",
    epsilon: float = 1e-07,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Grouped asymmetric quantization: a scale and a zero point for each block of rows and column.

    The values of a block, and 0, fill the whole range. Dequantize with
    `scale * (quantized - zero_point)`, where the rows of a block share both.

    Args:
        inputs: Matrix of floats, of shape (rows, columns): a kernel, with an output channel in each
            column.
        block_size: Number of rows of a block. The last block may be shorter.
        value_range: The lowest and the highest quantized value.
        dtype: The dtype of the quantized matrix.
        epsilon: Added to the width of the range of a block.
        to_numpy: Whether to compute in NumPy, on the host, to save memory on the device.

    Returns:
        The quantized matrix, of the shape of `inputs`; the scales, of its dtype, and the zero
        points, of int8, both of shape (blocks, columns).

    Raises:
        TypeError: An argument has another type.
        ValueError: `inputs` is not a matrix of known size, or the range does not fit the dtype.

    Example:
        >>> quantized, scale, zero_point = (
        ...     keras.quantizers.abs_max_quantize_grouped_with_zero_point([[0.0], [1.5]], 2)
        ... )
        >>> print(convert_to_numpy(quantized).T, convert_to_numpy(zero_point))
        [[-8  7]] [[-8]]
    """
    source = "abs_max_quantize_grouped_with_zero_point"
    arguments = {
        "block_size": block_size,
        "value_range": value_range,
        "epsilon": epsilon,
        "to_numpy": to_numpy,
    }
    check_arguments(source, FORMS, arguments)
    name = standardize_dtype(dtype)
    for stored in (name, "int8"):
        check_range_fits(source, value_range, stored)
    x, xp = _operand(inputs, to_numpy)
    if len(x.shape) != 2 or None in x.shape:
        raise SpecError(
            source,
            expected="a matrix (rows, columns) of known size",
            received=f"shape {tuple(x.shape)}",
            fix="reshape the kernel to (inputs, outputs)",
        )
    rows, columns = map(int, x.shape)
    scale, zero_point = compute_quantization_parameters(
        xp.transpose(x), value_range, group_size=block_size, epsilon=epsilon, xp=xp
    )
    scale, zero_point = xp.transpose(scale), xp.transpose(zero_point)
    blocks = int(scale.shape[0])
    padded = xp.pad(x, [[0, blocks * block_size - rows], [0, 0]])
    blocked = xp.reshape(padded, (blocks, block_size, columns))
    shifted = xp.round(blocked / scale[:, None]) + zero_point[:, None]
    clipped = xp.clip(shifted, value_range[0], value_range[1])
    outputs = xp.reshape(_cast(clipped, name), (blocks * block_size, columns))[:rows]
    zero_point = _cast(zero_point, "int8")
    return tuple(map(ops.convert_to_tensor, (outputs, scale, zero_point)))  # pyright: ignore


def _operand(inputs: TensorLike, to_numpy: bool) -> tuple[Any, ModuleType]:
    """Returns the operand in floats, and the functions to compute with: NumPy's, or the ops."""
    x = ops.convert_to_tensor(inputs)
    x = _cast(x, result_type(x.dtype, float))  # the scale of integers is a fraction
    return (ops.convert_to_numpy(x), np) if to_numpy else (x, ops)


def _cast(x: Any, dtype: str) -> Any:
    return x.astype(dtype) if isinstance(x, np.ndarray) else ops.cast(x, dtype)
