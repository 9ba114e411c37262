"""Layers that move pixels next to real Keras, given the same transformation.

`nox -s "parity(jax)"` runs it. Where Keras is another on purpose stands in `docs/differences.md`.
"""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
BACKEND = keras.config.backend()
FILL_MODES = ["constant", "reflect", "nearest"]
if BACKEND == "jax":  # Keras on PyTorch has none; TensorFlow's repeats no pixel between the ends
    FILL_MODES.append("wrap")
SAMPLED: list[dict[str, Any]] = [
    {"interpolation": interpolation, "fill_value": 9.0} for interpolation in ("bilinear", "nearest")
]
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomFlip", {}),
    *(("RandomPerspective", {"scale": 0.4, **options}) for options in SAMPLED),
    *(
        (name, {**arguments, **options, "fill_mode": fill_mode})
        for name, arguments in (
            ("RandomRotation", {"factor": 0.2}),
            ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
            ("RandomZoom", {"height_factor": 0.3, "width_factor": 0.4}),
            ("RandomZoom", {"height_factor": (-0.5, -0.2)}),
            ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}),
        )
        for options in SAMPLED
        for fill_mode in FILL_MODES
    ),
]
SAME_BOXES = ("RandomFlip", "RandomTranslation")  # of the others, Keras's are off by up to a pixel
FIXED: list[tuple[str, dict[str, Any]]] = [
    *(
        ("Resizing", {"height": h, "width": w, "antialias": antialias, **aspect})
        for h, w in ((5, 6), (13, 4), (20, 18))
        for antialias in (False, True)
        for aspect in ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True})
    ),
    *(("CenterCrop", {"height": h, "width": w}) for h, w in ((4, 4), (10, 9), (5, 6), (12, 5))),
    ("MaxNumBoundingBoxes", {"max_number": 1}),
    ("MaxNumBoundingBoxes", {"max_number": 4}),
]


def draw(data_format: str) -> dict[str, Any]:
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (2, 10, 9, 3)).astype("float32")
    masks = random.integers(0, 5, (2, 10, 9, 1)).astype("float32")
    if data_format == "channels_first":
        images, masks = (x.transpose(0, 3, 1, 2) for x in (images, masks))
    boxes = np.array([[[1, 2, 5, 7], [0, 0, 9, 10]], [[3, 1, 4, 2], [2.5, 3, 6.5, 8]]], "float32")
    return {
        "images": images,
        "bounding_boxes": {"boxes": boxes, "labels": np.array([[1, 2], [3, 4]])},
        "segmentation_masks": masks,
    }


def tensors(x: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_tensor, x)


def transform(layer: Any, data: dict[str, Any], transformation: Any) -> dict[str, Any]:
    # Copies, since Keras on PyTorch writes into the matrix.
    return {
        k: getattr(layer, f"transform_{k}")(v, deepcopy(transformation)) for k, v in data.items()
    }


def assert_same(ours: Any, theirs: Any) -> None:
    ours, theirs = (keras.ops.convert_to_numpy(x) for x in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "arguments"), RANDOM, ids=str)
def test_the_same_transformation(name, arguments, data_format):
    options = {"data_format": data_format, "bounding_box_format": "xyxy", "seed": 5}
    data = draw(data_format)
    theirs = getattr(keras.layers, name)(**arguments, **options)
    ours = getattr(keras_fn.layers, name)(**arguments, **options)
    drawn = theirs.get_random_transformation(data)
    expected, found = (transform(layer, tensors(data), drawn) for layer in (theirs, ours))
    for part in ("images", "segmentation_masks"):
        assert_same(found[part], expected[part])
    boxes = [x["bounding_boxes"]["boxes"] for x in (found, expected)]
    if name in SAME_BOXES:
        assert_same(*boxes)
    else:
        difference = np.abs(np.subtract(*map(keras.ops.convert_to_numpy, boxes)))
        assert difference.max() <= 1.5


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "arguments"), FIXED, ids=str)
def test_without_chance(name, arguments, data_format):
    options = {"data_format": data_format, "bounding_box_format": "xyxy"}
    expected, found = (
        getattr(package.layers, name)(**arguments, **options)(draw(data_format))
        for package in (keras, keras_fn)
    )
    assert_same(found["images"], expected["images"])
    if name != "CenterCrop":  # Keras interpolates masks
        assert_same(found["segmentation_masks"], expected["segmentation_masks"])
    if not {"crop_to_aspect_ratio", "pad_to_aspect_ratio"} & arguments.keys():
        boxes = (x["bounding_boxes"] for x in (found, expected))
        for ours, theirs in zip(*(x.values() for x in boxes), strict=True):
            assert_same(ours, theirs)
