"""Images: colours, sizes, cuts, patches, filters, and pixels looked up elsewhere."""

import colorsys
import itertools
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from keras_fn.testing.conformance.case import (
    FLOATS,
    NUMBERS,
    A,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

FORMATS = ("channels_last", "channels_first")


def by_image(function: Any) -> Any:
    """A function of one image `(height, width, channels)` as one of images in any layout.

    Arguments that are arrays, after the images, are for all images, or one for each.
    """

    def call(images: Any, *args: Any, data_format: str = "channels_last", **options: Any) -> Any:
        first = data_format == "channels_first"
        batch = images if images.ndim == 4 else images[None]
        results = []
        for i, image in enumerate(batch):
            image = np.moveaxis(image, 0, -1) if first else image
            result = function(image, *[each(x, i) for x in args], **options)
            results.append(np.moveaxis(result, 2, 0) if first else result)
        shape = results[0].shape if results else ()
        stacked = np.stack(results) if results else np.zeros((0, *shape))
        return stacked if images.ndim == 4 else stacked[0]

    def each(x: Any, i: int) -> Any:
        rank = {8: 1, 2: 2}.get(x.shape[-1] if isinstance(x, np.ndarray) else 0, 0)
        return x[i] if rank and x.ndim > rank else x

    return call


def as_pixels(result: Any, images: Any) -> Any:
    """Rounds where the images are integers."""
    return np.round(result) if images.dtype.kind in "iu" else result


# ---------------------------------------------------------------- colours


def per_pixel(function: Any) -> Any:
    """A function of three numbers as one of images."""
    return by_image(lambda image: np.apply_along_axis(lambda p: function(*p), -1, image))


def grayscale(image: Any) -> Any:
    """Images of one channel stay."""
    if image.shape[-1] == 1:
        return image
    result = image @ np.array([0.2989, 0.587, 0.114])
    return np.trunc(result + 1e-9)[..., None] if image.dtype.kind in "iu" else result[..., None]


# ---------------------------------------------------------------- sizes

KERNELS = {
    "bilinear": lambda x: np.maximum(1 - x, 0),
    "bicubic": lambda x: np.where(
        x < 1, 1.5 * x**3 - 2.5 * x**2 + 1,
        np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0),
    ),
    "lanczos3": lambda x: np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0),
    "lanczos5": lambda x: np.where(x < 5, np.sinc(x) * np.sinc(x / 5), 0),
}  # fmt: skip


def stretched(
    x: Any, axis: int, target: int, scale: Any, shift: Any, method: str, anti: Any
) -> Any:
    """Each place as a weighted mean of the elements around it."""
    x, size, places = np.moveaxis(x, axis, 0), x.shape[axis], []
    for i in range(target):
        centre = (i + 0.5 - shift) / scale - 0.5
        wide = max(1 / scale, 1) if anti else 1
        w = KERNELS[method](np.abs(np.arange(size) - centre) / wide)
        seen = -0.5 <= centre <= size - 0.5 and abs(w.sum()) > 1e-4
        places.append(np.tensordot(w / w.sum() if seen else 0 * w, x, 1))
    return np.moveaxis(np.array(places), 0, axis)


@by_image
def resize(
    image: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant", fill_value: float = 0.0,
) -> Any:  # fmt: skip
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
    x: Any, output_shape: Any, scale: Any, translation: Any, spatial_dims: Any, method: str,
    antialias: bool = True,
) -> Any:  # fmt: skip
    """Axis by axis."""
    names = {"linear": "bilinear", "trilinear": "bilinear", "cubic": "bicubic"}
    result = x
    for axis, s, t in zip(spatial_dims, scale, translation, strict=True):
        result = stretched(
            result, axis, output_shape[axis], s, t, names.get(method, method), antialias
        )
    return as_pixels(result, x)


# ---------------------------------------------------------------- cuts and patches


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


def extract_patches(
    images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str = "channels_last", spatial: int = 2,
) -> Any:  # fmt: skip
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


# ---------------------------------------------------------------- filters


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
    a: Any, b: Any, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03, data_format: str = "channels_last",
) -> Any:  # fmt: skip
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


# ---------------------------------------------------------------- pixels looked up elsewhere

