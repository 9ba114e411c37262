"""8-bit floats with delayed scaling: the scale of a step follows from the last steps' maxima."""

import ml_dtypes

from keras_fn import ops
from keras_fn.core.argument_forms import NUMBER, check_arguments
from keras_fn.core.dtypes import FLOATS, standardize_dtype
from keras_fn.errors import check_choice
from keras_fn.types import DTypeLike, Tensor, TensorLike


def compute_float8_scale(
    amax: TensorLike, scale: TensorLike, dtype_max: TensorLike, margin: int = 0
) -> Tensor:
    """Delayed scaling: the scale at which a largest absolute value fills the range of a dtype.

    Args:
        amax: The largest absolute value of the last steps: a scalar, or a tensor of them.
        scale: The current scale, which is kept where `amax` is 0 or not finite.
        dtype_max: The largest value of the 8-bit dtype: a number, or a scalar tensor.
        margin: Number of powers of 2 that are left free.

    Returns:
        The new scale, by which values are divided before they are cast.

    Raises:
        TypeError: `margin` is not a number, or `dtype_max` neither a number nor a tensor.

    Example:
        >>> float(keras.quantizers.compute_float8_scale(2.0, 1.0, dtype_max=4.0))
        0.5

    References:
        Micikevicius et al., "FP8 Formats for Deep Learning", 2022.
        https://arxiv.org/abs/2209.05433
    """
    forms = {"margin": NUMBER}
    if not hasattr(dtype_max, "dtype"):
        forms["dtype_max"] = NUMBER
    check_arguments("compute_float8_scale", forms, {"dtype_max": dtype_max, "margin": margin})
    amax = ops.convert_to_tensor(amax)
    current = ops.reciprocal(scale)
    factor = ops.divide(ops.divide(dtype_max, amax), 2**margin)
    is_usable = ops.logical_and(ops.greater(amax, 0), ops.isfinite(amax))
    return ops.reciprocal(ops.where(is_usable, factor, current))


def compute_float8_amax_history(x: TensorLike, amax_history: TensorLike) -> Tensor:
    """Delayed scaling: the history of largest absolute values, with that of a tensor at index 0.

    Args:
        x: Tensor of any shape, of floats.
        amax_history: Tensor of shape (length,). It is rolled by one step to the left.

    Returns:
        The new history, of the shape and dtype of `amax_history`.

    Example:
        >>> history = keras.quantizers.compute_float8_amax_history([-3.0, 2.0], [1.0, 4.0])
        >>> print(convert_to_numpy(history))
        [3. 1.]
    """
    history = ops.roll(amax_history, shift=-1)
    amax = ops.cast(ops.max(ops.abs(x), initial=0), ops.dtype(history))
    return ops.scatter_update(history, [[0]], ops.reshape(amax, (1,)))


def quantize_and_dequantize(
    inputs: TensorLike, scale: TensorLike, quantized_dtype: DTypeLike, compute_dtype: DTypeLike
) -> Tensor:
    """Quantizes to a narrow float dtype and back: rounds as the narrow dtype does.

    Args:
        inputs: Tensor of any shape, of floats of `compute_dtype`.
        scale: The scale, by which values are divided before, and multiplied after. It broadcasts.
        quantized_dtype: The narrow dtype: `"float8_e4m3fn"`, `"float8_e5m2"`, or another float
            dtype. Larger values become its largest one.
        compute_dtype: The dtype of the result.

    Returns:
        A tensor of the shape of `inputs` and of `compute_dtype`.

    Raises:
        ValueError: One of the dtypes is not a float dtype.

    Example:
        >>> x = keras.quantizers.quantize_and_dequantize(
        ...     [0.3, 1000.0], 1.0, "float8_e4m3fn", "float32"
        ... )
        >>> print(convert_to_numpy(x))
        [3.125e-01 4.480e+02]
    """
    source = "quantize_and_dequantize"
    narrow = check_choice(source, "quantized_dtype", standardize_dtype(quantized_dtype), FLOATS)
    wide = check_choice(source, "compute_dtype", standardize_dtype(compute_dtype), FLOATS)
    largest = float(ml_dtypes.finfo(narrow).max)
    scale = ops.cast(scale, wide)
    x = ops.clip(ops.divide(inputs, scale), -largest, largest)
    return ops.multiply(ops.cast(ops.cast(x, narrow), wide), scale)
