"""Every application next to real Keras: layers, weights, configs, outputs, and files both ways.

Real Keras builds a model for small images and writes its weights; ours reads the file. The largest
networks of a family are compared without values: their layers come from the same functions.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras on torch

NAMES = [name for name in dir(keras.applications) if name[0].isupper()]
SIZES = {"InceptionResNetV2": 80, "InceptionV3": 80, "Xception": 80}  # others are 64
WITHOUT_VALUES = {"ConvNeXtLarge", "ConvNeXtXLarge", "EfficientNetV2L", "VGG19"}
NOT_IN_KERAS = {"torch": {"NASNetMobile"}}.get(keras.config.backend(), set())
"""What real Keras refuses to build on a backend."""


@pytest.fixture(autouse=True)
def same_automatic_names() -> Iterator[None]:
    """Begins the numbers of automatic names anew, and frees the memory of the last models."""
    keras.utils.clear_session(free_memory=True)
    keras_fn.utils.clear_session()
    yield
    keras.config.set_image_data_format("channels_last")
    keras_fn.config.set_image_data_format("channels_last")


def arguments_of(name: str) -> dict[str, Any]:
    """Returns the arguments of a small model with logits of ten classes."""
    size = SIZES.get(name, 64)
    shape = (size, size, 3)
    return {"weights": None, "input_shape": shape, "classes": 10, "classifier_activation": None}


def randomize(model: Any) -> None:
    """Replaces the weights that do nothing at first: shifts, and factors of 1 and 1e-6."""
    draw = np.random.default_rng(0)
    values = []
    for variable in model.weights:
        value = keras.ops.convert_to_numpy(variable)
        kind = variable.path.rpartition("/")[2]
        if kind in ("gamma", "moving_variance", "variance") or kind.startswith("variable"):
            value = draw.uniform(0.8, 1.2, value.shape)
        elif kind in ("beta", "moving_mean", "mean", "bias"):
            value = draw.normal(0, 0.05, value.shape)
        values.append(value)
    model.set_weights(values)


def structure(model: Any) -> dict[str, Any]:
    """Returns the layers and weights of a model."""
    return {
        "name": model.name,
        "layers": [(type(layer).__name__, layer.name) for layer in model.layers],
        "weights": [(w.path, tuple(w.shape), bool(w.trainable)) for w in model.weights],
        "parameters": model.count_params(),
        "shapes": (tuple(model.input_shape), tuple(model.output_shape)),
    }


def simplify(config: Any) -> Any:
    """Returns a config in the form that both libraries agree on.

    Keras writes arguments that are None or were not passed, the compile arguments of each model, an
    axis as a list, and the input layer of a Sequential model that the program gave none.
    """
    if isinstance(config, dict):
        layers = config.get("layers")
        if isinstance(layers, list) and "build_input_shape" in config:
            config = {**config, "layers": [x for x in layers if x["class_name"] != "InputLayer"]}
        skipped = {"compile_config", "training"}
        pairs = ((key, simplify(value)) for key, value in config.items() if key not in skipped)
        return {key: value for key, value in pairs if value is not None}
    if isinstance(config, (list, tuple)):
        return simplify(config[0]) if len(config) == 1 else [simplify(x) for x in config]
    return config


def config_of(model: Any) -> Any:
    return simplify(json.loads(json.dumps(model.get_config())))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_IN_KERAS])
def test_an_application_is_that_of_keras(name: str, tmp_path: Path) -> None:
    theirs = getattr(keras.applications, name)(**arguments_of(name))
    if name in WITHOUT_VALUES:
        ours = getattr(keras_fn.applications, name)(**arguments_of(name))
    else:
        randomize(theirs)
        theirs.save_weights(tmp_path / "theirs.weights.h5")
        path = {"weights": tmp_path / "theirs.weights.h5"}
        ours = getattr(keras_fn.applications, name)(**arguments_of(name) | path)
    assert structure(ours) == structure(theirs)
    assert config_of(ours) == config_of(theirs)
    if name in WITHOUT_VALUES:
        return
    images = np.random.default_rng(1).uniform(-1, 1, (2, *ours.input_shape[1:])).astype("float32")
    expected = keras.ops.convert_to_numpy(theirs(images))
    computed = keras_fn.ops.convert_to_numpy(ours(images))
    tolerance = 2e-4 * np.abs(expected).max()
    np.testing.assert_allclose(computed, expected, rtol=0, atol=tolerance)
    theirs.set_weights([np.zeros(variable.shape) for variable in theirs.weights])
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    read = keras.ops.convert_to_numpy(theirs(images))
    np.testing.assert_allclose(read, expected, rtol=0, atol=tolerance)


WITHOUT_TOP = [
    ("EfficientNetB0", {}),
    ("EfficientNetV2B0", {"include_preprocessing": False}),
    ("EfficientNetV2S", {"input_shape": (64, 64, 5)}),
    ("ConvNeXtTiny", {"include_preprocessing": False, "pooling": "max"}),
    ("InceptionV3", {"pooling": "avg"}),
    ("InceptionResNetV2", {"pooling": "max"}),
    ("Xception", {"pooling": "avg"}),
    ("NASNetLarge", {"input_shape": (331, 331, 3), "pooling": "avg"}),
]


@pytest.mark.parametrize(("name", "arguments"), WITHOUT_TOP)
def test_a_model_without_classifier_is_that_of_keras(name: str, arguments: dict[str, Any]) -> None:
    arguments = {"weights": None, "include_top": False, **arguments}
    theirs = getattr(keras.applications, name)(**arguments)
    ours = getattr(keras_fn.applications, name)(**arguments)
    assert structure(ours) == structure(theirs)
    assert config_of(ours) == config_of(theirs)


CHANNELS_FIRST = ["EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "InceptionResNetV2",
                  "Xception"]  # fmt: skip


@pytest.mark.parametrize("name", CHANNELS_FIRST)
def test_channels_first_is_that_of_keras(name: str) -> None:
    keras.config.set_image_data_format("channels_first")
    keras_fn.config.set_image_data_format("channels_first")
    theirs = getattr(keras.applications, name)(weights=None)
    ours = getattr(keras_fn.applications, name)(weights=None)
    assert structure(ours) == structure(theirs)
    assert config_of(ours) == config_of(theirs)


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "InceptionResNetV2"])
def test_whole_models_are_read_both_ways(name: str, tmp_path: Path) -> None:
    theirs = getattr(keras.applications, name)(**arguments_of(name))
    randomize(theirs)
    images = np.random.default_rng(1).uniform(-1, 1, (2, *theirs.input_shape[1:]))
    expected = keras.ops.convert_to_numpy(theirs(images.astype("float32")))
    theirs.save(tmp_path / "theirs.keras")
    ours = keras_fn.models.load_model(tmp_path / "theirs.keras")
    computed = keras_fn.ops.convert_to_numpy(ours(images.astype("float32")))
    tolerance = 2e-4 * np.abs(expected).max()
    np.testing.assert_allclose(computed, expected, rtol=0, atol=tolerance)
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    read = keras.ops.convert_to_numpy(again(images.astype("float32")))
    np.testing.assert_allclose(read, expected, rtol=0, atol=tolerance)
