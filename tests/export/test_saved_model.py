"""SavedModels: what they contain, and that they run elsewhere: with TensorFlow alone, in Keras."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import SpecError

BACKEND = keras.config.backend()
if BACKEND == "torch":
    pytest.skip("written by TensorFlow, and by jax2tf", allow_module_level=True)
tf = pytest.importorskip("tensorflow")

L = keras.layers
X = np.sin(np.arange(15.0)).reshape(5, 3).astype("float32")
Z = np.cos(np.arange(20.0)).reshape(5, 4).astype("float32")


def dense_model() -> keras.Model:
    return keras.Sequential(
        [keras.Input((3,), name="x"), L.Dense(2), L.Dropout(0.5), L.BatchNormalization()]
    )


def array(x: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


def nested_model() -> keras.Model:
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    return keras.Model([a, {"q": b}], {"u": [L.Dense(2)(a), a], "v": L.Dense(1)(b)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="module")
def model(folder: Path) -> keras.Model:
    model = dense_model()
    model.export(folder / "dense", verbose=False)
    return model


def test_it_computes_what_the_model_does_for_any_batch_size(model: keras.Model, folder: Path):
    saved = tf.saved_model.load(str(folder / "dense"))
    for batch in (X, X[:2]):
        np.testing.assert_allclose(saved.serve(batch), array(model(batch)), atol=1e-5)
    for name in ("serve", "serving_default"):
        found = saved.signatures[name](x=tf.constant(X))
        np.testing.assert_allclose(found["output_0"], array(model(X)), atol=1e-5)


def test_weights_are_variables_each_once(model: keras.Model, folder: Path):
    saved = tf.saved_model.load(str(folder / "dense"))
    assert len(saved.variables) == len(model.variables)
    assert len(saved.trainable_variables) == len(model.trainable_variables)
    assert len(saved.non_trainable_variables) == len(model.non_trainable_variables)
    before = saved.serve(X)
    saved.trainable_variables[0].assign(np.zeros((3, 2), "float32"))
    assert np.abs(before - saved.serve(X)).max() > 0.01
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(saved.serve(X) ** 2)
    assert all(g is not None for g in tape.gradient(loss, saved.trainable_variables))


def test_names_of_inputs_and_outputs(folder: Path):
    model = nested_model()
    model.export(folder / "nested", verbose=False)
    saved = tf.saved_model.load(str(folder / "nested"))
    expected = model([X, {"q": Z}])
    found = saved.serve([tf.constant(X), {"q": tf.constant(Z)}])
    np.testing.assert_allclose(found["u"][0], array(expected["u"][0]), atol=1e-5)
    np.testing.assert_allclose(found["v"], array(expected["v"]), atol=1e-5)
    flat = saved.signatures["serving_default"](a=tf.constant(X), b=tf.constant(Z))
    assert len(flat) == 3
    assert any(np.allclose(v, found["v"]) for v in flat.values())


def test_unknown_sizes_of_other_axes_are_dynamic(folder: Path):
    x = keras.Input((None, 3), name="x")
    model = keras.Model(x, L.GRU(2)(x))
    model.export(folder / "steps", verbose=False)
    saved = tf.saved_model.load(str(folder / "steps"))
    for steps in (2, 4):
        batch = np.ones((2, steps, 3), "float32")
        np.testing.assert_allclose(saved.serve(batch), array(model(batch)), atol=1e-5)


def test_a_model_of_a_class_is_exported_for_the_inputs_that_it_saw(folder: Path):
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, x):
            return self.dense(x) * 2

    model = Twice()
    with pytest.raises(SpecError, match="call it on data once"):
        model.export(folder / "twice")
    model(X)
    model.export(folder / "twice", verbose=False)
    saved = tf.saved_model.load(str(folder / "twice"))
    np.testing.assert_allclose(saved.serve(X[:1]), array(model(X[:1])), atol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TFSMLayer runs on TensorFlow")
def test_our_layer_reads_it_and_trains_it(model: keras.Model, folder: Path):
    layer = L.TFSMLayer(folder / "dense")
    np.testing.assert_allclose(array(layer(X)), array(model(X)), atol=1e-5)
    assert len(layer.trainable_weights) == 4
    outer = keras.Sequential([keras.Input((3,)), layer, L.Dense(1)])
    outer.compile("sgd", "mse")
    before = layer.trainable_weights[0].numpy().copy()
    outer.fit(X, np.ones((5, 1)), verbose=0)
    assert np.abs(layer.trainable_weights[0].numpy() - before).max() > 0


@pytest.mark.thorough  # imports TensorFlow again
@pytest.mark.skipif(BACKEND != "tensorflow", reason="one backend is enough")
def test_it_loads_in_a_process_without_keras_fn(model: keras.Model, folder: Path):
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        f"saved = tf.saved_model.load({str(folder / 'dense')!r})\n"
        f"x = np.sin(np.arange(15.0)).reshape(5, 3).astype('float32')\n"
        "assert not any('keras_fn' in name for name in sys.modules)\n"
        "print(saved.serve(x).numpy().tolist())"
    )
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout
    np.testing.assert_allclose(eval(printed), array(model(X)), atol=1e-5)


def test_what_is_there_is_replaced_only_if_it_is_a_saved_model(model: keras.Model, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SpecError, match="is not replaced"):
        model.export(tmp_path, verbose=False)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    model.export(tmp_path / "new" / "model", verbose=False)
    model.export(tmp_path / "new" / "model", verbose=False)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["model"]
