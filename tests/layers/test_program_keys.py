"""The key of a compiled program has each attribute of each layer."""

from typing import Any

import pytest
from layer_cases import LAYERS

import keras_fn as keras
from keras_fn.backend.loader import supports
from keras_fn.training import program_key

pytestmark = pytest.mark.skipif(
    not supports("trace_settings"), reason="steps of this backend are not compiled"
)
OTHER_VALUES = (0.123, "other", None, True, (7, 8), keras.activations.tanh)
NOT_SHARED = {
    "JaxLayer": "it calls a function of the program",
    "Lambda": "it calls a function of the program",
    "TFSMLayer": "it calls a function of a SavedModel",
}


def key_of(model: Any, state: Any = None) -> bytes | None:
    state = model._state("predict") if state is None else state
    return program_key.make_key("predict", state, program_key.step_roots(model, "predict"))


def graph_of(case: Any) -> tuple[Any, Any]:
    layer, symbols = case.make(keras), case.symbols(keras)
    outputs = layer(*symbols, **case.options(keras))
    return keras.Model(keras.tree.flatten(symbols), outputs), layer


@pytest.mark.parametrize(
    "name",  # without cells, which are not called in a graph
    [name for name, case in LAYERS.items() if not case.host and "Cell" not in name],
)
def test_each_attribute_of_a_layer_is_part_of_the_key(name: str):
    model, layer = graph_of(LAYERS[name])
    state = model._state("predict")
    key = key_of(model, state)
    if key is None:
        assert name in NOT_SHARED
        return
    assert key_of(graph_of(LAYERS[name])[0]) == key
    not_traced = program_key._ClassEntry(type(layer)).not_traced
    for attribute, value in list(vars(layer).items()):
        if attribute in not_traced or isinstance(value, keras.initializers.Initializer):
            continue
        for other in OTHER_VALUES:
            if other is value or (type(other) is type(value) and other == value):
                continue
            vars(layer)[attribute] = other
            assert key_of(model, state) != key, attribute
        vars(layer)[attribute] = value
    assert key_of(model, state) == key
