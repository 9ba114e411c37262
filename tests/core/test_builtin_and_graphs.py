"""Which classes are built in, and which models are graphs."""

import pickle

import pytest

import keras_fn as keras
from keras_fn.core.graph_model import get_graph, is_graph_model
from keras_fn.core.registry import is_builtin, table
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers.layer import Layer
from keras_fn.ops._op import OpNode


class Custom(keras.layers.Dense):
    def call(self, x):
        return super().call(x)


@pytest.mark.parametrize("kind", ["layer", "metric", "loss", "optimizer", "initializer"])
def test_registered_classes_and_their_bases_are_built_in(kind):
    for obj in table(kind).values():
        classes = obj.__mro__ if isinstance(obj, type) else (obj,)
        assert all(is_builtin(c) for c in classes if c.__module__.startswith("keras_fn.")), obj


def test_ops_and_their_nodes_are_built_in():
    assert is_builtin(keras.ops.add) and is_builtin(OpNode) and is_builtin(Layer.call)


def test_a_custom_subclass_and_its_overrides_are_not():
    layer = Custom(2)
    assert not is_builtin(Custom) and not is_builtin(layer)
    assert not is_builtin(Custom.call) and not is_builtin(layer.call)
    assert is_builtin(Custom.build) and is_builtin(keras.layers.Dense(2).call)
    assert not is_builtin(len) and not is_builtin(object)


def test_functional_and_built_sequential_models_have_a_graph():
    x = keras.Input((3,))
    functional = keras.Model(x, keras.layers.Dense(2)(x))
    sequential = keras.Sequential([keras.layers.Dense(2)])
    assert is_graph_model(functional) and get_graph(functional) is functional
    assert get_graph(sequential) is None
    sequential.build((None, 3))
    assert is_graph_model(get_graph(sequential)) and not is_graph_model(sequential)
    for other in (keras.layers.Dense(2), Custom(2), None, 3):
        assert get_graph(other) is None and not is_graph_model(other)


def test_errors_keep_their_parts_when_they_are_pickled():
    for cls in (SpecError, DTypeError):
        error = pickle.loads(pickle.dumps(cls("a", expected="b", received="c", fix="d")))
        assert type(error) is cls
        assert str(error) == "a\n  expected: b\n  received: c\n  fix:      d"
