"""Graphs of thousands of layers: nothing recurses, and compiled calls are compiled in parts."""

import copy
import pickle

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.core import graph
from keras_fn.core.graph import ExecutionPlan

DEPTH = 1200  # more than the frames that Python allows
X = np.ones((2, 4), "float32")


def chain(depth: int) -> keras.Model:
    x = inputs = keras.Input((4,))
    for _ in range(depth):
        x = layers.Dense(4, kernel_initializer="identity", bias_initializer="zeros")(x)
    return keras.Model(inputs, x)


@pytest.fixture(scope="module")
def deep() -> keras.Model:
    return chain(DEPTH)


def outputs(model: keras.Model) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(X))


def test_a_deep_graph_is_called_saved_cloned_and_summarized(deep, tmp_path):
    np.testing.assert_array_equal(outputs(deep), X)
    deep.save(tmp_path / "deep.keras")
    np.testing.assert_array_equal(outputs(keras.saving.load_model(tmp_path / "deep.keras")), X)
    assert keras.models.clone_model(deep).count_params() == deep.count_params() == DEPTH * 20
    lines: list[str] = []
    deep.summary(print_fn=lines.append)
    assert deep.layers[-1].name in "".join(lines)


@pytest.mark.thorough
def test_a_graph_of_3000_layers_predicts_and_trains():
    model = chain(3000)
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    assert model.train_on_batch(X, X) == 0.0


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_deep_graph_can_be_copied(deep, way):
    other = copy.deepcopy(deep) if way == "deepcopy" else pickle.loads(pickle.dumps(deep))
    np.testing.assert_array_equal(outputs(other), X)
    assert other.layers[1].output is other.layers[2].input is not deep.layers[1].output
    assert other.get_config() == deep.get_config()


def shared_in_two_graphs() -> list[keras.Model]:
    x = keras.Input((4,), name="x")
    shared = layers.Dense(4, name="shared")
    first = shared(x)
    head = layers.Dense(2, name="head")(shared(first))
    encoder = keras.Model(x, first, name="encoder")
    other = keras.Input((4,), name="other")
    return [encoder, keras.Model([x, other], [head, shared(encoder(other))], name="both")]


def test_a_copy_of_graphs_that_share_calls_keeps_what_they_share():
    models = shared_in_two_graphs()
    for way in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        encoder, both = way(models)
        assert both.get_layer("shared") is encoder.get_layer("shared")
        assert both.get_layer("encoder") is encoder
        for model, original in zip((encoder, both), models, strict=True):
            assert model.get_config() == original.get_config()
        results = [m.predict_on_batch([X, X]) for m in (both, models[1])]
        for result, expected in zip(*results, strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-6)
        layer = both.get_layer("shared")
        assert len({id(node) for node in layer._inbound_nodes}) == len(layer._inbound_nodes)
        for index, node in enumerate(layer._inbound_nodes):
            assert [t._keras_history.node_index for t in node.output_tensors] == [index]


def test_a_copy_of_a_layer_has_no_calls():
    model = chain(3)
    layer = copy.deepcopy(model.layers[1])
    with pytest.raises(AttributeError, match="called 0 times"):
        layer.output  # noqa: B018
    np.testing.assert_array_equal(layer.get_weights()[0], model.layers[1].get_weights()[0])


def two_towers() -> keras.Model:
    """A graph whose tensors live for long: a skip connection, several inputs and outputs."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    x, early = a, None
    for i in range(6):
        x = layers.Dense(4, activation="tanh", name=f"dense_{i}")(x)
        x = layers.BatchNormalization(name=f"norm_{i}")(x)
        early = x if early is None else early
    joined = layers.Add(name="join")([x, early, b])
    return keras.Model([a, b], [joined, early, b, layers.Dropout(0.5, name="drop")(joined)])


def test_parts_of_a_plan_together_compute_what_the_plan_does(monkeypatch):
    model = two_towers()
    plan = model.execution_plan
    monkeypatch.setattr(graph, "_MAX_PART", 3)
    cut = ExecutionPlan(plan.input_tensors, plan.output_tensors)
    assert cut.is_long
    assert [len(part.nodes) for part in cut._parts] == [3, 3, 3, 3, 2]
    values = [keras.ops.convert_to_tensor(X * k) for k in (0.5, 2.0)]
    results = cut.run_in_parts(values, False)
    for pair in zip(results, plan.run(values, False), strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, pair))


def test_a_long_graph_trains_and_predicts_as_a_short_one(monkeypatch):
    def results() -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        model = two_towers()
        model.compile("sgd", ["mse", None, None, "mae"])
        model.fit([X, X], [X, X, X, X], verbose=0, epochs=2)
        return [*model.predict([X, X], verbose=0), *model.get_weights()]

    whole = results()
    monkeypatch.setattr(graph, "_MAX_PART", 3)
    for result, expected in zip(results(), whole, strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
