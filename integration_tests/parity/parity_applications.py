"""Every application next to real Keras, in the same process: configs, files and outputs.

`nox -s "parity(jax)"` runs it. Real Keras builds a model and writes its weights; ours reads the
file, and both compute the same. Names, shapes and counts at full size stand in
`tests/fixtures/applications.json`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from application_cases import CHANNELS_LAST, FAMILIES, NAMES, build
from real_keras import keras

import keras_fn

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
BACKEND = keras.config.backend()
MIN_SIZES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
TORCH_REFUSES = ("NASNetMobile",)  # Keras does, on PyTorch
OFFERED = [name for name in NAMES if BACKEND != "torch" or name not in TORCH_REFUSES]
OFFERED_FAMILIES = [name for name in FAMILIES if name in OFFERED]
# TensorFlow has no convolution with channels first on a CPU.
FIRST = [name for name in OFFERED_FAMILIES if not name.startswith(CHANNELS_LAST)]
FIRST = [] if BACKEND == "tensorflow" else FIRST
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5}),
    ("MobileNetV2", {"alpha": 0.35}),
    ("MobileNetV3Small", {"minimalistic": True, "include_preprocessing": False}),
    ("MobileNetV3Large", {"alpha": 1.25, "dropout_rate": 0.0}),
    ("ConvNeXtTiny", {"include_preprocessing": False}),
    ("EfficientNetV2B0", {"include_preprocessing": False}),
]


@pytest.fixture(autouse=True)
def _without_draws() -> Iterator[None]:
    """Real Keras draws no initial weights, which takes longer than all else."""
    zeros = keras.initializers.Zeros()
    random = keras.initializers.VarianceScaling
    with mock.patch.object(random, "__call__", lambda _, shape, dtype=None: zeros(shape, dtype)):
        yield
    keras.utils.clear_session()
    keras_fn.utils.clear_session()


def arguments_for(name: str, data_format: str = "channels_last", **more: Any) -> dict[str, Any]:
    size = MIN_SIZES.get(name, 64)
    shape = (3, size, size + 2) if data_format == "channels_first" else (size, size + 2, 3)
    return {"input_shape": shape, "classes": 10, "classifier_activation": None, **more}


GAINS = {"mobilenetv3": 6, "efficientnetv2": 1}
"""Variances of the weights for which signals do not vanish, and do not grow until errors grow too:
2 for most architectures. MobileNetV3 has activations that are half of small inputs."""


def is_named(model: Any, start: str) -> bool:
    return model.name.lower().startswith(start)


def drawn_weights(model: Any) -> list[np.ndarray]:
    """Values with which the outputs of a deep model depend on all of its weights."""
    random = np.random.default_rng(0)
    values = []
    for weight in model.weights:
        shape, kind = tuple(weight.shape), weight.path.rpartition("/")[2]
        if "int" in keras.backend.standardize_dtype(weight.dtype):
            values.append(np.zeros(shape, "int32"))
        elif kind in ("gamma", "moving_variance", "variance"):
            values.append(random.uniform(0.7, 1.1, shape).astype("float32"))
        elif len(shape) < 2:
            values.append(random.uniform(-0.1, 0.1, shape).astype("float32"))
        else:
            is_depthwise = "dw" in weight.path or "depthwise" in weight.path
            inputs = shape[:2] if is_depthwise else shape[:-1]
            gain = next((gain for start, gain in GAINS.items() if is_named(model, start)), 2)
            scale = np.float32(np.sqrt(gain / np.prod(inputs)))
            values.append(random.standard_normal(shape, "float32") * scale)
    return values


def images(model: Any) -> np.ndarray:
    """Returns a dark and a bright image: means over noise alone would hardly differ."""
    x = np.random.default_rng(1).uniform(0, 100, (2, *model.input_shape[1:]))
    x[1] += np.linspace(0, 155, x.shape[2])[:, None]
    scales_itself = any(type(layer).__name__ == "Rescaling" for layer in model.layers)
    return (x if scales_itself else x / 127.5 - 1).astype("float32")


def assert_same_outputs(ours: Any, theirs: Any) -> None:
    x = images(theirs)
    expected = np.asarray(theirs.predict(x, verbose=0))
    found = np.asarray(ours.predict(x, verbose=0))
    size = np.abs(expected).max()
    assert np.isfinite(size)
    assert np.ptp(expected, axis=0).max() > 1e-4 * size  # it depends on the image
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-4 * size)


def their_model(name: str, arguments: dict[str, Any], data_format: str = "channels_last") -> Any:
    theirs = build(keras, name, arguments, data_format)
    theirs.set_weights(drawn_weights(theirs))
    for layer in theirs.layers:
        # On JAX, Keras goes on with the old statistics after `set_weights` alone.
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    return theirs


def plain(value: Any) -> Any:
    """Returns a config without what asks for nothing, as `parity_layers` compares them."""
    if isinstance(value, dict):
        skipped = {"quantization_config", "lora_rank", "lora_alpha"}
        items = {k: plain(v) for k, v in value.items() if v is not None or k not in skipped}
        # Keras adds an InputLayer to a Sequential without one when it is called; here
        # `build_input_shape` alone says the shape, as it does in Keras's config, too.
        if "build_input_shape" in items and items["layers"][0]["class_name"] == "InputLayer":
            items["layers"] = items["layers"][1:]
        # Keras writes the axis of a normalization as a list once the layer is built.
        axis = items.get("axis")
        return items | ({"axis": axis[0]} if isinstance(axis, list) and len(axis) == 1 else {})
    return list(map(plain, value)) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("name", OFFERED)
def test_outputs_given_the_same_weights(name: str, record_property: Any) -> None:
    theirs = their_model(name, arguments_for(name))
    ours = build(keras_fn, name, arguments_for(name), "channels_last")
    ours.set_weights(theirs.get_weights())
    assert_same_outputs(ours, theirs)
    record_property("application", "same outputs")


@pytest.mark.parametrize("name", FIRST)
def test_outputs_with_channels_first(name: str) -> None:
    arguments = arguments_for(name, "channels_first", include_top=False, pooling="max")
    theirs = their_model(name, arguments, "channels_first")
    ours = build(keras_fn, name, arguments, "channels_first")
    ours.set_weights(theirs.get_weights())
    assert_same_outputs(ours, theirs)


@pytest.mark.parametrize(("name", "more"), VARIANTS)
def test_outputs_of_variants(name: str, more: dict[str, Any]) -> None:
    arguments = arguments_for(name, **more)
    theirs = their_model(name, arguments)
    ours = build(keras_fn, name, arguments, "channels_last")
    ours.set_weights(theirs.get_weights())
    assert_same_outputs(ours, theirs)


@pytest.mark.parametrize("name", OFFERED)
def test_configs(name: str) -> None:
    with keras.device("meta" if BACKEND == "torch" else "cpu:0"):
        theirs = build(keras, name, {}, "channels_last").get_config()
    ours = build(keras_fn, name, {}, "channels_last").get_config()
    for one, other in zip(ours["layers"], theirs["layers"], strict=True):
        found, expected = (plain(json.loads(json.dumps(_serializable(x)))) for x in (one, other))
        assert found == expected


def _serializable(layer: dict[str, Any]) -> dict[str, Any]:
    """Returns the config of a layer without the tensors that it is called on."""
    return {
        key: value
        for key, value in layer.items()
        if key in ("name", "config", "class_name", "registered_name", "module")
    }


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
@pytest.mark.parametrize("name", OFFERED_FAMILIES)
def test_a_weights_file_of_keras_is_read(name: str, suffix: str, tmp_path: Path) -> None:
    theirs = their_model(name, arguments_for(name))
    file = tmp_path / f"theirs{suffix}"
    if suffix == ".h5":  # the layout of the published files
        theirs.save(file)
    else:
        theirs.save_weights(file)
    arguments = {**arguments_for(name), "weights": file}
    ours = getattr(keras_fn.applications, name)(**arguments)
    for found, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", OFFERED_FAMILIES)
def test_model_files_are_read_by_the_other(name: str, tmp_path: Path) -> None:
    theirs = their_model(name, arguments_for(name))
    theirs.save(tmp_path / "theirs.keras")
    ours = keras_fn.models.load_model(tmp_path / "theirs.keras")
    assert_same_outputs(ours, theirs)
    ours = build(keras_fn, name, arguments_for(name), "channels_last")
    ours.set_weights(theirs.get_weights())
    ours.save(tmp_path / "ours.keras")
    assert_same_outputs(ours, keras.models.load_model(tmp_path / "ours.keras"))
