"""Fake quantization: rounds floats to the values that integers of some bits can hold."""

from __future__ import annotations

from keras_fn.core.argument_forms import COUNT, FLAG, ArgumentForm, check_arguments
from keras_fn.core.dtypes import result_type
from keras_fn.errors import SpecError
from keras_fn.ops._op import op
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.arithmetic import add, clip, divide, multiply, negative, subtract
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.core import cast, dtype
from keras_fn.ops.logic import equal, greater, less, where
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import floor, round
from keras_fn.types import Tensor, TensorLike

_FORMS = {
    "num_bits": COUNT,
    "narrow_range": FLAG,
    "axis": ArgumentForm((type(None), int), "an axis or None", "-1"),
}


@op
def fake_quant_with_min_max_vars(
    inputs: TensorLike,
    min_vals: TensorLike,
    max_vals: TensorLike,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Tensor:
    """Fake quantization, for quantization-aware training: rounds to the values of `num_bits` bits.

    The range from `min_vals` to `max_vals` is shifted a little, so that 0 is one of the values.
    Gradients pass where the inputs are in the range. Elsewhere they go to the end of the range, so
    that it can be trained.

    Args:
        inputs: Tensor of floats, of any shape.
        min_vals: The low end of the range: a scalar, or one for each channel of `axis`.
        max_vals: The high end of the range, of the same shape.
        num_bits: The number of bits of a value.
        narrow_range: Whether the lowest of the values is left out, so that their number is odd.
        axis: The axis of channels, None for one range for all inputs.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        TypeError: An argument has another type.
        ValueError: The bits are too few for a range, or there is no such axis.

    Example:
        >>> x = keras.quantizers.fake_quant_with_min_max_vars(
        ...     [-0.4, 0.1, 0.6, 9.0], 0.0, 1.5, num_bits=2
        ... )
        >>> print(convert_to_numpy(x))
        [0.  0.  0.5 1.5]

    References:
        Jacob et al., "Quantization and Training of Neural Networks for Efficient
        Integer-Arithmetic-Only Inference", 2017. https://arxiv.org/abs/1712.05877
    """
    source = "fake_quant_with_min_max_vars"
    arguments = {"num_bits": num_bits, "narrow_range": narrow_range, "axis": axis}
    check_arguments(source, _FORMS, arguments)
    lowest, highest = int(narrow_range), (1 << num_bits) - 1
    if lowest >= highest:
        raise SpecError(
            source,
            expected="num_bits of 2 or more for a narrow range",
            received=f"num_bits={num_bits}, narrow_range={narrow_range}",
            fix="use more bits",
        )
    low, high = _ends(inputs, min_vals, max_vals, axis)
    x = cast(inputs, result_type(dtype(inputs), dtype(low)))

    width = subtract(high, low)
    is_empty = equal(width, 0)
    scale = divide(width, highest - lowest)
    inverse = where(is_empty, 0, divide(highest - lowest, where(is_empty, 1, width)))
    zero_point = subtract(lowest, divide(low, where(is_empty, 1, scale)))
    zero_point = round(clip(zero_point, lowest, highest))
    nudged_low = multiply(subtract(lowest, zero_point), scale)
    nudged_high = multiply(subtract(highest, zero_point), scale)

    is_below, is_above = less(x, nudged_low), greater(x, nudged_high)
    clamped = where(is_above, high, where(is_below, low, x))
    nearest = where(is_above, nudged_high, where(is_below, nudged_low, x))
    shifted = multiply(subtract(nearest, nudged_low), inverse)
    quantized_zero = floor(add(multiply(negative(nudged_low), inverse), 0.5))
    levels = floor(add(subtract(shifted, quantized_zero), 0.5))
    # The gradient of `clamped` at the value of the rounded tensor: the difference is exactly 0.
    passed = subtract(clamped, stop_gradient(clamped))
    return cast(add(stop_gradient(multiply(levels, scale)), passed), dtype(inputs))


def _ends(
    inputs: TensorLike, min_vals: TensorLike, max_vals: TensorLike, axis: int | None
) -> tuple[Tensor, Tensor]:
    """Returns the ends of the range in at least float32, in a shape that broadcasts."""
    compute_dtype = result_type(dtype(min_vals), "float32")
    low, high = cast(min_vals, compute_dtype), cast(max_vals, compute_dtype)
    rank = len(inputs.shape)  # pyright: ignore[reportAttributeAccessIssue]
    if axis is None:
        shape = ()
    else:
        axis = normalize_axis(axis, rank, "fake_quant_with_min_max_vars")
        shape = (1,) * axis + (-1,) + (1,) * (rank - axis - 1)
    return reshape(low, shape), reshape(high, shape)
