"""Forms of the arguments that quantizers and quantization configs share."""

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.argument_forms import COUNT, FLAG, ArgumentForm, is_count
from keras_fn.errors import SpecError

ValueRange = tuple[float, float]
"""The lowest and the highest quantized value."""

VALUE_RANGE = ArgumentForm(
    (list, tuple),
    "the lowest and the highest quantized value",
    "(-127, 127)",
    lambda pair: len(pair) == 2 and pair[0] < pair[1],
)
GROUP_SIZE = ArgumentForm(
    (int,), "a positive integer, or -1 for all weights", "128", lambda n: n == -1 or is_count(n)
)

CALIBRATION = {
    "num_samples": COUNT,
    "sequence_length": COUNT,
    "group_size": GROUP_SIZE,
    "per_channel": FLAG,
    "symmetric": FLAG,
    "activation_order": FLAG,
    "num_grid_points": COUNT,
}
"""The forms of the arguments of configs of methods that calibrate with data."""


def check_range_fits(source: str, value_range: ValueRange, dtype: str) -> None:
    """Checks that an integer dtype holds a range.

    Args:
        source: What takes the arguments, for errors.
        value_range: The lowest and the highest value.
        dtype: The dtype by name. One of floats holds any range.

    Raises:
        SpecError: It does not.
    """
    if dtype not in dtypes.INTS:
        return
    limits = np.iinfo(dtype)
    if value_range[0] < limits.min or value_range[1] > limits.max:
        raise SpecError(
            source,
            expected=f"value_range within ({limits.min}, {limits.max}), the values of {dtype}",
            received=f"value_range={tuple(value_range)}",
            fix="choose a smaller range, or another dtype",
        )
