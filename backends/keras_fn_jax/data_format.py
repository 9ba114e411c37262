"""Axis order of windowed ops: channels last and channels first."""

import jax

from keras_fn.settings import standardize_data_format

SPATIAL_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def dimension_numbers(rank: int, data_format: str | None) -> tuple[str, str, str]:
    space = SPATIAL_LETTERS[rank]
    channels_last = standardize_data_format(data_format) == "channels_last"
    inputs = f"N{space}C" if channels_last else f"NC{space}"
    return inputs, f"{space}IO", inputs


def check_window_fits(inputs: jax.Array, result: jax.Array) -> jax.Array:
    """Returns the result; raises if no window fits, where JAX returns an empty array."""
    if 0 in result.shape and 0 not in inputs.shape:
        raise ValueError(f"No window fits into {inputs.shape}.")
    return result
