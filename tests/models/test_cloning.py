"""Copies of models: the same layers, new weights."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.ones((2, 3), "float32")


def numpy(x):
    return ops.convert_to_numpy(x)


def graph():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    return keras.Model({"b": b, "a": a}, ops.relu(shared(a) * 2.0) - shared(b))


def stack():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])


def built_stack():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model.build((None, 3))
    return model


DATA = {graph: {"a": X, "b": X * 2}, stack: X, built_stack: X}


@pytest.mark.parametrize("make", DATA)
def test_a_clone_computes_the_same_with_weights_of_its_own(make):
    model = make()
    clone = keras.models.clone_model(model)
    assert type(clone) is type(model)
    assert [x.name for x in clone.layers] == [x.name for x in model.layers]
    assert not {id(v) for v in clone.variables} & {id(v) for v in model.variables}
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(numpy(clone(DATA[make])), numpy(model(DATA[make])), atol=1e-6)


def test_a_deferred_stack_is_cloned_deferred():
    clone = keras.models.clone_model(keras.Sequential([layers.Dense(2)]))
    assert not clone.built


def test_a_clone_function_makes_the_layers():
    def wider(layer):
        config = layer.get_config()
        if "units" in config:
            config["units"] = 7
        return type(layer).from_config(config)

    for make in (stack, built_stack):
        clone = keras.models.clone_model(make(), clone_function=wider)
        assert clone.output_shape == (None, 7)


def test_a_clone_stands_on_given_tensors():
    x = keras.Input((3,), name="mine")
    clone = keras.models.clone_model(stack(), input_tensors=x)
    assert clone.inputs[0] is x
    a, b = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    clone = keras.models.clone_model(graph(), input_tensors={"a": a, "b": b})
    assert clone.input["a"] is a and clone.input["b"] is b


def test_calls_of_a_shared_layer_keep_their_numbers():
    x = keras.Input((3,))
    shared = layers.Dense(3, name="shared")
    first, second = shared(layers.Dense(3)(x)), shared(x)
    model = keras.Model(x, layers.ReLU()(layers.ReLU()(second)) + first)  # second is sorted first
    for recursive in (False, True):
        clone = keras.models.clone_model(model, recursive=recursive)
        assert clone.get_config() == model.get_config()


def test_a_call_function_stands_around_each_layer():
    called = []

    def note(layer, *args, **kwargs):
        called.append(layer.name)
        return layer(*args, **kwargs)

    keras.models.clone_model(graph(), call_function=note)
    assert called.count("shared") == 2


@pytest.mark.parametrize("recursive", [True, False])
def test_nested_models_are_cloned_too(recursive):
    x = keras.Input((3,))
    inner = stack()
    model = keras.Model(x, inner(x))
    met = []

    def note(layer):
        met.append(type(layer).__name__)
        return type(layer).from_config(layer.get_config())

    clone = keras.models.clone_model(model, clone_function=note, recursive=recursive)
    assert met.count("Dense") == (2 if recursive else 0)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(numpy(clone(X)), numpy(model(X)), atol=1e-6)


def test_a_subclassed_model_is_cloned_by_its_config():
    class Own(keras.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units, self.top = units, layers.Dense(units)

        def call(self, x):
            return self.top(x)

    model = Own(4)
    clone = keras.models.clone_model(model)
    assert clone.units == 4 and clone.top is not model.top
    with pytest.raises(ValueError, match="clone_function"):
        keras.models.clone_model(model, clone_function=lambda layer: layer)


def test_input_tensors_of_another_structure_are_refused():
    a, b, c = (keras.Input((3,)) for _ in "abc")
    several = keras.Model([a, (b, c)], layers.Add()([a, b, c]))
    cases = [
        (graph(), [a, b]), (graph(), {"a": a}), (graph(), {"a": a, "c": b}),
        (graph(), {"a": a, "b": X}), (several, [a, b, c]), (several, [a, [b, c]]), (several, a),
        (stack(), [a, b]), (stack(), X), (stack(), []),
    ]  # fmt: skip
    for model, tensors in cases:
        with pytest.raises(ValueError, match=r"clone_model.*\n.*input_tensors"):
            keras.models.clone_model(model, input_tensors=tensors)
    clone = keras.models.clone_model(several, input_tensors=[b, (a, c)])
    assert clone.inputs[0] is b and clone.inputs[1] is a


@pytest.mark.parametrize("make", [graph, pytest.param(stack, marks=pytest.mark.thorough)])
def test_a_clone_is_compiled_as_the_model(make):
    model = make()
    loss = lambda a, b: ops.mean(a - b, -1)  # noqa: E731
    metric = keras.metrics.MeanAbsoluteError(name="off")
    model.compile(keras.optimizers.Adam(0.125, beta_1=0.5), [loss], metrics=[[metric, "mse"]])
    clone = keras.models.clone_model(model)
    assert clone.optimizer is not model.optimizer and type(clone.optimizer) is type(model.optimizer)
    assert float(clone.optimizer.learning_rate) == 0.125 and clone.optimizer.beta_1 == 0.5
    y = np.zeros((2, 2), "float32")
    wanted = model.train_on_batch(DATA[make], y, return_dict=True)
    clone.fit(DATA[make], y, verbose=0)
    assert set(clone.get_metrics_result()) == set(wanted) == {"loss", "off", "mse"}
    assert metric not in clone.metrics
    assert not keras.models.clone_model(make()).compiled


def test_a_clone_of_a_scaled_optimizer_is_scaled_once():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.dtype_policy = keras.DTypePolicy("mixed_float16")
    model.compile("sgd", "mse")
    clone = keras.models.clone_model(model)
    assert type(clone.optimizer) is type(model.optimizer)
    inner = getattr(clone.optimizer, "inner_optimizer", None)
    assert inner is None or not hasattr(inner, "inner_optimizer")


class Branded(keras.Model):
    """A class with the constructor of a graph."""


def test_the_class_of_a_graph_is_kept():
    x = keras.Input((3,))
    clone = keras.models.clone_model(Branded(x, layers.Dense(2)(x)))
    assert isinstance(clone, Branded)


def test_a_layer_of_two_models_inside_has_one_clone():
    shared = layers.Dense(3, name="shared")
    parts = []
    for name in "pq":
        start = keras.Input((3,))
        parts.append(keras.Model(start, shared(start), name=name))
    x = keras.Input((3,))
    clone = keras.models.clone_model(keras.Model(x, parts[1](parts[0](x))), recursive=True)
    inside = [clone.get_layer(name).get_layer("shared") for name in "pq"]
    assert inside[0] is inside[1] is not shared


def test_a_clone_shares_layers_with_its_parts_as_the_model_does():
    dense = keras.layers.Dense(3, name="dense")
    a = keras.Input((3,))
    inner = keras.Model(a, dense(a), name="inner")
    x = keras.Input((3,))
    model = keras.Model(x, inner(dense(x)))
    clone = keras.models.clone_model(model)
    assert len(clone.weights) == len(model.weights) == 2
    assert clone.get_layer("inner").get_layer("dense") is clone.get_layer("dense")
    assert clone.get_layer("dense") is not dense


def test_the_clone_of_a_built_subclassed_model_is_built():
    @keras.saving.register_keras_serializable("tests")
    class TwoLayers(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(2), keras.layers.Dense(1)

        def call(self, x):
            return self.second(self.first(x))

    model = TwoLayers()
    assert not keras.models.clone_model(model).built
    model.build((None, 3))
    clone = keras.models.clone_model(model)
    assert clone.built and clone.count_params() == model.count_params() == 11


def test_what_is_no_model_cannot_be_cloned():
    with pytest.raises(TypeError, match=r"expected: a model\n.*Dense"):
        keras.models.clone_model(keras.layers.Dense(2))
