"""Random graphs: a model, and what is read from its file, cloned or copied, compute the same."""

import copy
import io
import json
import os
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_graphs import Recipe, build_model, make_inputs, recipes, run_model

import keras_fn as keras

FEW = 4 * int(os.environ.get("KERAS_FN_EXAMPLES", "5"))
CHECKS = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


def written_and_read(model: keras.Model) -> keras.Model:
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    return keras.saving.load_model(file)


def cloned(model: keras.Model) -> keras.Model:
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def cloned_to_the_ground(model: keras.Model) -> keras.Model:
    clone = keras.models.clone_model(model, recursive=True)
    clone.set_weights(model.get_weights())
    return clone


def from_json(model: keras.Model) -> keras.Model:
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    return again


WAYS = {
    "file": written_and_read,
    "clone": cloned,
    "recursive clone": cloned_to_the_ground,
    "json": from_json,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


def check(recipe: Recipe) -> None:
    model = build_model(keras, recipe)
    cases = [make_inputs(recipe)]
    if recipe.is_optional:
        cases.append(make_inputs(recipe, is_given=False))
    expected = [run_model(keras, model, inputs) for inputs in cases]
    config = json.loads(json.dumps(model.get_config()))
    weights = {id(w) for w in model.weights}
    for name, way in WAYS.items():
        other = way(model)
        assert json.loads(json.dumps(other.get_config())) == config, name
        assert not weights & {id(w) for w in other.weights}, name
        assert [w.path for w in other.weights] == [w.path for w in model.weights], name
        for inputs, outputs in zip(cases, expected, strict=True):
            for one, same in zip(run_model(keras, other, inputs), outputs, strict=True):
                np.testing.assert_allclose(one, same, rtol=1e-5, atol=1e-6, err_msg=name)


@given(recipes())
@settings(max_examples=FEW, **CHECKS)
def test_copies_of_a_random_graph_compute_the_same(recipe):
    check(recipe)


@pytest.mark.thorough
@given(recipes())
@settings(max_examples=400, **CHECKS)
def test_copies_of_many_random_graphs_compute_the_same(recipe):
    check(recipe)


def test_a_clone_is_trained_apart():
    recipe = Recipe(2, ("list", "single"), False, [("pair", 0, 0, 0), ("dense", 0, 0, 1)], [0])
    model = build_model(keras, recipe)
    before = model.get_weights()
    clone = cloned(model)
    clone.compile("sgd", "mse")
    x = make_inputs(recipe)
    clone.fit(x, np.zeros((2, 3), "float32"), verbose=0)
    assert any((a != b).any() for a, b in zip(clone.get_weights(), before, strict=True))
    for one, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, same)


def test_a_recorded_training_argument_is_kept_by_files_and_json():
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x, training=False))
    for other in (written_and_read(model), from_json(model)):
        call = other.get_config()["layers"][1]["inbound_nodes"][0]
        assert call["kwargs"] == {"training": False}
