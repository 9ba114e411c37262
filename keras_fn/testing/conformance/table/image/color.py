"""Cases of color spaces."""

import colorsys
from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import FLOATS, NUMBERS, Case, Refusal, array, case, refusal
from keras_fn.testing.conformance.table.image._cases import (
    _LAST,
    _UNIT,
    _VECTOR,
    by_image,
    images,
    layouts,
)


def per_pixel(function: Any) -> Any:
    """A function of three numbers as one of images."""
    return by_image(lambda image: np.apply_along_axis(lambda p: function(*p), -1, image))


def grayscale(image: Any) -> Any:
    """Images of one channel stay."""
    if image.shape[-1] == 1:
        return image
    result = image @ np.array([0.2989, 0.587, 0.114])
    return np.trunc(result + 1e-9)[..., None] if image.dtype.kind in "iu" else result[..., None]


CASES: list[Case] = [
    *layouts("image.rgb_to_grayscale", ref=by_image(grayscale), channels="3", dtypes=NUMBERS),
    case(
        "image.rgb_to_grayscale",
        images(channels="1"),
        ref=by_image(grayscale),
        data_format="channels_last",
        dtypes=NUMBERS,
        min_size=1,
    ),
    *layouts(
        "image.rgb_to_hsv",
        ref=per_pixel(colorsys.rgb_to_hsv),
        channels="3",
        dtypes=FLOATS,
        draw=_UNIT,
    ),
    case(
        "image.rgb_to_hsv",
        array([[[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.0]]]),
        ref=per_pixel(colorsys.rgb_to_hsv),
        data_format="channels_last",
        dtypes=FLOATS,
    ),
    *layouts(
        "image.hsv_to_rgb",
        ref=per_pixel(colorsys.hsv_to_rgb),
        channels="3",
        dtypes=FLOATS,
        draw=_UNIT,
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(
            f"image.{name}",
            _VECTOR,
            *args,
            match=f"ops.image.{name}\n.*an image .rank 3",
            **options,
            **_LAST,
        )
        for name, args, options in (
            ("rgb_to_grayscale", (), {}),
            ("rgb_to_hsv", (), {}),
            ("hsv_to_rgb", (), {}),
        )
    ),
    *(
        refusal(
            f"image.{name}",
            array(np.ones((2, 2, 4))),
            match=f"ops.image.{name}\n.*3 channels",
            **_LAST,
        )
        for name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb")
    ),
    *(
        refusal(
            f"image.{name}",
            array(np.ones((2, 2, 3), "int32")),
            error=TypeError,
            match=f"ops.image.{name}\n.*images of floats",
            **_LAST,
        )
        for name in ("rgb_to_hsv", "hsv_to_rgb")
    ),
]
