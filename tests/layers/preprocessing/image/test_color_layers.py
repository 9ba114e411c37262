"""Layers that change the colors of images: what they draw, take, return and refuse."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current
from keras_fn.ops import convert_to_numpy

MANY = np.zeros((400, 1, 1, 3), "float32")
BYTES = np.random.default_rng(3).integers(0, 256, (2, 5, 6, 3)).astype("uint8")


def drawn(layer, images=MANY):
    """Returns what a layer draws, as arrays of one number for each image."""
    found = layer.get_random_transformation(images)
    found = found if isinstance(found, dict) else {"choices": found}
    return {key: np.ravel(convert_to_numpy(x)) for key, x in found.items()}


@pytest.mark.parametrize(
    ("layer", "key", "low", "high"),
    [
        (layers.RandomBrightness(0.4), "rgb_delta", -102, 102),
        (layers.RandomBrightness((0.2, 0.4), value_range=(0, 1)), "rgb_delta", 0.2, 0.4),
        (layers.RandomContrast(0.4), "contrast_factor", 0.6, 1.4),
        (layers.RandomContrast((0.5, 0.1)), "contrast_factor", 0.5, 1.1),
        (layers.RandomHue(0.6), "factor", -0.3, 0.3),
        (layers.RandomSaturation(0.5), "factor", 0.0, 1.0),
        (layers.RandomSaturation((-0.5, 0.5)), "factor", 0.0, 1.0),  # of a file of Keras
        (layers.RandomColorDegeneration(0.3), "factor", 0.0, 0.3),
        (layers.RandomSharpness((0.2, 0.7)), "factor", 0.2, 0.7),
        (layers.RandomPosterization(5), "shift_factor", 3, 7),
        (layers.RandomPosterization((4, 8)), "shift_factor", 0, 4),
        (layers.Solarization((0.1, 0.2), 0.5), "additions", 25.5, 51),
        (layers.Solarization((0.1, 0.2), 0.5), "thresholds", 0, 127.5),
        (layers.RandomGaussianBlur(sigma=(0.5, 2.0)), "blur_factor", 0.5, 2.0),
    ],
)
def test_numbers_are_drawn_for_each_image_between_the_limits(layer, key, low, high):
    numbers = drawn(layer)[key].astype("float64")
    assert len(numbers) in (400, 800)
    slack = 0.03 * (high - low)
    assert low - 1e-5 <= numbers.min() <= low + slack
    assert high - slack <= numbers.max() <= high + 1e-5


@pytest.mark.parametrize(
    ("layer", "key", "probability"),
    [
        (layers.RandomGrayscale(0.3), "choices", 0.3),
        (layers.RandomInvert(), "apply_inversion", 0.5),
        (layers.RandomInvert((0.1, 0.3)), "apply_inversion", 0.2),
        (layers.RandomGaussianBlur((0.0, 0.0)), "should_apply_blur", 0.0),
        (layers.RandomErasing((1.0, 1.0)), "apply_erasing", 1.0),
    ],
)
def test_images_are_chosen_with_the_probability(layer, key, probability):
    deviation = np.sqrt(probability * (1 - probability) / 400)
    assert abs(drawn(layer)[key].mean() - probability) <= 4 * deviation


def test_rectangles_of_random_erasing():
    images = np.zeros((200, 20, 40, 2), "float32")
    layer = layers.RandomErasing((1.0, 1.0), scale=(0.04, 0.25), fill_value=(1.0, 3.0))
    erased = convert_to_numpy(layer(images))
    np.testing.assert_array_equal(erased[..., 1], 3 * erased[..., 0])
    rows = erased[..., 0].max(2).sum(1)
    columns = erased[..., 0].max(1).sum(1)
    np.testing.assert_array_equal(erased[..., 0].sum((1, 2)), rows * columns)  # rectangles
    assert 3 <= rows.min() <= 5 and 9 <= rows.max() <= 11  # the square roots: 0.2 to 0.5
    assert 7 <= columns.min() <= 10 and 18 <= columns.max() <= 21
    first = layers.RandomErasing((1.0, 1.0), fill_value=(1.0, 3.0), data_format="channels_first")
    erased = convert_to_numpy(first(images.transpose(0, 3, 1, 2)))
    np.testing.assert_array_equal(erased[:, 1], 3 * erased[:, 0])
    noise = convert_to_numpy(layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0))(images))
    assert noise.min() >= 0 and noise.max() == 255 and noise.std() > 50


RANDOM = {
    "RandomBrightness": {"factor": 0.5},
    "RandomContrast": {"factor": 0.5},
    "RandomSaturation": {"factor": 0.5},
    "RandomHue": {"factor": 0.5},
    "RandomInvert": {"factor": 1.0},
    "Solarization": {"threshold_factor": 1.0},
    "RandomErasing": {"fill_value": 1.0},
}


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_makes_draws_reproducible_and_inference_changes_nothing(name):
    first, second = (getattr(layers, name)(seed=7, **RANDOM[name]) for _ in range(2))
    images = BYTES.astype("float32")
    results = [convert_to_numpy(layer(images)) for layer in (first, second, first)]
    np.testing.assert_array_equal(results[0], results[1])
    assert np.abs(results[0] - results[2]).max() > 0
    found = first(BYTES, training=False)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_array_equal(convert_to_numpy(found), BYTES)


def test_layers_of_integers_round_and_clip():
    layer = layers.RandomBrightness((-0.5, -0.5), dtype="uint8")
    found = convert_to_numpy(layer(BYTES))
    assert found.dtype == "uint8"
    np.testing.assert_array_equal(found, np.round(np.clip(BYTES - 127.5, 0, 255)))


def test_color_jitter_is_the_layers_one_after_the_other():
    arguments = {
        "brightness_factor": (0.1, 0.1), "contrast_factor": (0.0, 0.0),
        "saturation_factor": (0.4, 0.4), "hue_factor": (1.0, 1.0),
    }  # fmt: skip
    images = BYTES.astype("float32").transpose(0, 3, 1, 2)
    jitter = layers.RandomColorJitter(data_format="channels_first", **arguments)
    expected = images
    for part in ("Brightness", "Contrast", "Saturation", "Hue"):
        factor = arguments[f"{part.lower()}_factor"]
        layer = getattr(layers, f"Random{part}")(factor, data_format="channels_first")
        expected = layer(expected)
    found = convert_to_numpy(jitter(images))
    np.testing.assert_allclose(found, convert_to_numpy(expected), 1e-5, 1e-3)
    assert drawn(layers.RandomColorJitter()) == {}


def test_labels_boxes_and_masks_stay_as_they_are():
    data = {
        "images": BYTES,
        "labels": np.array([1, 2]),
        "bounding_boxes": {"boxes": np.ones((2, 1, 4), "float32"), "labels": np.array([[0], [1]])},
        "segmentation_masks": BYTES[..., :1],
    }
    for layer in (layers.RandomInvert((1.0, 1.0)), layers.Equalization()):
        found = layer(data)
        for key in ("labels", "segmentation_masks"):
            np.testing.assert_array_equal(convert_to_numpy(found[key]), data[key])
        boxes = convert_to_numpy(found["bounding_boxes"]["boxes"])
        np.testing.assert_array_equal(boxes, data["bounding_boxes"]["boxes"])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomBrightness", {"factor": 1.5}),
        ("RandomContrast", {"factor": -0.1}),
        ("RandomHue", {"factor": (0.2, 1.1)}),
        ("RandomSaturation", {"factor": (0.1, 0.2, 0.3)}),
        ("RandomSharpness", {"factor": "a"}),
        ("RandomGrayscale", {"factor": 2.0}),
        ("RandomPosterization", {"factor": 9}),
        ("RandomPosterization", {"factor": 3.5}),
        ("RandomGaussianBlur", {"kernel_size": 4}),
        ("RandomGaussianBlur", {"sigma": -1.0}),
        ("RandomErasing", {"fill_value": "a"}),
        ("Solarization", {"threshold_factor": 2.0}),
        ("AutoContrast", {"value_range": (1, 0)}),
        ("Equalization", {"bins": 0}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (0, 3)}),
        ("RandomColorJitter", {"hue_factor": 2.0}),
        ("MixUp", {"alpha": 0.0}),
        ("CutMix", {"factor": 2.0}),
        ("RandAugment", {"num_ops": 0}),
        ("AugMix", {"alpha": 0.0}),
    ],
)
def test_arguments_out_of_bounds_are_refused_by_name(name, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments)).split("_")[-1]):
        getattr(layers, name)(**arguments)


COMPILED = {
    **RANDOM,
    "RandomSharpness": {"factor": 0.5},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {"brightness_factor": 0.2, "hue_factor": 0.2},
    "RandomGrayscale": {},
    "RandomPosterization": {"factor": 4},
    "AutoContrast": {},
    "Equalization": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": (2, 2)},
    "RandomGaussianBlur": {},
    "CutMix": {},
    "MixUp": {},
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_layer_draws_and_computes_what_an_eager_one_does(name):
    arguments = dict(COMPILED[name])
    if name not in ("AutoContrast", "Equalization") and "Adaptive" not in name:
        arguments["seed"] = 3
    eager, compiled = (getattr(layers, name)(**arguments) for _ in range(2))
    images = keras.ops.convert_to_tensor(BYTES.astype("float32"))
    expected = eager(images, training=True)  # also loads the backend, before it is traced

    def call(x):
        return compiled(x, training=True)

    if keras.config.backend() == "torch":
        torch = pytest.importorskip("torch")
        torch._dynamo.reset()
        found = torch.compile(call, fullgraph=True, backend="eager")(images)
    else:
        found = current().compile(call, compiled.variables, donate=False)(images)
    np.testing.assert_allclose(convert_to_numpy(found), convert_to_numpy(expected), 1e-5, 1e-2)
