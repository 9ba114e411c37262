"""Cases of resizing images."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import (
    FLOATS,
    NUMBERS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)
from keras_fn.testing.conformance.table.image._cases import (
    _IMAGE,
    _LAST,
    _VECTOR,
    as_pixels,
    by_image,
    images,
    layouts,
)

KERNELS = {
    "bilinear": lambda x: np.maximum(1 - x, 0),
    "bicubic": lambda x: np.where(
        x < 1,
        1.5 * x**3 - 2.5 * x**2 + 1,
        np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0),
    ),
    "lanczos3": lambda x: np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0),
    "lanczos5": lambda x: np.where(x < 5, np.sinc(x) * np.sinc(x / 5), 0),
}


def stretched(
    x: Any, axis: int, target: int, scale: Any, shift: Any, method: str, anti: Any
) -> Any:
    """Each place as a weighted mean of the elements around it."""
    x, size, places = np.moveaxis(x, axis, 0), x.shape[axis], []
    for i in range(target):
        center = (i + 0.5 - shift) / scale - 0.5
        wide = max(1 / scale, 1) if anti else 1
        w = KERNELS[method](np.abs(np.arange(size) - center) / wide)
        seen = -0.5 <= center <= size - 0.5 and abs(w.sum()) > 1e-4
        places.append(np.tensordot(w / w.sum() if seen else 0 * w, x, 1))
    return np.moveaxis(np.array(places), 0, axis)


@by_image
def resize(
    image: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> Any:
    """Cut or pad, then each axis by itself."""
    x = image.astype("float64")
    height, width = x.shape[:2]
    if crop_to_aspect_ratio:
        h = max(min(height, width * size[0] // size[1]), 1)
        w = max(min(width, height * size[1] // size[0]), 1)
        top, left = (height - h) // 2, (width - w) // 2
        x = x[top : top + h, left : left + w]
    if pad_to_aspect_ratio:
        rows = max(width * size[0] // size[1] - height, 0) // 2
        columns = max(height * size[1] // size[0] - width, 0) // 2
        widths = [(rows, rows), (columns, columns), (0, 0)]
        x = np.pad(x, widths, constant_values=fill_value)
    for axis, target in enumerate(size):
        n = x.shape[axis]
        if interpolation == "nearest":
            x = np.take(x, [int((i + 0.5) * n / target + 1e-9) for i in range(target)], axis)
        elif n != target:
            x = stretched(x, axis, target, target / n, 0, interpolation, antialias)
    return as_pixels(x, image)


def scale_and_translate(
    x: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Any:
    """Axis by axis."""
    names = {"linear": "bilinear", "trilinear": "bilinear", "cubic": "bicubic"}
    result = x
    for axis, s, t in zip(spatial_dims, scale, translation, strict=True):
        result = stretched(
            result, axis, output_shape[axis], s, t, names.get(method, method), antialias
        )
    return as_pixels(result, x)


CASES: list[Case] = [
    # Sizes
    *(
        c
        for method in ("nearest", *KERNELS)
        for c in layouts(
            "image.resize",
            OneOf([(1, 1), (2, 5), (7, 3), (4, 4)]),
            ref=resize,
            interpolation=method,
            antialias=OneOf([False, True]),
            dtypes=NUMBERS if method == "nearest" else FLOATS,
        )
    ),
    *layouts(
        "image.resize",
        OneOf([(2, 5), (7, 3), (2, 2)]),
        ref=resize,
        crop_to_aspect_ratio=True,
        dtypes=("float32",),
    ),
    *layouts(
        "image.resize",
        OneOf([(2, 5), (7, 3), (2, 2)]),
        ref=resize,
        interpolation="bicubic",
        pad_to_aspect_ratio=True,
        fill_value=OneOf([0.0, 2.0]),
        dtypes=("float32",),
    ),
    # Integers whose places are far from halves, and beyond the range of bytes.
    case(
        "image.resize",
        array([[[0], [5], [10], [-15]]]),
        (1, 8),
        ref=resize,
        dtypes=("int32", "int8"),
        data_format="channels_last",
        interpolation=OneOf(["bilinear", "nearest"]),
    ),
    case(
        "image.resize",
        array([[[0], [255], [255], [0]]]),
        (1, 8),
        dtypes=("uint8",),
        ref=lambda *a, **k: resize(*a, **k).clip(0, 255),
        data_format="channels_last",
        interpolation=OneOf(["bicubic", "lanczos3", "lanczos5"]),
    ),
    case(
        "image.resize",
        images(),
        (3, 5),
        ref=resize,
        interpolation="nearest",
        pad_to_aspect_ratio=True,
        data_format="channels_last",
        dtypes=("uint8",),
        min_size=1,
    ),
    *(
        case(
            "image.scale_and_translate",
            tensor("2 a b", static_shape=True),
            (2, 5, 3),
            tensor("2", low=0.4, high=2.5, dtype="float32"),
            tensor("2", dtype="float32"),
            (1, 2),
            method,
            antialias,
            ref=scale_and_translate,
            min_size=2,
            dtypes=("float32", "bfloat16", "int32"),
        )
        for method, antialias in (
            ("linear", True),
            ("trilinear", False),
            ("cubic", True),
            ("bicubic", False),
            ("lanczos3", True),
            ("lanczos5", False),
        )
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
        for name, args, options in (("resize", ((2, 2),), {}),)
    ),
    *(
        refusal("image.resize", _IMAGE, size, match=f"ops.image.resize\n.*{expected}", **options)
        for size, expected, options in (
            ((2, 2), "interpolation: 'nearest'", {"interpolation": "area"}),
            ((2, 2), "fill_mode: 'constant'", {"fill_mode": "wrap"}),
            ((2,), "a size .height, width.", {}),
            ((0, 2), "a size .height, width.", {}),
            (
                (2, 2),
                "crop_to_aspect_ratio or pad_to_aspect_ratio",
                {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
            ),
        )
    ),
    *(
        refusal(
            "image.scale_and_translate",
            _VECTOR,
            shape,
            array(scale),
            array(shift),
            dims,
            method,
            match=f"ops.image.scale_and_translate\n.*{expected}",
        )
        for shape, scale, shift, dims, method, expected in (
            ((3,), [1.0], [0.0], (0,), "nearest", "method: 'linear'"),
            ((3,), [1.0], [0.0], (1,), "linear", "an axis from"),
            ((3, 1), [1.0], [0.0], (0,), "linear", "an output_shape equal"),
            ((3,), [1.0, 2.0], [0.0], (0,), "linear", "a scale of shape"),
            ((3,), [1.0], [0.0, 2.0], (0,), "linear", "a translation of shape"),
            ((3,), [1.0, 1.0], [0.0, 2.0], (0, 0), "linear", "each axis once"),
        )
    ),
]
