"""Color transforms and histograms against their definitions in float64, and against Pillow's."""

import colorsys
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

import keras_fn as keras
from keras_fn import layers
from keras_fn.layers.preprocessing.image import _color_transforms as transforms, _histograms
from keras_fn.ops import convert_to_numpy

BYTES = np.random.default_rng(3).integers(0, 256, (2, 9, 11, 3)).astype("uint8")
BYTES[1, :, :, 0] = 7  # a channel of one value
X = BYTES.astype("float64")
NUMBERS = np.array([0.3, 0.8])
RANGE = (0, 255)


def per_image(x: Any) -> Any:
    return np.reshape(x, (-1, 1, 1, 1))


def brightness(x: Any) -> Any:
    return np.clip(x + per_image(NUMBERS * 100), 0, 255)


def contrast(x: Any) -> Any:
    mean = x.mean((1, 2), keepdims=True)
    return np.clip((x - mean) * per_image(NUMBERS) + mean, 0, 255)


def in_hsv(change: Any) -> Any:
    """Returns a function of images, that changes hue, saturation and value of each pixel."""

    def transform(x: Any) -> Any:
        result = np.empty_like(x)
        for i, j, k in np.ndindex(x.shape[:3]):
            hsv = colorsys.rgb_to_hsv(*(x[i, j, k] / 255))
            result[i, j, k] = colorsys.hsv_to_rgb(*change(*hsv, NUMBERS[i]))
        return result * 255

    return transform


def grayscale(x: Any) -> Any:
    gray = (x @ [0.2989, 0.587, 0.114])[..., np.newaxis]
    return np.clip(x + (gray - x) * per_image(NUMBERS), 0, 255)


def sharpness(x: Any) -> Any:
    smooth = x.copy()
    height, width = x.shape[1:3]
    windows = [x[:, i : height - 2 + i, j : width - 2 + j] for i in range(3) for j in range(3)]
    smooth[:, 1:-1, 1:-1] = (sum(windows) + 4 * x[:, 1:-1, 1:-1]) / 13
    return np.clip(smooth + (x - smooth) * per_image(NUMBERS), 0, 255)


