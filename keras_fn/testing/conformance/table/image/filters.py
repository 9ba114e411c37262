"""Cases of image filters and similarity."""

from typing import Any

import numpy as np
from scipy import ndimage

from keras_fn.testing.conformance.case import Case, OneOf, Refusal, array, case, refusal, tensor
from keras_fn.testing.conformance.table.image._cases import (
    _IMAGE,
    _LAST,
    _UNIT,
    _VECTOR,
    FORMATS,
    as_pixels,
    by_image,
    images,
    layouts,
)


def bell(size: int, sigma: Any) -> Any:
    """A Gaussian with the sum 1."""
    x = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return x / x.sum()


@by_image
def gaussian_blur(image: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0)) -> Any:
    """Sums of shifted images."""
    x = image.astype("float64")
    for axis, i in ((0, 1), (1, 0)):
        size = kernel_size[i]
        widths = [(0, 0)] * 3
        widths[axis] = ((size - 1) // 2, size // 2)
        padded, n = np.pad(x, widths), x.shape[axis]
        x = sum(
            w * np.take(padded, np.arange(k, k + n), axis)
            for k, w in enumerate(bell(size, sigma[i]))
        )
    return as_pixels(x, image)


@by_image
def sobel_edges(image: Any) -> Any:
    """SciPy's of each channel, with zeros beyond the borders."""
    planes = [
        np.stack([ndimage.sobel(image[..., c], axis, mode="constant") for axis in (0, 1)], -1)
        for c in range(image.shape[-1])
    ]
    return np.stack(planes, -2)


def ssim(
    a: Any,
    b: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str = "channels_last",
) -> Any:
    """Window by window."""
    axes = (-2, -1) if data_format == "channels_first" else (-3, -2)
    w = np.outer(bell(filter_size, filter_sigma), bell(filter_size, filter_sigma))

    def mean(x: Any) -> Any:
        windows = np.lib.stride_tricks.sliding_window_view(x, w.shape, axes)
        return (windows * w).sum((-1, -2))

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    m, n = mean(a), mean(b)
    saa, sbb, sab = mean(a * a) - m * m, mean(b * b) - n * n, mean(a * b) - m * n
    values = (2 * m * n + c1) * (2 * sab + c2) / ((m * m + n * n + c1) * (saa + sbb + c2))
    return values.mean((-1, -2, -3))


CASES: list[Case] = [
    # Filters
    *(
        c
        for size, sigma in (((3, 3), (1.0, 1.0)), ((1, 5), (0.5, 2.0)), ((4, 2), (1, 1.5)))
        for c in layouts("image.gaussian_blur", size, sigma, ref=gaussian_blur)
    ),
    *layouts("image.sobel_edges", ref=sobel_edges)[:2],
    case(
        "image.sobel_edges",
        images(),
        ref=lambda x, **k: sobel_edges(x.astype("int32"), **k),
        data_format="channels_last",
        dtypes=("bool",),
        result_dtype="int32",
        min_size=1,
    ),
    *(
        case(
            "image.ssim",
            tensor(shape, **_UNIT),
            tensor(shape, **_UNIT),
            ref=ssim,
            min_size=3,
            filter_size=3,
            data_format=f,
            max_val=OneOf([1.0, 2.0]),
            filter_sigma=OneOf([0.5, 1.5]),
            result_dtype="float",
            dtypes=("float32", "float64", "bfloat16"),
        )
        for shape, f in (
            ("n h w c", FORMATS[0]),
            ("n c h w", FORMATS[1]),
            ("h w c", FORMATS[0]),
            ("c h w", FORMATS[1]),
        )
    ),
    case(
        "image.ssim",
        tensor("12 11 2", 0, 255),
        tensor("12 11 2", 0, 255),
        ref=ssim,
        max_val=255,
        k1=0.02,
        k2=0.05,
        data_format="channels_last",
        result_dtype="float",
        dtypes=("int32",),
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
            ("gaussian_blur", (), {}),
            ("sobel_edges", (), {}),
            ("ssim", (_VECTOR,), {}),
        )
    ),
    *(
        refusal(
            f"image.{name}", _IMAGE, match=f"ops.image.{name}\n.*{expected}", **options, **_LAST
        )
        for name, expected, options in (
            ("gaussian_blur", "a kernel_size of two numbers", {"kernel_size": (3,)}),
            ("gaussian_blur", "two numbers greater than 0", {"sigma": (1.0,)}),
            ("gaussian_blur", "two numbers greater than 0", {"sigma": (1.0, 0.0)}),
            ("sobel_edges", "a batch of images", {}),
        )
    ),
    refusal("image.ssim", _IMAGE, array(np.ones((3, 3, 3))), match="ops.image.ssim\n.*one shape"),
    refusal("image.ssim", _IMAGE, _IMAGE, match="ops.image.ssim\n.*a filter_size that fits"),
]
