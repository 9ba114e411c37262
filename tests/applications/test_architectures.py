"""Every application has the layers and weights that Keras's has: names, shapes, order, counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from application_cases import FACTS, FAMILIES, NAMES, build, case_id, cases, describe, table

import keras_fn as keras

NOTED = json.loads(FACTS.read_text("utf-8"))


# The variants of these run at every push, and the default of one application of each family.
SHORT = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "VGG16")


def parameters() -> list[Any]:
    """All cases; a case that is not noted fails."""
    found = []
    for case in cases():
        name, arguments, _ = case
        is_short = name in SHORT or (name in FAMILIES and not arguments)
        marks = [] if is_short else [pytest.mark.thorough]
        found.append(pytest.param(*case, id=case_id(*case), marks=marks))
    return found


@pytest.mark.parametrize(("name", "arguments", "data_format"), parameters())
def test_layers_and_weights_are_those_of_keras(name, arguments, data_format):
    model = build(keras, name, arguments, data_format)
    assert describe(model) == NOTED[case_id(name, arguments, data_format)]


@pytest.mark.parametrize("name", [name for name in FAMILIES if name.startswith("DenseNet")])
def test_data_formats_that_keras_refuses_work(name):
    first = build(keras, name, {"include_top": False}, "channels_first")
    last = build(keras, name, {"include_top": False}, "channels_last")
    assert first.output_shape[1] == last.output_shape[-1]
    assert [w.shape for w in first.weights] == [w.shape for w in last.weights]


def test_all_names_are_noted():
    names = {name for name in dir(keras.applications) if name[0].isupper()}
    assert names == set(NAMES)


def test_the_page_shows_the_noted_numbers():
    page = Path(__file__).parents[2] / "docs" / "applications.md"
    facts = {name: NOTED[case_id(name, {}, "channels_last")] for name in NAMES}
    assert page.read_text("utf-8").endswith(table(facts) + "\n")


def test_a_module_of_a_family_has_the_functions_of_the_namespace():
    applications = keras.applications
    assert applications.resnet50.ResNet50 is applications.ResNet50
    assert applications.resnet.ResNet152 is applications.ResNet152
    assert dir(applications.vgg16) == ["VGG16", "decode_predictions", "preprocess_input"]


def test_a_model_is_built_on_a_given_tensor():
    images = keras.Input((None, None, 1), name="gray")
    rgb = keras.layers.Concatenate()([images] * 3)
    model = keras.applications.MobileNet(alpha=0.25, weights=None, input_tensor=rgb)
    assert [x.name for x in model.inputs] == ["gray"]
    assert model.output_shape == (None, 1000)
