"""Formats that another framework writes, in a process of its own; `nox -s pipelines` has both."""

from pathlib import Path

import numpy as np
import pytest
from layer_exports import ROUTES, Artifact

import keras_fn as keras
from keras_fn.errors import SpecError
from keras_fn.export.formats import FORMATS
from keras_fn.settings import is_installed

BACKEND = keras.config.backend()
L = keras.layers
X = np.sin(np.arange(15.0)).reshape(5, 3).astype("float32")


def is_possible(name: str) -> bool:
    row = FORMATS[name]
    needed = {row.rebuilt_on, *row.libraries, *row.rebuild_libraries}
    return row.rebuilt_on != BACKEND and all(map(is_installed, needed))


POSSIBLE = [route for route in ROUTES.values() if is_possible(route.format)]
POSSIBLE = [r for r in POSSIBLE if r.backend == FORMATS[r.format].rebuilt_on]
if not POSSIBLE:
    pytest.skip("needs another framework", allow_module_level=True)


@pytest.mark.thorough
@pytest.mark.parametrize("route", POSSIBLE, ids=lambda route: route.title)
def test_a_model_comes_to_the_formats_of_other_frameworks(route, tmp_path: Path):
    a, b = keras.Input((3,), name="a"), keras.Input((4, 3), name="b")
    model = keras.Model([a, b], L.Dense(2)(L.Concatenate()([a, L.LSTM(2)(b)])))
    path = str(tmp_path / f"model{route.suffix}")
    model.export(path, route.format, verbose=False)
    inputs = [X, np.stack([X] * 4, 1)]
    found = route.run(Artifact(path, ["a", "b"], inputs, model.output_names))
    found = found[0] if isinstance(found, list) else found
    found = found.detach() if hasattr(found, "detach") else found
    expected = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(np.asarray(found), expected, atol=1e-5)


@pytest.mark.skipif(
    BACKEND == "tensorflow" or not is_installed("tensorflow"), reason="TensorFlow writes LiteRT"
)
def test_options_that_cannot_be_sent_to_another_process(tmp_path: Path):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    with pytest.raises(SpecError, match="options that can be sent to another process"):
        model.export(tmp_path / "m.tflite", "litert", representative_dataset=lambda: X)