def blur(x: Any) -> Any:
    result = x
    for axis, size, sigma in ((2, 5, 0.8), (1, 3, 1.3)):
        widths = [(0, 0)] * 4
        widths[axis] = (size // 2,) * 2
        padded = np.moveaxis(np.pad(result, widths, mode="reflect"), axis, 0)
        weights = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
        parts = [w * padded[i : i + x.shape[axis]] for i, w in enumerate(weights / weights.sum())]
        result = np.moveaxis(sum(parts), 0, axis)
    return result


def stretch(x: Any) -> Any:
    low, high = x.min((1, 2), keepdims=True), x.max((1, 2), keepdims=True)
    return np.where(high > low, (x - low) * 255 / np.maximum(high - low, 1), x)


def equalize(x: Any) -> Any:
    result = x.copy()
    for i, c in np.ndindex(x.shape[0], x.shape[3]):
        plane = x[i, :, :, c].astype(int)
        cumulative = np.bincount(plane.ravel(), minlength=256).cumsum()
        first = cumulative[cumulative > 0][0]
        if first < plane.size:
            table = np.round((cumulative - first) * 255 / (plane.size - first))
            result[i, :, :, c] = table[plane]
    return result


def adaptive(x: Any, limit: float = 3.0, grid: Any = (2, 3)) -> Any:
    result = np.empty_like(x)
    for i, c in np.ndindex(x.shape[0], x.shape[3]):
        result[i, :, :, c] = adaptive_plane(x[i, :, :, c].astype(int), limit, grid)
    return result


def adaptive_plane(plane: Any, limit: float, grid: Any) -> Any:
    size = [-(-n // g) for n, g in zip(plane.shape, grid, strict=True)]
    widths = [(0, s * g - n) for n, g, s in zip(plane.shape, grid, size, strict=True)]
    padded = np.pad(plane, widths, mode="symmetric")
    count = size[0] * size[1]
    tables = np.empty((*grid, 256))
    for row, column in np.ndindex(*grid):
        rows, columns = (
            slice(row * size[0], (row + 1) * size[0]),
            slice(column * size[1], (column + 1) * size[1]),
        )
        histogram = np.bincount(padded[rows, columns].ravel(), minlength=256).astype(float)
        clipped = np.minimum(histogram, limit * count / 256) if limit else histogram
        cumulative = (clipped + (histogram - clipped).sum() / 256).cumsum()
        tables[row, column] = (cumulative - cumulative[0]) * 255 / (count - cumulative[0])
    result = np.zeros(plane.shape)
    for y, x in np.ndindex(*plane.shape):
        for dy in (0, 1):
            for dx in (0, 1):
                tile, weight = [], 1.0
                for at, step, s, g in ((y, dy, size[0], grid[0]), (x, dx, size[1], grid[1])):
                    low = int(np.floor(at / s - 0.5))
                    fraction = at / s - 0.5 - low
                    weight *= fraction if step else 1 - fraction
                    tile.append(min(max(low + step, 0), g - 1))
                result[y, x] += weight * tables[(*tile, plane[y, x])]
    return result


TRANSFORMS: dict[str, tuple[Any, Any]] = {
    "brightness": (lambda x, a: transforms.adjust_brightness(x, NUMBERS * 100, RANGE), brightness),
    "contrast": (lambda x, a: transforms.adjust_contrast(x, NUMBERS, RANGE, a), contrast),
    "hue": (
        lambda x, a: transforms.adjust_hue(x, NUMBERS, RANGE, a),
        in_hsv(lambda h, s, v, n: ((h + n) % 1, s, v)),
    ),
    "saturation": (
        lambda x, a: transforms.adjust_saturation(x, NUMBERS * 2, RANGE, a),
        in_hsv(lambda h, s, v, n: (h, min(s * n * 2, 1), v)),
    ),
    "grayscale": (lambda x, a: transforms.blend_with_grayscale(x, NUMBERS, RANGE, a), grayscale),
    "sharpness": (lambda x, a: transforms.adjust_sharpness(x, NUMBERS, RANGE, a), sharpness),
    "posterize": (
        lambda x, a: transforms.posterize(x, np.array([2, 5]), RANGE),
        lambda x: x - x % per_image([4, 32]),
    ),
    "solarize": (
        lambda x, a: transforms.solarize(x, NUMBERS * 50, NUMBERS * 200, RANGE),
        lambda x: solarize(x, NUMBERS * 50, NUMBERS * 200),
    ),
    "stretch": (lambda x, a: transforms.stretch_contrast(x, RANGE, a), stretch),
    "blur": (lambda x, a: transforms.blur(x, np.array([0.8, 1.3]), (5, 3), a), blur),
    "equalize": (lambda x, a: _histograms.equalize_histogram(x, 256, RANGE, a), equalize),
    "adaptive": (
        lambda x, a: _histograms.equalize_adaptively(x, 3.0, (2, 3), RANGE, a),
        adaptive,
    ),
}


def solarize(x: Any, addition: Any, threshold: Any) -> Any:
    x = np.clip(x + per_image(addition), 0, 255)
    return np.where(x < per_image(threshold), x, 255 - x)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_is_its_definition_in_both_data_formats(name):
    transform, definition = TRANSFORMS[name]
    expected = definition(X)
    for axis in (-1, -3):
        images = X.astype("float32") if axis == -1 else X.astype("float32").transpose(0, 3, 1, 2)
        found = convert_to_numpy(transform(images, axis))
        found = found if axis == -1 else found.transpose(0, 2, 3, 1)
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected, 1e-5, 2e-3)


def run(layer: Any, images: Any) -> Any:
    return convert_to_numpy(layer(images))


def pillow(function: Any, images: Any = BYTES) -> Any:
    return np.stack([np.asarray(function(Image.fromarray(image))) for image in images])


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (layers.RandomInvert((1.0, 1.0)), ImageOps.invert),
        (layers.Solarization(0.0, (100 / 255,) * 2), lambda i: ImageOps.solarize(i, 100)),
        (layers.RandomPosterization((3, 3)), lambda i: ImageOps.posterize(i, 3)),
        (layers.AutoContrast(), ImageOps.autocontrast),
        (layers.RandomSharpness((0.9, 0.9)), lambda i: ImageEnhance.Sharpness(i).enhance(1.8)),
        (layers.RandomColorDegeneration((0.4, 0.4)), lambda i: ImageEnhance.Color(i).enhance(0.6)),
    ],
    ids=lambda x: getattr(x, "name", ""),
)  # fmt: skip
def test_a_layer_does_what_pillow_does(layer, function):
    # Pillow truncates to bytes, where it blends twice.
    difference = run(layer, BYTES) - pillow(function).astype(float)
    blends = "sharpness" in layer.name or "color" in layer.name
    assert np.abs(difference).max() <= (2 if blends else 1.01)


