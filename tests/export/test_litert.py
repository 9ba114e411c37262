"""LiteRT models, run by the interpreter."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import DTypeError

if keras.config.backend() != "tensorflow":
    pytest.skip("written by TensorFlow", allow_module_level=True)

import tensorflow as tf

L = keras.layers
X = np.sin(np.arange(15.0)).reshape(5, 3).astype("float32")


def runner(path: Path) -> Any:
    return tf.lite.Interpreter(str(path)).get_signature_runner("serving_default")


def test_several_inputs_by_name_and_any_batch_size(tmp_path: Path):
    a, b = keras.Input((3,), name="a"), keras.Input((4, 2), name="b")
    model = keras.Model([a, b], {"u": L.Dense(2)(a), "v": L.LSTM(2)(b)})
    path = tmp_path / "m.tflite"
    model.export(path, "litert", verbose=False)
    for batch in (1, 5):
        inputs = [X[:batch], np.ones((batch, 4, 2), "float32")]
        run = runner(path)
        assert set(run.get_input_details()) == {"a", "b"}
        found, expected = run(a=inputs[0], b=inputs[1]), model(inputs)
        assert set(found) == {"u", "v"}
        for name in found:
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


def test_options_of_the_converter(tmp_path: Path):
    model = keras.Sequential([keras.Input((64,), name="x"), L.Dense(64)])
    plain, small = tmp_path / "plain.tflite", tmp_path / "small.tflite"
    model.export(plain, "litert", verbose=False)
    model.export(small, "litert", verbose=False, optimizations=["DEFAULT"])  # a name, or the enum
    assert small.stat().st_size < plain.stat().st_size / 2
    with pytest.raises(DTypeError, match="did you mean optimizations="):
        model.export(small, "litert", optimisations=[])


def test_ops_of_tensorflow_are_named(tmp_path: Path):
    x = keras.Input((4, 4, 4, 1))
    model = keras.Model(x, L.MaxPooling3D()(x))
    with pytest.warns(UserWarning, match=r"no op for MaxPool3D.*Flex"):
        model.export(tmp_path / "m.tflite", "litert", verbose=False)
    assert b"FlexMaxPool3D" in (tmp_path / "m.tflite").read_bytes()
