"""Whole models on a third-party backend: built, called, saved, loaded from Keras's files."""

import sys
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import UnsupportedError

FILES = Path(__file__).parents[2] / "fixtures" / "keras_files"
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(7, 2, 8, 8, 3)).astype("float32")  # two images for each sample
WORDS = RNG.integers(1, 20, size=(7, 5)).astype("int32")
WORDS[:, 3:] = 0


@pytest.fixture
def model():
    """Two images share layers; together with a sentence they are mapped to a class and a score."""
    keras.utils.set_random_seed(1)
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    words = keras.Input((None,), dtype="int32", name="words")
    conv, norm = layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()
    pool = layers.GlobalMaxPooling2D()
    seen = [pool(ops.relu(norm(conv(image)))) for image in (left, right)]
    read = layers.LSTM(5)(layers.Embedding(20, 6, mask_zero=True)(words))
    x = layers.Dropout(0.5)(layers.concatenate([*seen, read]))
    outputs = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(x),
        "score": layers.Dense(1, name="score")(ops.abs(seen[0] - seen[1])),
    }
    return keras.Model({"left": left, "right": right, "words": words}, outputs)


@pytest.fixture
def inputs():
    return {"left": IMAGES[:, 0], "right": IMAGES[:, 1], "words": WORDS}


def test_the_backend_is_found_by_its_entry_point():
    assert keras.backend.backend() == "numpy"
    assert not {"jax", "torch", "tensorflow"} & set(sys.modules)


def test_shapes_are_inferred_and_shared_layers_are_listed_once(model):
    assert model.output_shape == [(None, 3), (None, 1)]
    assert sum(isinstance(layer, layers.Conv2D) for layer in model.layers) == 1
    assert model.count_params() == (3 * 9 * 4 + 4) + 16 + 20 * 6 + 4 * 5 * (6 + 5 + 1) + 42 + 5


def test_predict_in_batches_equals_one_call(model, inputs):
    whole = model(inputs, training=False)
    batches = model.predict(inputs, batch_size=3, verbose=0)
    for key in ("kind", "score"):
        np.testing.assert_allclose(batches[key], whole[key], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(batches["kind"].sum(-1), 1.0, rtol=1e-5)
    swapped = {**inputs, "left": inputs["right"], "right": inputs["left"]}
    np.testing.assert_allclose(
        model.predict(swapped, verbose=0)["score"], batches["score"], rtol=1e-4, atol=1e-6
    )


def test_masked_words_are_ignored(model, inputs):
    shorter = {**inputs, "words": WORDS[:, :3]}
    for key, value in model.predict(shorter, verbose=0).items():
        np.testing.assert_allclose(value, model.predict(inputs, verbose=0)[key], rtol=1e-5)


def test_evaluate_agrees_with_numpy(model, inputs):
    model.compile(
        loss={"kind": "sparse_categorical_crossentropy", "score": "mse"},
        metrics={"kind": ["accuracy"], "score": ["mae"]},
    )
    kinds, scores = RNG.integers(0, 3, 7), RNG.normal(size=(7, 1)).astype("float32")
    found = model.evaluate(
        inputs, {"kind": kinds, "score": scores}, batch_size=4, verbose=0, return_dict=True
    )
    predicted = model.predict(inputs, verbose=0)
    right = predicted["kind"][np.arange(7), kinds]
    error = predicted["score"] - scores
    expected = {
        "loss": -np.log(right).mean() + (error**2).mean(),
        "kind_accuracy": (predicted["kind"].argmax(-1) == kinds).mean(),
        "score_mae": np.abs(error).mean(),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_saved_models_are_restored(model, inputs, tmp_path, name):
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name)
    for key, value in model.predict(inputs, verbose=0).items():
        np.testing.assert_array_equal(again.predict(inputs, verbose=0)[key], value)


@pytest.mark.parametrize("name", ["cnn_bn", "lstm", "ticket", "toy_resnet"])
def test_files_of_keras_reproduce_its_outputs(name):
    model = keras.models.load_model(FILES / f"{name}.keras")
    data = np.load(FILES / f"{name}.npz")
    inputs = {key.removeprefix("in/"): x for key, x in data.items() if key.startswith("in/")}
    outputs = model(inputs if isinstance(model.input, dict) else list(inputs.values()))
    if not isinstance(outputs, dict):
        outputs = dict(enumerate(outputs if isinstance(outputs, list) else [outputs]))
    assert {f"out/{key}" for key in outputs} == {key for key in data if key.startswith("out/")}
    for key, value in outputs.items():
        np.testing.assert_allclose(value, data[f"out/{key}"], atol=1e-5, rtol=1e-5)


def test_layers_may_call_numpy_directly():
    class Median(layers.Layer):
        def call(self, x):
            return np.median(x, axis=-1, keepdims=True)

    x = keras.Input((None, 4))
    model = keras.Model(x, Median()(x))
    assert model.output_shape == (None, None, 1)
    assert model.predict(np.array([[[1.0, 2, 3, 9]]]), verbose=0).tolist() == [[[2.5]]]


def test_fit_raises_without_gradients():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(
        UnsupportedError, match=r"has no gradients: it is for inference only\n  fix: train"
    ):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