SAME_FOR_FLOATS = {
    "Equalization": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": (2, 2)},
    "RandomPosterization": {"factor": (4, 4)},
    "Solarization": {},
    "AutoContrast": {},
    "RandomSaturation": {"factor": (0.8, 0.8)},
    "RandomInvert": {"factor": (1.0, 1.0)},
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.thorough if "Adaptive" in name else ())
        for name in SAME_FOR_FLOATS
    ],
)
def test_a_layer_does_the_same_to_bytes_and_to_scaled_floats(name):
    make, arguments = getattr(layers, name), SAME_FOR_FLOATS[name]
    expected = run(make(**arguments), BYTES.astype("float32"))
    images = (BYTES / 127.5 - 1).astype("float32")
    found = run(make(value_range=(-1.0, 1.0), **arguments), images)
    np.testing.assert_allclose((found + 1) * 127.5, expected, 1e-5, 2e-3)


def test_images_of_a_batch_are_equalized_independently_of_each_other():
    for layer in (layers.Equalization(), layers.AutoContrast()):
        together = run(layer, BYTES)
        np.testing.assert_array_equal(together[0], run(layer, BYTES[:1])[0])


def test_equalization_with_other_numbers_of_bins():
    ramp = np.arange(256, dtype="float32").reshape((16, 16, 1))
    assert len(np.unique(run(layers.Equalization(bins=4), ramp))) == 4
    np.testing.assert_array_equal(run(layers.Equalization(), ramp), ramp)


def test_a_constant_image_stays_when_blurred_or_sharpened():
    flat = np.full((2, 6, 7, 3), 90.0, "float32")
    for layer in (
        layers.RandomGaussianBlur((1.0, 1.0), kernel_size=5, sigma=(2.0, 2.0)),
        layers.RandomSharpness((0.9, 0.9)),
    ):
        np.testing.assert_allclose(run(layer, flat), flat, 1e-6)


@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_images_smaller_than_kernels_and_tiles(size):
    images = np.arange(size[0] * size[1], dtype="float32").reshape((1, *size, 1))
    blur_layer = layers.RandomGaussianBlur((1.0, 1.0), kernel_size=7, sigma=(1.0, 1.0))
    for layer in (
        blur_layer,
        layers.RandomSharpness((0.1, 0.1)),
        layers.ContrastLimitedAdaptiveHistogramEqualization(),
    ):
        found = run(layer, images)
        assert found.shape == images.shape and np.isfinite(found).all()


def test_clahe_of_bytes_is_rounded():
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
    found = run(layer, BYTES)
    assert found.dtype == "uint8"
    floats = run(layer, BYTES.astype("float32"))
    assert np.abs(found - floats).max() <= 0.5 + 1e-4


def test_gray_images():
    gray = BYTES[..., :1].astype("float32")
    for layer in (
        layers.RandomHue(1.0), layers.RandomSaturation(1.0), layers.RandomColorDegeneration(1.0),
        layers.RandomGrayscale(1.0),
    ):  # fmt: skip
        np.testing.assert_array_equal(run(layer, gray), gray)
        with pytest.raises(ValueError, match="images of 1 or 3 channels"):
            layer(keras.Input((4, 4, 2)))
