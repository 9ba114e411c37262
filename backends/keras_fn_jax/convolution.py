"""Convolutions."""

from threading import local

import jax
import jax.numpy as jnp
from jax import lax

from keras_fn.backend.conv_geometry import Sizes, per_axis, transposed_window
from keras_fn_jax.data_format import SPATIAL_LETTERS, check_window_fits, dimension_numbers
from keras_fn_jax.op_jit import compile_op


class SlowInLoopError(Exception):
    """A convolution is traced for a loop that runs on the CPU."""


class _Loops(local):
    """What the loops of a thread refuse.

    Attributes:
        refuse_convolutions: Whether a loop is being traced in which they would be slow: its trace
            is given up at the first one.
    """

    refuse_convolutions = False


loops = _Loops()


@compile_op
def conv(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> jax.Array:
    """`lax.conv_general_dilated`; the groups follow from the kernel's shape."""
    if loops.refuse_convolutions:
        raise SlowInLoopError
    rank = inputs.ndim - 2
    layouts = dimension_numbers(rank, data_format)
    channels = inputs.shape[layouts[0].index("C")]
    result = lax.conv_general_dilated(
        inputs,
        kernel,
        per_axis(strides, rank),
        padding.upper(),
        rhs_dilation=per_axis(dilation_rate, rank),
        dimension_numbers=layouts,
        feature_group_count=channels // kernel.shape[-2],
    )
    return check_window_fits(inputs, result)


@compile_op
def conv_transpose(
    inputs: jax.Array,
    kernel: jax.Array,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> jax.Array:
    """Convolution of the dilated inputs with the flipped kernel."""
    if loops.refuse_convolutions:
        raise SlowInLoopError
    rank = inputs.ndim - 2
    space = SPATIAL_LETTERS[rank]
    layout = dimension_numbers(rank, data_format)[0]
    return lax.conv_general_dilated(
        inputs,
        jnp.flip(kernel, tuple(range(rank))),
        (1,) * rank,
        transposed_window(kernel.shape[:-2], strides, padding, output_padding, dilation_rate),
        lhs_dilation=per_axis(strides, rank),
        rhs_dilation=per_axis(dilation_rate, rank),
        dimension_numbers=(layout, f"{space}OI", layout),
    )
