"""Cases of image patches."""

from functools import partial
from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import Case, Refusal, case, refusal, tensor
from keras_fn.testing.conformance.table.image._cases import _IMAGE, _LAST, _VECTOR, FORMATS, layouts


def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    spatial: int = 2,
) -> Any:
    """Patch by patch."""
    spatial = spatial if isinstance(size, int) else len(size)
    window, steps, holes = (
        (n,) * spatial if isinstance(n, int) else n for n in (size, strides or size, dilation_rate)
    )
    first = data_format == "channels_first"
    x = images if images.ndim == spatial + 2 else images[None]
    x = np.moveaxis(x, 1, -1) if first else x
    reach = [(k - 1) * d + 1 for k, d in zip(window, holes, strict=True)]
    if padding == "same":
        widths = [(0, 0)]
        for n, r, s in zip(x.shape[1:-1], reach, steps, strict=True):
            more = max((-(-n // s) - 1) * s + r - n, 0)
            widths.append((more // 2, more - more // 2))
        x = np.pad(x, [*widths, (0, 0)])
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, steps, strict=True)]
    result = np.zeros((x.shape[0], *counts, int(np.prod(window)) * x.shape[-1]), x.dtype)
    for place in np.ndindex(*counts):
        cut = tuple(
            slice(p * s, p * s + r, d)
            for p, s, r, d in zip(place, steps, reach, holes, strict=True)
        )
        result[(slice(None), *place)] = x[(slice(None), *cut)].reshape(x.shape[0], -1)
    result = np.moveaxis(result, -1, 1) if first else result
    return result if images.ndim == spatial + 2 else result[0]


CASES: list[Case] = [
    *(
        c
        for size, strides, dilation, padding in (
            (2, None, 1, "valid"),
            ((2, 1), 1, 1, "same"),
            ((1, 3), (2, 3), 1, "same"),
            (2, (1, 2), 2, "valid"),
            (3, 2, 2, "same"),
        )
        for c in layouts(
            "image.extract_patches",
            size,
            strides,
            dilation,
            padding,
            min_size=3,
            ref=extract_patches,
        )
    ),
    *(
        case(
            "image.extract_patches_3d",
            tensor(shape),
            size,
            strides,
            dilation,
            padding,
            min_size=3,
            data_format=f,
            ref=partial(extract_patches, spatial=3),
            dtypes=("float32", "int32"),
        )
        for size, strides, dilation, padding in (
            (2, None, 1, "valid"),
            ((1, 2, 3), 2, 1, "same"),
            ((2, 1, 2), (1, 2, 1), 2, "valid"),
        )
        for shape, f in (("n d h w c", FORMATS[0]), ("c d h w", FORMATS[1]))
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
        for name, args, options in (("extract_patches", (2,), {}),)
    ),
    *(
        refusal(
            f"image.{name}", _IMAGE, match=f"ops.image.{name}\n.*{expected}", **options, **_LAST
        )
        for name, expected, options in (
            ("extract_patches", "a size for two axes", {"size": (1,)}),
            ("extract_patches", "a volume .rank 4", {"size": (1, 1, 1)}),
            ("extract_patches", "padding: 'valid'", {"size": 1, "padding": "full"}),
            ("extract_patches", "of 1 or more for 2 axes", {"size": 1, "strides": (1,)}),
            ("extract_patches", "sizes that hold a window", {"size": 3}),
            ("extract_patches_3d", "a size for three axes", {"size": (1, 1)}),
        )
    ),
]
