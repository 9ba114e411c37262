"""Data format of windowed ops: computed with channels last."""

from typing import Any

import numpy as np

from keras_fn.settings import standardize_data_format


def to_channels_last(x: Any, data_format: str | None) -> Any:
    return x if standardize_data_format(data_format) == "channels_last" else np.moveaxis(x, 1, -1)


def from_channels_last(x: Any, data_format: str | None) -> Any:
    return x if standardize_data_format(data_format) == "channels_last" else np.moveaxis(x, -1, 1)
