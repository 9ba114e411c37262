"""`Model.extract`: feature models that end at inner tensors, in nested and shared layers too."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops


@pytest.fixture(scope="module")
def model():
    image, text = keras.Input((4, 4, 1), name="image"), keras.Input((3,), name="text")
    conv = layers.Conv2D(2, 3, name="conv")
    encoder = keras.Sequential([conv, layers.Flatten(), layers.Dropout(0.5)], name="encoder")
    start = keras.Input((4, 4, 1))
    tower = keras.Model(start, layers.Dense(5, name="head")(encoder(start)), name="tower")
    shared = layers.Dense(3, name="shared")
    joined = layers.Concatenate(name="joined")([tower(image), shared(shared(text))])
    outputs = {"score": layers.Dense(1, name="score")(joined)}
    return keras.Model({"image": image, "text": text}, outputs, name="model")


def draw(shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def values(x):
    return ops.convert_to_numpy(x)


def test_a_layer_of_nested_models(model):
    features = model.extract("tower/encoder/conv", name="features")
    assert features.name == "features"
    assert features.input_names == ["image"]  # which is all that it depends on
    conv = model.get_layer("tower").get_layer("encoder").get_layer("conv")
    assert features.weights == conv.weights
    x = draw((2, 4, 4, 1))
    np.testing.assert_array_equal(values(features({"image": x})), values(conv(x)))


def test_paths_nested_as_the_outputs(model):
    features = model.extract({"first": "shared:0", "rest": ["joined", "tower/head"]})
    x, text = draw((2, 4, 4, 1)), draw((2, 3))
    found = features.predict({"image": x, "text": text}, verbose=0)
    shared = model.get_layer("shared")
    np.testing.assert_allclose(found["first"], values(shared(text)), rtol=1e-6)
    tower = values(model.get_layer("tower")(x))
    np.testing.assert_allclose(found["rest"][1], tower, rtol=1e-6)
    twice = values(shared(shared(text)))
    np.testing.assert_allclose(found["rest"][0], np.concatenate([tower, twice], 1), rtol=1e-5)


def test_layers_still_have_the_single_output_of_their_own_call(model):
    conv = model.get_layer("tower").get_layer("encoder").get_layer("conv")
    before = conv.output
    model.extract("tower/encoder/conv")
    assert conv.output is before


def test_a_call_with_training_false_stays_one():
    x = keras.Input((3,))
    base = keras.Sequential([keras.Input((3,)), layers.Dropout(0.5, name="drop")], name="base")
    model = keras.Model(x, layers.Dense(1)(base(x, training=False)))
    features = model.extract("base/drop")
    data = np.ones((4, 3), "float32")
    np.testing.assert_array_equal(values(features(data, training=True)), data)


def test_an_op_an_input_and_a_stack():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, layers.Dense(1)(ops.relu(x) + 1.0))
    name = model.operations[1].name
    assert values(model.extract(name)(np.float32([[-1, 0, 2]]))).tolist() == [[0, 0, 2]]
    assert model.extract("x").output_shape == (None, 3)
    stack = keras.Sequential([layers.Dense(2, name="a"), layers.Dense(3, name="b")])
    stack.build((None, 4))
    assert stack.extract("a").output_shape == (None, 2)


def test_a_feature_model_is_saved_and_read(model, tmp_path):
    features = model.extract(["tower/encoder/conv", "tower/head"])
    features.save(tmp_path / "features.keras")
    x = draw((2, 4, 4, 1))
    again = keras.models.load_model(tmp_path / "features.keras")({"image": x})
    for one, other in zip(features({"image": x}), again, strict=True):
        np.testing.assert_allclose(values(one), values(other), rtol=1e-6)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("shared", "choose one: shared:0 to shared:1"),
        ("shared:2", "shared:1 is the last one"),
        ("tower/hea", "for example 'head'"),
        ("tower:1", "tower:0 is the last one"),
        ("joined/x", "end the path at 'joined'"),
        ("", "the name of a layer or op of 'model'"),
    ],
)
def test_a_path_that_names_no_call_is_refused(model, path, words):
    with pytest.raises(ValueError, match=words) as caught:
        model.extract(path)
    assert f"Functional model 'model', extract of {path!r}" in str(caught.value)


def test_a_model_without_a_graph_is_refused(model):
    with pytest.raises(TypeError, match="paths of layers as text"):
        model.extract(3)
    with pytest.raises(ValueError, match="begin it with an Input"):
        keras.Sequential([layers.Dense(2, name="a")]).extract("a")

    class Subclass(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="a subclassed model"):
        Subclass().extract("a")
