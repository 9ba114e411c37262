"""Models on the Hugging Face Hub, both ways: Keras loads what we upload, and we what it does.

A server on this machine stands in for the hub. Keras needs TensorFlow to load from it, on any
backend; there is no such need here.
"""

import os

import numpy as np
import pytest
from hub_server import HubServer, replace_hub
from real_keras import keras

import keras_fn

huggingface_hub = pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
X = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    # It draws the model where pydot is installed, and needs graphviz for it.
    monkeypatch.setattr(keras.src.saving.saving_lib, "check_pydot", lambda: False)
    with HubServer() as server:
        replace_hub(server, monkeypatch, tmp_path / "cache")
        yield server
        huggingface_hub.close_session()


def trained(package):
    layers = package.layers
    model = package.Sequential([package.Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    model.compile("adam", "mse")
    model.fit(X, np.ones((2, 2)), verbose=0)
    return model


def assert_same(model, other):
    np.testing.assert_allclose(
        model.predict(X, verbose=0), other.predict(X, verbose=0), rtol=1e-6, atol=1e-7
    )
    assert int(other.optimizer.iterations) == 1


def test_we_load_what_keras_uploads(hub):
    model = trained(keras)
    model.save("hf://me/model")
    assert_same(model, keras_fn.saving.load_model("hf://me/model"))


def test_keras_loads_what_we_upload(hub):
    model = trained(keras_fn)
    model.save("hf://me/model")
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        assert_same(model, keras.saving.load_model("hf://me/model"))
    else:
        with pytest.raises(ValueError, match="requires installing TensorFlow"):
            keras.saving.load_model("hf://me/model")


def test_the_names_of_the_files_are_the_same(hub):
    trained(keras).save("hf://me/a")
    trained(keras_fn).save("hf://me/b")
    assert hub.repos["me/a"].keys() == hub.repos["me/b"].keys()
