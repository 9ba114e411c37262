"""Random graphs next to real Keras: both read each other's files, and compute the same.

`nox -s "parity(jax)"` runs it; the graphs are those of `tests/models/test_random_graphs.py`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_graphs import Recipe, build_model, make_inputs, recipes, run_model
from real_keras import keras

import keras_fn

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
BOTH = {"keras_fn": keras_fn, "keras": keras}


def check(recipe: Recipe, folder: Path) -> None:
    inputs = make_inputs(recipe)
    for writer, reader in ((keras, keras_fn), (keras_fn, keras)):
        model = build_model(writer, recipe)
        model.save(folder / "model.keras")
        read = reader.saving.load_model(folder / "model.keras")
        expected, outputs = run_model(writer, model, inputs), run_model(reader, read, inputs)
        compare(outputs, expected, f"a file of {writer.__name__}")
        assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
        assert [tuple(w.shape) for w in read.weights] == [tuple(w.shape) for w in model.weights]
        clone = reader.models.clone_model(read)
        if len(clone.weights) == len(read.weights):  # a clone of Keras shares no layer with parts
            clone.set_weights(read.get_weights())
            compare(run_model(reader, clone, inputs), expected, "a clone")


def compare(outputs: list[Any], expected: list[Any], what: str) -> None:
    assert len(outputs) == len(expected), what
    for one, same in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(one, same, rtol=1e-4, atol=1e-5, err_msg=what)


@given(recipes())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_random_graphs(tmp_path_factory, recipe):
    check(recipe, tmp_path_factory.mktemp("files"))


@given(recipes().filter(lambda recipe: recipe.is_optional))
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_inputs_that_are_none(recipe):
    """Keras computes the same without the optional input; its files lose that it is optional."""
    inputs = make_inputs(recipe, is_given=False)
    ours, theirs = (run_model(p, build_model(p, recipe), inputs) for p in BOTH.values())
    compare(ours, theirs, "without the optional input")


@pytest.mark.parametrize("kind", ["single", "list", "dict", "nested"])
def test_configs_are_those_of_keras(kind):
    steps = [("pair", 0, 0, 1), ("stack", 0, 0, 0), ("op2", 0, 0, 1)]
    recipe = Recipe(2, (kind, kind), False, steps, [0, 1])
    graphs = [
        json.loads(json.dumps(build_model(package, recipe).get_config()))
        for package in BOTH.values()
    ]
    for key in ("name", "input_layers", "output_layers"):
        assert graphs[0][key] == graphs[1][key], key
    names = [[layer["name"] for layer in graph["layers"]] for graph in graphs]
    assert names[0] == names[1]