MODES = {"nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}
_FAR = 40  # elements that indices may lie beyond the ends


def looked_up(x: Any, coordinates: Any, order: int, fill_mode: str, fill_value: float) -> Any:
    """From an array that `np.pad` has continued."""
    widths = [(_FAR, _FAR)] * x.ndim
    if fill_mode == "constant":
        wide = np.pad(x.astype("float64"), widths, constant_values=fill_value)
    else:
        wide = x.astype("float64")
        for axis, n in enumerate(x.shape):  # NumPy mirrors nothing on an axis of size 1
            places = (
                np.pad(np.arange(n), _FAR, mode=MODES[fill_mode]) if n > 1 else np.zeros(81, int)
            )
            wide = np.take(wide, places, axis)
    if order == 0:
        near = np.sign(coordinates) * np.floor(np.abs(coordinates) + 0.5)
        return wide[tuple(near.astype(int) + _FAR)]
    low = np.floor(coordinates).astype(int)
    total = 0.0
    for corner in itertools.product((0, 1), repeat=x.ndim):
        share = 1.0
        for c, x_, l_ in zip(corner, coordinates, low, strict=True):
            share = share * (x_ - l_ if c else 1 - (x_ - l_))
        total = total + share * wide[tuple(n + c + _FAR for n, c in zip(low, corner, strict=True))]
    return total


def map_coordinates(
    x: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """Integers are rounded away from 0."""
    result = looked_up(x, coordinates, order, fill_mode, fill_value)
    return np.sign(result) * np.floor(np.abs(result) + 0.5) if x.dtype.kind == "i" else result


@by_image
def affine_transform(
    image: Any, p: Any, interpolation: str = "bilinear", fill_mode: str = "constant",
    fill_value: float = 0,
) -> Any:  # fmt: skip
    """Channel by channel."""
    y, x = np.indices(image.shape[:2])
    k = p[6] * x + p[7] * y + 1
    places = np.stack([(p[3] * x + p[4] * y + p[5]) / k, (p[0] * x + p[1] * y + p[2]) / k])
    order = int(interpolation == "bilinear")
    planes = [
        map_coordinates(image[..., c], places, order, fill_mode, fill_value)
        for c in range(image.shape[-1])
    ]
    return np.stack(planes, -1)


@by_image
def perspective_transform(
    image: Any, start: Any, end: Any, interpolation: str = "bilinear", fill_value: float = 0
) -> Any:
    """The homography from four pairs of points."""
    rows, places = [], []
    for (u, v), (x, y) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        places += [u, v]
    p = np.linalg.solve(np.array(rows), np.array(places))
    return affine_transform(image, p, interpolation, "constant", fill_value)


# ---------------------------------------------------------------- the table


def images(data_format: str = "channels_last", batch: bool = True, channels: str = "c", **k: Any):
    """A tensor of images."""
    last = data_format == "channels_last"
    shape = f"h w {channels}" if last else f"{channels} h w"
    return T(f"n {shape}" if batch else shape, **k)


def layouts(op: str, *args: Any, channels: str = "c", draw: Any = None, **fields: Any) -> Any:
    """Cases of both layouts, of batches and of single images."""
    fields = {"least": 1, **fields}
    return [
        case(op, images(f, batch, channels, **(draw or {})), *args, data_format=f, **fields)
        for f, batch in ((FORMATS[0], True), (FORMATS[1], True), (FORMATS[0], False),
                         (FORMATS[1], False))
    ]  # fmt: skip


_UNIT = {"low": 0.05, "high": 0.95}
_TURN = T("8", low=-0.1, high=0.1, dtype="float32",
          make=lambda p: p * [9, 9, 20, 9, 9, 20, 0.3, 0.3] + [1, 0, 0, 0, 1, 0, 0, 0])  # fmt: skip
_TURNS = T("n 8", low=-0.1, high=0.1, dtype="float32", make=_TURN.make)
_SQUARE = [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]]
_MOVED = T("4 2", low=-0.4, high=0.4, dtype="float32", make=lambda p: p + _SQUARE)
_MOVES = T("n 4 2", low=-0.4, high=0.4, dtype="float32", make=_MOVED.make)

CASES: list[Case] = [
    *layouts("image.rgb_to_grayscale", ref=by_image(grayscale), channels="3", dtypes=NUMBERS),
    case("image.rgb_to_grayscale", images(channels="1"), ref=by_image(grayscale),
         data_format="channels_last", dtypes=NUMBERS, least=1),
    *layouts("image.rgb_to_hsv", ref=per_pixel(colorsys.rgb_to_hsv), channels="3", dtypes=FLOATS,
             draw=_UNIT),
    case("image.rgb_to_hsv", A([[[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.0]]]),
         ref=per_pixel(colorsys.rgb_to_hsv), data_format="channels_last", dtypes=FLOATS),
    *layouts("image.hsv_to_rgb", ref=per_pixel(colorsys.hsv_to_rgb), channels="3", dtypes=FLOATS,
             draw=_UNIT),
    # Sizes
    *(
        c for method in ("nearest", *KERNELS)
        for c in layouts("image.resize", OneOf([(1, 1), (2, 5), (7, 3), (4, 4)]), ref=resize,
                         interpolation=method, antialias=OneOf([False, True]),
                         dtypes=NUMBERS if method == "nearest" else FLOATS)
    ),
    *layouts("image.resize", OneOf([(2, 5), (7, 3), (2, 2)]), ref=resize,
             crop_to_aspect_ratio=True, dtypes=("float32",)),
    *layouts("image.resize", OneOf([(2, 5), (7, 3), (2, 2)]), ref=resize, interpolation="bicubic",
             pad_to_aspect_ratio=True, fill_value=OneOf([0.0, 2.0]), dtypes=("float32",)),
    # Integers whose places are far from halves, and beyond the range of bytes.
    case("image.resize", A([[[0], [5], [10], [-15]]]), (1, 8), ref=resize, dtypes=("int32", "int8"),
         data_format="channels_last", interpolation=OneOf(["bilinear", "nearest"])),
    case("image.resize", A([[[0], [255], [255], [0]]]), (1, 8), dtypes=("uint8",),
         ref=lambda *a, **k: resize(*a, **k).clip(0, 255), data_format="channels_last",
         interpolation=OneOf(["bicubic", "lanczos3", "lanczos5"])),
    case("image.resize", images(), (3, 5), ref=resize, interpolation="nearest",
         pad_to_aspect_ratio=True, data_format="channels_last", dtypes=("uint8",), least=1),
    *(
        case("image.scale_and_translate", T("2 a b", known=True), (2, 5, 3),
             T("2", low=0.4, high=2.5, dtype="float32"), T("2", dtype="float32"), (1, 2), method,
             antialias, ref=scale_and_translate, least=2, dtypes=("float32", "bfloat16", "int32"))
        for method, antialias in (
            ("linear", True), ("trilinear", False), ("cubic", True), ("bicubic", False),
            ("lanczos3", True), ("lanczos5", False),
        )
    ),
    # Cuts and patches
    *layouts("image.crop_images", ref=crop_images, least=3, top_cropping=1, target_height=2,
             left_cropping=1, right_cropping=1),
    *layouts("image.crop_images", ref=crop_images, least=3, bottom_cropping=1, target_height=2,
             target_width=1, right_cropping=0),
    *layouts("image.pad_images", ref=pad_images, top_padding=1, bottom_padding=2,
             left_padding=1, target_width=7),
    *layouts("image.pad_images", ref=pad_images, bottom_padding=1, target_height=6,
             right_padding=0, target_width=5),
    *(
        c for size, strides, dilation, padding in (
            (2, None, 1, "valid"), ((2, 1), 1, 1, "same"), ((1, 3), (2, 3), 1, "same"),
            (2, (1, 2), 2, "valid"), (3, 2, 2, "same"),
        )
        for c in layouts("image.extract_patches", size, strides, dilation, padding, least=3,
                         ref=extract_patches)
    ),
    *(
        case("image.extract_patches_3d", T(shape), size, strides, dilation, padding, least=3,
             data_format=f, ref=partial(extract_patches, spatial=3), dtypes=("float32", "int32"))
        for size, strides, dilation, padding in (
            (2, None, 1, "valid"), ((1, 2, 3), 2, 1, "same"), ((2, 1, 2), (1, 2, 1), 2, "valid"),
        )
        for shape, f in (("n d h w c", FORMATS[0]), ("c d h w", FORMATS[1]))
    ),
    # Filters
    *(
        c for size, sigma in (((3, 3), (1.0, 1.0)), ((1, 5), (0.5, 2.0)), ((4, 2), (1, 1.5)))
        for c in layouts("image.gaussian_blur", size, sigma, ref=gaussian_blur)
    ),
    *layouts("image.sobel_edges", ref=sobel_edges)[:2],
    case("image.sobel_edges", images(), ref=lambda x, **k: sobel_edges(x.astype("int32"), **k),
         data_format="channels_last", dtypes=("bool",), result="int32", least=1),
    *(
        case("image.ssim", T(shape, **_UNIT), T(shape, **_UNIT), ref=ssim, least=3, filter_size=3,
             data_format=f, max_val=OneOf([1.0, 2.0]), filter_sigma=OneOf([0.5, 1.5]),
             result="float", dtypes=("float32", "float64", "bfloat16"))
        for shape, f in (("n h w c", FORMATS[0]), ("n c h w", FORMATS[1]), ("h w c", FORMATS[0]),
                         ("c h w", FORMATS[1]))
    ),
    case("image.ssim", T("12 11 2", 0, 255), T("12 11 2", 0, 255), ref=ssim, max_val=255,
         k1=0.02, k2=0.05, data_format="channels_last", result="float", dtypes=("int32",)),
    # Pixels looked up elsewhere
    *(
        case("image.map_coordinates", T("a b"), T("2 m n", -9, 9, dtype="float32"), order, mode,
             fill, ref=map_coordinates, least=1)
        for order in (0, 1)
        for mode, fill in (("constant", 0), ("constant", 2), *((m, 0) for m in MODES))
    ),
    case("image.map_coordinates", T("a b c"), T("3 m", -2, 4, dtype="float32"), 1,
         ref=map_coordinates, least=1),
    case("image.map_coordinates", T("a"), T("1 m", -2, 4, dtype="int32"), 1, fill_mode="wrap",
         ref=map_coordinates, least=1),
    *(
        c for mode in ("constant", *MODES)
        for c in layouts("image.affine_transform", _TURN, ref=affine_transform, fill_mode=mode,
                         interpolation="bilinear", fill_value=OneOf([0, 1.5]),
                         dtypes=("float32", "bfloat16"))[:2]
    ),
    case("image.affine_transform", images(), _TURNS, ref=affine_transform, least=1,
         data_format="channels_last"),
    case("image.affine_transform", images(batch=False), _TURN, ref=affine_transform, least=1,
         interpolation="nearest", data_format="channels_last"),
    case("image.affine_transform", images(), A([[1.0, 0, 0.7, 0, 1, -0.6, 0, 0]], "float32"),
         least=1, ref=lambda x, p, **options: affine_transform(x, p[0], **options),
         data_format="channels_last"),
    *layouts("image.perspective_transform", _MOVED, A(_SQUARE, "float32"),
             ref=perspective_transform, fill_value=OneOf([0, 1.5])),
    case("image.perspective_transform", images(), _MOVES, _MOVES, ref=perspective_transform,
         interpolation="nearest", least=1, data_format="channels_last"),
]  # fmt: skip

_VECTOR, _IMAGE = A([1.0, 2.0]), A(np.ones((2, 2, 3)))
_POINTS = A(_SQUARE)
_TRANSFORM = A([1.0, 0, 0, 0, 1, 0, 0, 0])
_CROPS = {"top_cropping": 0, "bottom_cropping": 0, "left_cropping": 0, "right_cropping": 0}
_PADS = {"top_padding": 0, "bottom_padding": 0, "left_padding": 0, "right_padding": 0}
_LAST = {"data_format": "channels_last"}

REFUSALS: list[Refusal] = [
    *(
        refusal(f"image.{name}", _VECTOR, *args, match=f"ops.image.{name}\n.*an image .rank 3",
                **options, **_LAST)
        for name, args, options in (
            ("rgb_to_grayscale", (), {}), ("rgb_to_hsv", (), {}), ("hsv_to_rgb", (), {}),
            ("resize", ((2, 2),), {}), ("crop_images", (), _CROPS), ("pad_images", (), _PADS),
            ("gaussian_blur", (), {}), ("sobel_edges", (), {}), ("ssim", (_VECTOR,), {}),
            ("extract_patches", (2,), {}), ("affine_transform", (_TRANSFORM,), {}),
            ("perspective_transform", (_POINTS, _POINTS), {}), ("elastic_transform", (), {}),
        )
    ),
    *(
        refusal(f"image.{name}", A(np.ones((2, 2, 4))), match=f"ops.image.{name}\n.*3 channels",
                **_LAST)
        for name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb")
    ),
    *(
        refusal(f"image.{name}", A(np.ones((2, 2, 3), "int32")), error=TypeError,
                match=f"ops.image.{name}\n.*images of floats", **_LAST)
        for name in ("rgb_to_hsv", "hsv_to_rgb")
    ),
    *(
        refusal("image.resize", _IMAGE, size, match=f"ops.image.resize\n.*{expected}", **options)
        for size, expected, options in (
            ((2, 2), "interpolation one of 'nearest'", {"interpolation": "area"}),
            ((2, 2), "fill_mode one of 'constant'", {"fill_mode": "wrap"}),
            ((2,), "a size .height, width.", {}), ((0, 2), "a size .height, width.", {}),
            ((2, 2), "crop_to_aspect_ratio or pad_to_aspect_ratio",
             {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}),
        )
    ),
    *(
        refusal("image.scale_and_translate", _VECTOR, shape, A(scale), A(shift), dims, method,
                match=f"ops.image.scale_and_translate\n.*{expected}")
        for shape, scale, shift, dims, method, expected in (
            ((3,), [1.0], [0.0], (0,), "nearest", "method one of 'linear'"),
            ((3,), [1.0], [0.0], (1,), "linear", "an axis from"),
            ((3, 1), [1.0], [0.0], (0,), "linear", "an output_shape like"),
            ((3,), [1.0, 2.0], [0.0], (0,), "linear", "a scale of shape"),
            ((3,), [1.0], [0.0, 2.0], (0,), "linear", "a translation of shape"),
            ((3,), [1.0, 1.0], [0.0, 2.0], (0, 0), "linear", "axes that differ"),
        )
    ),
    *(
        refusal(f"image.{name}", _IMAGE, match=f"ops.image.{name}\n.*{expected}",
                **options, **_LAST)
        for name, expected, options in (
            ("crop_images", "two of top_cropping", {**_CROPS, "target_height": 1}),
            ("crop_images", "two of left_cropping", {**_CROPS, "left_cropping": None}),
            ("crop_images", "numbers of 0 or more", {**_CROPS, "top_cropping": -1}),
            ("crop_images", "room for", {**_CROPS, "top_cropping": 2, "bottom_cropping": 1}),
            ("crop_images", "room for", {**_CROPS, "top_cropping": None, "target_height": 3}),
            ("pad_images", "two of top_padding", {**_PADS, "target_height": 1}),
            ("pad_images", "numbers of 0 or more", {**_PADS, "top_padding": -1}),
            ("pad_images", "room for", {**_PADS, "top_padding": None, "target_height": 1}),
            ("gaussian_blur", "a kernel_size of two numbers", {"kernel_size": (3,)}),
            ("gaussian_blur", "two numbers greater than 0", {"sigma": (1.0,)}),
            ("gaussian_blur", "two numbers greater than 0", {"sigma": (1.0, 0.0)}),
            ("sobel_edges", "a batch of images", {}),
            ("extract_patches", "a size for two axes", {"size": (1,)}),
            ("extract_patches", "a volume .rank 4", {"size": (1, 1, 1)}),
            ("extract_patches", "padding one of 'valid'", {"size": 1, "padding": "full"}),
            ("extract_patches", "of 1 or more for 2 axes", {"size": 1, "strides": (1,)}),
            ("extract_patches", "sizes that hold a window", {"size": 3}),
            ("extract_patches_3d", "a size for three axes", {"size": (1, 1)}),
            ("elastic_transform", "interpolation one of", {"interpolation": "bicubic"}),
            ("elastic_transform", "fill_mode one of 'constant'", {"fill_mode": "zero"}),
        )
    ),
    refusal("image.ssim", _IMAGE, A(np.ones((3, 3, 3))), match="ops.image.ssim\n.*one shape"),
    refusal("image.ssim", _IMAGE, _IMAGE, match="ops.image.ssim\n.*a filter_size that fits"),
    *(
        refusal("image.map_coordinates", x, places, *args,
                match=f"ops.image.map_coordinates\n.*{expected}")
        for x, places, args, expected in (
            (_VECTOR, _VECTOR, (1,), "coordinates of rank 2"),
            (_VECTOR, A([[1.0], [1.0]]), (1,), "1 along the first axis"),
            (_VECTOR, A([[1.0]]), (2,), "order one of 0, 1"),
            (_VECTOR, A([[1.0]]), (1, "zero"), "fill_mode one of 'constant'"),
        )
    ),
    *(
        refusal("image.affine_transform", x, transform, match=f"ops.image.affine_transform\n.*{e}",
                **options)
        for x, transform, e, options in (
            (_IMAGE, _VECTOR, "transform of shape .8,.", {}),
            (_IMAGE, A(np.ones((2, 8))), "transform of shape .8,.", {}),
            (A(np.ones((2, 2, 2, 3))), A(np.ones((3, 8))), "transform of shape .8,.", {}),
            (_IMAGE, _TRANSFORM, "interpolation one of", {"interpolation": "bicubic"}),
            (_IMAGE, _TRANSFORM, "fill_mode one of", {"fill_mode": "zero"}),
        )
    ),
    refusal("image.perspective_transform", _IMAGE, _POINTS, _VECTOR,
            match="ops.image.perspective_transform\n.*end_points of shape"),
    refusal("image.perspective_transform", _IMAGE, A(np.ones((3, 4, 2))), _POINTS,
            match="ops.image.perspective_transform\n.*start_points of shape"),
]  # fmt: skip
