"""Images of any library as pixels: uint8, channels last."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_fn.core.host_text import to_host_values
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import standardize_data_format


def to_pixels(
    images: Any,
    source: str,
    data_format: str | None = None,
    value_range: tuple[float, float] | None = None,
) -> np.ndarray:
    """Returns a batch of images as a new array of bytes.

    Args:
        images: An array or a tensor of any framework, of rank 4, with 1, 3 or 4 channels.
        source: The caller, for errors.
        data_format: The axis of the channels: `"channels_last"` or `"channels_first"`; None for
            that of the config.
        value_range: The values of black and white. By default 0 and 255, and 0 and 1 for floats
            that are at most 1.

    Returns:
        An array of shape `(batch, height, width, channels)`.

    Raises:
        SpecError: The images have another rank or number of channels, or the range is empty.
    """
    array = np.asarray(to_host_values(images))
    if standardize_data_format(data_format) == "channels_first" and array.ndim == 4:
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4):
        raise SpecError(
            source,
            expected="images: a batch of shape (batch, height, width, channels), with 1, 3 or 4 "
            "channels",
            received=f"shape {np.shape(images)}, data_format={data_format!r}",
            fix="add a batch axis with images[None]; set data_format= for channels first",
        )
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    black, white = _check_range(array, source, value_range)
    if array.dtype == np.uint8 and (black, white) == (0, 255):
        return array.copy()
    array = (array.astype(np.float32) - black) * (255 / (white - black))
    return np.rint(np.clip(np.nan_to_num(array), 0, 255)).astype(np.uint8)


def _check_range(array: np.ndarray, source: str, value_range: Any) -> tuple[float, float]:
    if value_range is None:
        is_unit = array.dtype.kind in "fV" and array.size > 0 and array.max() <= 1
        return 0, 1 if is_unit else 255
    values = tuple(value_range) if isinstance(value_range, (list, tuple)) else ()
    if len(values) != 2 or not values[0] < values[1]:
        raise SpecError(
            source,
            expected="value_range: the smaller and the larger one of two numbers",
            received=f"value_range={value_range!r}",
            fix="for example value_range=(0, 1)",
        )
    return values


def to_layout(pixels: np.ndarray, data_format: str | None) -> np.ndarray:
    """Returns images of `to_pixels` with the channels on the axis of a data format.

    Args:
        pixels: The images.
        data_format: The data format; None for that of the config.
    """
    is_first = standardize_data_format(data_format) == "channels_first"
    return pixels.transpose(0, 3, 1, 2) if is_first else pixels


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """Returns gray images of `to_pixels` as images of three channels, and others as they are."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def check_mapping(mapping: Any, source: str, argument: str) -> Mapping[int, Any]:
    """Returns a dict with a value for each class, empty for None.

    Args:
        mapping: The dict.
        source: The caller, for errors.
        argument: The name of the argument.

    Raises:
        DTypeError: It is not a dict.
    """
    if mapping is None or isinstance(mapping, Mapping):
        return mapping or {}
    raise DTypeError(
        source,
        expected=f"{argument}: a dict by class index",
        received=f"{argument}={mapping!r:.100}",
        fix=f"for a list: {argument}=dict(enumerate(values))",
    )


def check_color(color: Any, source: str, argument: str) -> tuple[int, int, int]:
    """Returns a color as red, green and blue.

    Args:
        color: The color.
        source: The caller, for errors.
        argument: The name of the argument.

    Raises:
        SpecError: It is not three integers from 0 to 255.
    """
    values = tuple(np.ravel(to_host_values(color)).tolist())
    if len(values) == 3 and all(v in range(256) for v in values):
        return tuple(map(int, values))  # pyright: ignore[reportReturnType]
    raise SpecError(
        source,
        expected=f"{argument}: red, green and blue, from 0 to 255",
        received=f"{argument}={color!r}",
        fix=f"for example {argument}=(255, 0, 0)",
    )
