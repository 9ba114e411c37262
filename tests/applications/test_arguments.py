"""Arguments that are invalid or do not fit together: the same errors for all applications."""

import numpy as np
import pytest

import keras_fn as keras

SIMPLE = keras.applications.ResNet50
WIDE = keras.applications.MobileNet


@pytest.mark.parametrize("function", [SIMPLE, WIDE, keras.applications.MobileNetV3Small])
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"weights": "imagenet", "classes": 10}, "classes=1000"),
        ({"weights": "imagenet", "classifier_activation": "sigmoid"}, "None for logits"),
        ({"weights": "/nowhere.h5"}, "is not a file"),
        ({"weights": "/"}, "is not a file"),
        ({"weights": 5}, "5, which is not a file"),
        ({"weights": None, "pooling": "mean"}, "pooling: None or 'avg' or 'max'"),
        ({"weights": None, "include_top": "yes"}, "include_top"),
        ({"weights": None, "classes": 0}, "a positive integer"),
        ({"weights": None, "classes": 1.5}, "a positive integer"),
        ({"weights": None, "input_shape": (224, 224)}, "three sizes"),
        ({"weights": None, "input_shape": 224}, "a tuple of three sizes"),
        ({"weights": None, "input_shape": (31, 40, 3)}, "sizes of at least 32"),
        ({"weights": None, "input_shape": (40.0, 40, 3)}, "three sizes"),
        ({"weights": None, "input_shape": (40, 40, None)}, "a number of channels"),
        ({"weights": None, "input_shape": (40, 40, 0)}, "a number of channels"),
        ({"weights": "imagenet", "include_top": False, "input_shape": (40, 40, 4)}, "3 channels"),
        ({"weights": None, "input_tensor": np.ones((1, 40, 40, 3))}, "a KerasTensor"),
        ({"weights": None, "input_tensor": keras.Input((40, 3))}, "four axes"),
    ],
)
def test_an_invalid_argument_is_refused(function, arguments, match):
    with pytest.raises(ValueError, match=match):
        function(**arguments)


def test_shapes_that_differ_are_refused():
    images = keras.Input((64, None, 3))
    WIDE(weights=None, alpha=0.25, input_tensor=images, input_shape=(64, 40, 3))
    with pytest.raises(ValueError, match=r"that of input_tensor, \(64, None, 3\)"):
        WIDE(weights=None, input_tensor=images, input_shape=(40, 40, 3))


@pytest.mark.parametrize(
    ("shape", "weights", "match"),
    [
        ((None, 64, 3), None, "fixed sizes"),
        ((64, 64, 3), "imagenet", r"\(224, 224, 3\), with include_top"),
    ],
)
def test_sizes_that_the_classifier_does_not_fit_are_refused(shape, weights, match):
    with pytest.raises(ValueError, match=match):
        SIMPLE(weights=weights, input_shape=shape)


@pytest.mark.parametrize(
    ("function", "arguments", "match"),
    [
        (WIDE, {"alpha": 0.3}, "alpha: 0.25 or 0.5 or 0.75 or 1,"),
        (WIDE, {"alpha": "wide", "weights": None}, "a positive number"),
        (WIDE, {"alpha": 0, "weights": None}, "a positive number"),
        (WIDE, {"alpha": float("nan"), "weights": None}, "a positive number"),
        (WIDE, {"depth_multiplier": 2}, "depth_multiplier=1"),
        (keras.applications.MobileNetV2, {"alpha": 0.3}, "alpha: 0.35 or"),
        (keras.applications.MobileNetV3Small, {"alpha": 0.5}, "alpha: 0.75 or 1,"),
        (
            keras.applications.MobileNetV3Large,
            {"alpha": 0.75, "minimalistic": True},
            "alpha: 1, with",
        ),
    ],
)
def test_widths_without_weights_are_refused(function, arguments, match):
    with pytest.raises(ValueError, match=match):
        function(**arguments)


@pytest.mark.parametrize("function", [WIDE, keras.applications.MobileNetV2])
def test_numbers_may_be_those_of_numpy(function):
    shape = tuple(np.array([32, 33, 3]))
    model = function(weights=None, alpha=np.float32(0.5), classes=np.int64(7), input_shape=shape)
    assert model.input_shape == (None, 32, 33, 3) and model.output_shape == (None, 7)
    assert all(type(size) is int for size in (*model.input_shape[1:], model.output_shape[1]))


def test_custom_weights_may_end_with_any_activation(tmp_path):
    arguments = {"alpha": 0.25, "classes": 2, "input_shape": (32, 32, 3)}
    model = WIDE(weights=None, classifier_activation="sigmoid", **arguments)
    model.save_weights(tmp_path / "own.weights.h5")
    loaded = WIDE(weights=tmp_path / "own.weights.h5", classifier_activation="sigmoid", **arguments)
    for theirs, ours in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(theirs, ours)
