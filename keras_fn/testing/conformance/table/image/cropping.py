"""Cases of cropping and padding images."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import Case, Refusal, refusal
from keras_fn.testing.conformance.table.image._cases import (
    _IMAGE,
    _LAST,
    _VECTOR,
    by_image,
    layouts,
)


@by_image
def crop_images(image: Any, rows: Any = None, columns: Any = None, **sides: Any) -> Any:
    """By slices."""
    parts = []
    for size, (a, b, n) in zip(image.shape, _three(sides, "cropping"), strict=False):
        start = size - b - n if a is None else a
        parts.append(slice(start, start + n if n is not None else size - b))
    return image[tuple(parts)]


@by_image
def pad_images(image: Any, **sides: Any) -> Any:
    """By `np.pad`."""
    widths = []
    for size, (a, b, n) in zip(image.shape, _three(sides, "padding"), strict=False):
        a = n - size - b if a is None else a
        widths.append((a, n - size - a if b is None else b))
    return np.pad(image, [*widths, (0, 0)])


def _three(sides: Any, kind: str) -> Any:
    names = (("top", "bottom", "height"), ("left", "right", "width"))
    return [
        (sides.get(f"{a}_{kind}"), sides.get(f"{b}_{kind}"), sides.get(f"target_{n}"))
        for a, b, n in names
    ]


_CROPS = {"top_cropping": 0, "bottom_cropping": 0, "left_cropping": 0, "right_cropping": 0}

_PADS = {"top_padding": 0, "bottom_padding": 0, "left_padding": 0, "right_padding": 0}

CASES: list[Case] = [
    # Cuts and patches
    *layouts(
        "image.crop_images",
        ref=crop_images,
        min_size=3,
        top_cropping=1,
        target_height=2,
        left_cropping=1,
        right_cropping=1,
    ),
    *layouts(
        "image.crop_images",
        ref=crop_images,
        min_size=3,
        bottom_cropping=1,
        target_height=2,
        target_width=1,
        right_cropping=0,
    ),
    *layouts(
        "image.pad_images",
        ref=pad_images,
        top_padding=1,
        bottom_padding=2,
        left_padding=1,
        target_width=7,
    ),
    *layouts(
        "image.pad_images",
        ref=pad_images,
        bottom_padding=1,
        target_height=6,
        right_padding=0,
        target_width=5,
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
            ("crop_images", (), _CROPS),
            ("pad_images", (), _PADS),
        )
    ),
    *(
        refusal(
            f"image.{name}", _IMAGE, match=f"ops.image.{name}\n.*{expected}", **options, **_LAST
        )
        for name, expected, options in (
            ("crop_images", "two of top_cropping", {**_CROPS, "target_height": 1}),
            ("crop_images", "two of left_cropping", {**_CROPS, "left_cropping": None}),
            ("crop_images", "numbers of 0 or more", {**_CROPS, "top_cropping": -1}),
            (
                "crop_images",
                "margins within a size of",
                {**_CROPS, "top_cropping": 2, "bottom_cropping": 1},
            ),
            (
                "crop_images",
                "margins within a size of",
                {**_CROPS, "top_cropping": None, "target_height": 3},
            ),
            ("pad_images", "two of top_padding", {**_PADS, "target_height": 1}),
            ("pad_images", "numbers of 0 or more", {**_PADS, "top_padding": -1}),
            (
                "pad_images",
                "a target of at least the size",
                {**_PADS, "top_padding": None, "target_height": 1},
            ),
        )
    ),
]
