"""Layers that change or mix colors next to real Keras, given the same transformation.

`nox -s "parity(jax)"` runs it. Where Keras is another on purpose stands in `docs/differences.md`.
"""

from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn

pytestmark = [  # Keras's own, on PyTorch
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Tensor.T is deprecated"),
]
CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"
LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("RandomBrightness", {"factor": 0.3}),
    ("RandomContrast", {"factor": 0.3}),
    ("RandomHue", {"factor": 0.5}),
    ("RandomSaturation", {"factor": 0.4}),
    ("RandomSharpness", {"factor": 1.0}),
    ("RandomColorDegeneration", {"factor": 0.5}),
    ("RandomGrayscale", {}),
    ("RandomInvert", {}),
    ("RandomPosterization", {"factor": 6}),
    ("Solarization", {"addition_factor": 0.3, "threshold_factor": 0.6}),
    ("AutoContrast", {}),
    ("Equalization", {}),
    (CLAHE, {"tile_grid_size": (2, 2), "clip_limit": 4.0}),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0)}),
    ("RandomErasing", {}),
    ("CutMix", {}),
    ("MixUp", {}),
]
BORDER = ("RandomSharpness", "RandomGaussianBlur")  # Keras continues images with zeros
ONE_IMAGE = ("Equalization",)  # Keras makes one histogram of the batch


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "arguments"), LAYERS)
def test_a_layer_transforms_as_that_of_keras(name, arguments, seed):
    random = np.random.default_rng(seed)
    # Eighths: next to an integer, rounding errors would decide which level a pixel has.
    images = np.floor(random.uniform(0, 255 * 8, (2, 32, 32, 3))).astype("float32") / 8
    if seed == 1:
        images = np.floor(images)
    if name in ONE_IMAGE:
        images = images[:1]
    ours, theirs = (getattr(module.layers, name)(**arguments) for module in (keras_fn, keras))
    transformation = ours.get_random_transformation(images)
    transformation = keras_fn.tree.map_structure(
        lambda x: None if x is None else np.array(keras_fn.ops.convert_to_numpy(x)), transformation
    )
    if name == "RandomGaussianBlur":  # Keras blurs all images of a batch alike
        transformation["blur_factor"] = transformation["blur_factor"][0]
    given = keras.tree.map_structure(
        lambda x: None if x is None else keras.ops.convert_to_tensor(x), transformation
    )
    found = keras_fn.ops.convert_to_numpy(ours.transform_images(images, transformation))
    expected = theirs.transform_images(keras.ops.convert_to_tensor(images), given)
    expected = keras.ops.convert_to_numpy(expected)
    if name in BORDER:
        found, expected = (x[:, 1:-1, 1:-1] for x in (found, expected))
    ties = 1.001 if name == "Equalization" else 2e-3  # of rounding, in float32 and in float64
    np.testing.assert_allclose(found, expected, 1e-4, ties)
    if name in ("CutMix", "MixUp"):
        labels = np.eye(2, dtype="float32")
        found = keras_fn.ops.convert_to_numpy(ours.transform_labels(labels, transformation))
        expected = theirs.transform_labels(keras.ops.convert_to_tensor(labels), given)
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), 1e-5, 1e-6)
