"""Preprocessing of images and names of predictions."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.applications import imagenet_utils, published_weights

MEAN = {"caffe": (103.939, 116.779, 123.68), "torch": (0.485, 0.456, 0.406)}
DEVIATION = (0.229, 0.224, 0.225)
MODES = ("caffe", "tf", "torch")


def images(dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (2, 3, 4, 3)).astype(dtype)


def expected(x: np.ndarray, mode: str) -> np.ndarray:
    x = x.astype("float64")
    if mode == "tf":
        return x / 127.5 - 1
    if mode == "caffe":
        return x[..., ::-1] - MEAN["caffe"]
    return (x / 255 - MEAN["torch"]) / DEVIATION


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["array", "tensor", "symbolic"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_values(mode, kind, data_format):
    x = images()
    given = np.moveaxis(x, -1, 1) if data_format == "channels_first" else x
    if kind == "tensor":
        given = keras.ops.convert_to_tensor(given)
    if kind == "symbolic":
        inputs = keras.Input(given.shape[1:])
        outputs = imagenet_utils.preprocess_input(inputs, data_format, mode)
        result = keras.Model(inputs, outputs)(given)
    else:
        result = imagenet_utils.preprocess_input(given, data_format, mode)
    assert isinstance(result, np.ndarray) == (kind == "array")
    result = keras.ops.convert_to_numpy(result)
    if data_format == "channels_first":
        result = np.moveaxis(result, 1, -1)
    np.testing.assert_allclose(result, expected(x, mode), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("dtype", "result"),
    [("uint8", "float32"), ("float16", "float16"), ("float32", "float32"), ("int64", "float32")],
)
def test_dtypes(mode, dtype, result):
    x = images(dtype)
    assert imagenet_utils.preprocess_input(x, mode=mode).dtype == result
    tensor = imagenet_utils.preprocess_input(keras.ops.convert_to_tensor(x), mode=mode)
    assert keras.backend.standardize_dtype(tensor.dtype) == result


def test_an_image_without_batch_axis_and_the_argument_unchanged():
    x = images()
    before = x.copy()
    one = imagenet_utils.preprocess_input(x[0])
    np.testing.assert_array_equal(one, imagenet_utils.preprocess_input(x)[0])
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("module", "mode"),
    [
        ("vgg16", "caffe"), ("vgg19", "caffe"), ("resnet", "caffe"), ("resnet50", "caffe"),
        ("resnet_v2", "tf"), ("densenet", "torch"), ("mobilenet", "tf"), ("mobilenet_v2", "tf"),
        ("mobilenet_v3", None), ("efficientnet", None), ("efficientnet_v2", None),
        ("convnext", None), ("inception_v3", "tf"), ("inception_resnet_v2", "tf"),
        ("xception", "tf"), ("nasnet", "tf"),
    ],
)  # fmt: skip
def test_a_family_has_its_mode(module, mode):
    family = getattr(keras.applications, module)
    assert family.decode_predictions is imagenet_utils.decode_predictions
    x = images()
    if mode is None:
        assert family.preprocess_input(x) is x
    else:
        np.testing.assert_allclose(
            family.preprocess_input(x), expected(x, mode), rtol=1e-4, atol=1e-5
        )
    with pytest.raises(ValueError, match="data_format"):
        family.preprocess_input(x, data_format="last")


def test_invalid_images_and_modes_are_refused():
    with pytest.raises(ValueError, match="3 channels on axis -1"):
        imagenet_utils.preprocess_input(images()[..., :1])
    with pytest.raises(ValueError, match="'caffe' or 'tf' or 'torch'"):
        imagenet_utils.preprocess_input(images(), mode="keras")
    assert imagenet_utils.preprocess_input(images()[..., :1], mode="tf").shape == (2, 3, 4, 1)


@pytest.fixture
def index(mirror, monkeypatch) -> dict[str, list[str]]:
    """Publishes names of 1,000 classes."""
    names = {str(i): [f"n{i:08}", f"class_{i}"] for i in range(1000)}
    content = json.dumps(names).encode()
    (mirror / published_weights.CLASS_INDEX.name).write_bytes(content)
    file_hash = hashlib.md5(content).hexdigest()
    file = replace(published_weights.CLASS_INDEX, file_hash=file_hash)
    monkeypatch.setattr(published_weights, "CLASS_INDEX", file)
    return names


def test_predictions_are_named_the_most_probable_first(index):
    preds = np.zeros((2, 1000), "float32")
    preds[0, [7, 3, 999]] = 0.5, 0.3, 0.2
    preds[1, 0] = 1.0
    first, second = imagenet_utils.decode_predictions(keras.ops.convert_to_tensor(preds), top=3)
    assert [name for _, name, _ in first] == ["class_7", "class_3", "class_999"]
    assert first[0] == ("n00000007", "class_7", np.float32(0.5))
    assert second[0][1] == "class_0"
    assert len(imagenet_utils.decode_predictions(preds)[0]) == 5
    assert len(imagenet_utils.decode_predictions(preds, top=np.int64(2))[0]) == 2


def test_names_of_another_hash_are_refused(mirror):
    (mirror / published_weights.CLASS_INDEX.name).write_text("{}")
    with pytest.raises(ValueError, match="c2c37ea517e94d9795004a39431a14cb"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)))


@pytest.mark.parametrize("top", [0, 1001, 2.0, True])
def test_an_invalid_number_of_names_is_refused(top):
    with pytest.raises(ValueError, match="from 1 to 1000"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)), top)
