"""What one family has and no other: scaling of images, sizes and data formats that it needs."""

import math

import pytest

import keras_fn as keras
from keras_fn.applications import published_weights

WITHOUT_TOP = {"include_top": False, "input_shape": (32, 32, 3)}


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def scales(model: keras.Model) -> list[float | list[float]]:
    return [layer.scale for layer in model.layers if isinstance(layer, keras.layers.Rescaling)]


def test_published_weights_of_efficientnet_expect_one_more_scaling(monkeypatch):
    read = []
    monkeypatch.setattr(published_weights, "fetch", lambda file: file.name)
    monkeypatch.setattr(keras.Model, "load_weights", lambda self, path: read.append(path))
    own, published = (
        keras.applications.EfficientNetB0(weights=weights, **WITHOUT_TOP)
        for weights in (None, "imagenet")
    )
    roots = [1 / math.sqrt(x) for x in (0.229, 0.224, 0.225)]
    assert scales(own) == [1 / 255]
    assert scales(published) == [1 / 255, pytest.approx(roots)]
    assert read == ["efficientnetb0_notop.h5"]


@pytest.mark.parametrize(
    ("name", "channels", "expected"),
    [
        ("EfficientNetV2B0", 3, ["Rescaling", "Normalization"]),
        ("EfficientNetV2B0", 5, ["Rescaling"]),
        ("EfficientNetV2S", 3, ["Rescaling"]),
        ("ConvNeXtTiny", 3, ["Normalization"]),
        ("ConvNeXtTiny", 5, []),
    ],
)
def test_images_are_scaled_in_the_model(name, channels, expected):
    arguments = {"weights": None, "include_top": False, "input_shape": (32, 32, channels)}
    function = getattr(keras.applications, name)
    own = [
        [type(layer).__name__ for layer in function(**arguments, include_preprocessing=flag).layers]
        for flag in (True, False)
    ]
    assert own[0] == ["InputLayer", *expected, *own[1][1:]]


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "ConvNeXtXLarge"])
def test_convnext_with_channels_first_is_refused(name, channels_first):
    with pytest.raises(ValueError, match="Permute"):
        getattr(keras.applications, name)(weights=None)


def test_nasnet_needs_sizes():
    with pytest.raises(ValueError, match="height and width are known"):
        keras.applications.NASNetMobile(
            weights=None, **WITHOUT_TOP | {"input_shape": (None, 32, 3)}
        )
    images = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="height and width are known"):
        keras.applications.NASNetLarge(weights=None, include_top=False, input_tensor=images)


@pytest.mark.parametrize(("size", "last"), [(32, 1), (67, 3)])  # even and odd in between
def test_nasnet_halves_the_size_where_the_one_before_did(size, last, channels_first):
    shape = (3, size, size + 1)
    model = keras.applications.NASNetMobile(weights=None, include_top=False, input_shape=shape)
    assert model.count_params() == 4_269_716
    assert model.output_shape == (None, 1056, last, last)


def test_a_model_of_any_name_has_the_layers_of_its_architecture():
    model = keras.applications.EfficientNetV2B0(weights=None, name="mine", **WITHOUT_TOP)
    assert model.name == "mine" and model.get_layer("block6h_add").output.shape == (None, 1, 1, 192)
    model = keras.applications.ConvNeXtTiny(weights=None, name="mine", **WITHOUT_TOP)
    assert model.get_layer("mine_stage_3_block_2_identity").output.shape == (None, 1, 1, 768)
