"""SavedModels of TensorFlow as layers."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current

if current().name != "tensorflow":
    pytest.skip("programs of TensorFlow", allow_module_level=True)

import tensorflow as tf

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
SPEC = [tf.TensorSpec((None, 3))]


class Dense(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.ones((3, 2)), name="w")
        self.calls = tf.Variable(0.0, trainable=False, name="calls")

    @tf.function(input_signature=SPEC)
    def serve(self, x):
        return x @ self.w

    @tf.function(input_signature=SPEC)
    def train(self, x):
        self.calls.assign_add(1.0)
        return 2 * (x @ self.w)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("saved") / "model")
    module = Dense()
    tf.saved_model.save(module, path, signatures={"serving_default": module.serve})
    return path


def test_an_endpoint_is_trained_frozen_and_its_weights_go_to_a_file(folder, tmp_path):
    layer = layers.TFSMLayer(folder, call_training_endpoint="train")
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 2)
    assert [(tuple(v.shape), v.trainable) for v in layer.weights] == [((3, 2), True), ((), False)]
    model.compile("sgd", "mse")
    model.fit(X, np.ones((4, 2)), verbose=0)
    w, calls = layer.get_weights()
    assert not np.allclose(w, 1) and calls == 1
    expected = model.predict(X, verbose=0)
    np.testing.assert_allclose(expected, X @ w, rtol=1e-5)
    model.save_weights(tmp_path / "model.weights.h5")
    other = keras.Model(inputs, layers.TFSMLayer(folder, call_training_endpoint="train")(inputs))
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(other.predict(X, verbose=0), expected, rtol=1e-6)
    layer.trainable = False
    assert not model.trainable_weights


def test_a_signature_is_an_endpoint_too(folder):
    layer = layers.TFSMLayer(folder, call_endpoint="serving_default")
    (output,) = layer(X).values()
    np.testing.assert_allclose(ops.convert_to_numpy(output), X @ np.ones((3, 2)), rtol=1e-5)
    assert layer(keras.Input((3,)))["output_0"].shape == (None, 2)
    with pytest.raises(ValueError, match=r"serving_default(.|\n)*nope"):
        layers.TFSMLayer(folder, call_endpoint="nope")


def test_files_name_no_programs(folder, tmp_path):
    layer = layers.TFSMLayer(folder)
    inputs = keras.Input((3,))
    with pytest.raises(ValueError, match="a program of TensorFlow"):
        keras.Model(inputs, layer(inputs)).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"TFSMLayer\(filepath\)"):
        layers.TFSMLayer.from_config(layer.get_config())
    again = layers.TFSMLayer.from_config(layer.get_config(), safe_mode=False)
    assert again.filepath == folder
