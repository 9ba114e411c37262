"""A model in every format that the command reads, and the command itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.cli.main import main

WEIGHTS = ("m.weights.h5", "m.weights.json", "m.safetensors", "m.safetensors.index.json")
MODELS = ("m.keras", "folder", "m.h5", "m.json")


@keras.saving.register_keras_serializable("shop")
class Scale(keras.layers.Layer):
    """A custom layer."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")

    def call(self, x):
        return x * self.factor


def build() -> Any:
    x = keras.Input((4,), name="x")
    h = keras.layers.Dense(3, activation="relu", name="hidden")(x)
    model = keras.Model(x, keras.layers.Dense(2, name="head")(h + 1.0), name="net")
    values = [np.arange(w.size, dtype="float32").reshape(w.shape) for w in model.get_weights()]
    model.set_weights(values)
    model.compile("adam", "mse", metrics=["mae"])
    return model


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """A folder with one model in each format, and one with a custom layer."""
    folder = tmp_path_factory.mktemp("files")
    model = build()
    model.save(folder / "m.keras")
    model.save(folder / "folder", zipped=False)
    model.save(folder / "m.h5")
    (folder / "m.json").write_text(model.to_json())
    for name in WEIGHTS:
        shards = {"max_shard_size": 5e-8} if name.endswith(".json") else {}
        model.save_weights(folder / name, **shards)
    x = keras.Input((2,), name="x")
    keras.Model(x, Scale(name="scale")(x), name="custom").save(folder / "custom.keras")
    return folder


@pytest.fixture
def run(capsys):
    """Returns a function that runs a command: its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


@pytest.fixture
def run_json(run):
    """Returns a function that runs a command with --json: its exit code and the object."""

    def run_json(*arguments: object) -> tuple[int, dict[str, Any]]:
        code, out, err = run(*arguments, "--json")
        assert err == "" or "legacy format" in err
        value = json.loads(out)
        assert value["command"] == arguments[0] and value["schema"] == 1
        return code, value

    return run_json
