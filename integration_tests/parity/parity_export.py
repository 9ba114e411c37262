"""SavedModels and LiteRT models next to real Keras: one reads what the other wrote.

`nox -s "parity(tensorflow)"` runs it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn

if keras.config.backend() != "tensorflow":
    pytest.skip("TFSMLayer runs on TensorFlow", allow_module_level=True)

import tensorflow as tf

X = np.sin(np.arange(15.0)).reshape(5, 3).astype("float32")
Z = np.cos(np.arange(40.0)).reshape(5, 4, 2).astype("float32")
LIBRARIES = (keras, keras_fn)


def make_dense(library: Any) -> Any:
    layers = library.layers
    return library.Sequential(
        [library.Input((3,), name="x"), layers.Dense(2, "tanh"), layers.BatchNormalization()]
    )


def make_several(library: Any, outputs: str) -> Any:
    a, b = library.Input((3,), name="a"), library.Input((4, 2), name="b")
    u, v = library.layers.Dense(2, name="u")(a), library.layers.LSTM(3, name="v")(b)
    inputs = {"a": a, "b": b} if outputs == "dict" else [a, b]
    return library.Model(inputs, {"u": u, "v": v} if outputs == "dict" else [u, v])


@pytest.mark.parametrize(("writer", "reader"), [(keras_fn, keras), (keras, keras_fn)])
def test_the_layer_of_one_reads_what_the_other_wrote(writer: Any, reader: Any, tmp_path: Path):
    model = make_dense(writer)
    model.export(str(tmp_path / "saved"), verbose=False)
    layer = reader.layers.TFSMLayer(str(tmp_path / "saved"))
    np.testing.assert_allclose(layer(X), model(X), atol=1e-6)
    assert len(layer.trainable_weights) == len(model.trainable_weights)
    assert len(layer.non_trainable_weights) == len(model.non_trainable_weights)


def describe(path: Path) -> dict[str, Any]:
    """Returns shapes and dtypes of inputs and outputs of each signature, by name."""
    signatures = tf.saved_model.load(str(path)).signatures
    return {
        key: [
            {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in specs.items()}
            for specs in (function.structured_input_signature[1], function.structured_outputs)
        ]
        for key, function in signatures.items()
    }


@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_signatures_are_the_same(outputs: str, tmp_path: Path):
    found = []
    for library in LIBRARIES:
        path = tmp_path / library.__name__
        make_several(library, outputs).export(str(path), verbose=False)
        found.append(describe(path))
    assert found[0] == found[1]


def test_endpoints_and_collections_are_the_same(tmp_path: Path):
    found = []
    for library in LIBRARIES:
        model, archive = make_dense(library), library.export.ExportArchive()
        spec = [library.InputSpec(shape=(None, 3), dtype="float32")]
        archive.track(model)
        archive.add_endpoint("call", model.call, spec)
        archive.track_and_add_endpoint("whole", model, spec)
        archive.add_variable_collection("more", model.variables)
        path = tmp_path / library.__name__
        archive.write_out(str(path), verbose=False)
        saved = tf.saved_model.load(str(path))
        counts = len(saved.more), len(saved.trainable_variables), len(saved.non_trainable_variables)
        found.append((sorted(saved.signatures), counts))
    # Keras lists the variables of a model that is tracked twice, twice.
    assert found[0][0] == found[1][0]
    assert found[1][1] == (6, 4, 2)


@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_litert_models_have_the_same_names(outputs: str, tmp_path: Path):
    found = []
    for library in LIBRARIES:
        path = tmp_path / f"{library.__name__}.tflite"
        make_several(library, outputs).export(str(path), format="litert", verbose=False)
        found.append(tf.lite.Interpreter(str(path)).get_signature_list())
    names = [{k: sorted(v) for k, v in s["serving_default"].items()} for s in found]
    assert names[0]["inputs"] == names[1]["inputs"]
    assert list(found[0]) == list(found[1])
