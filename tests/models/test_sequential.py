"""Stacks of layers: every way to make one and to tell it its shapes."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.arange(6, dtype="float32").reshape(2, 3)


def numpy(x):
    return ops.convert_to_numpy(x)


KNOWN = {
    "Input": lambda: keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)]),
    "InputLayer": lambda: keras.Sequential(
        [layers.InputLayer(shape=(3,)), layers.Dense(4), layers.Dense(2)]
    ),
    "input_shape": lambda: keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)]),
    "input_dim": lambda: keras.Sequential([layers.Dense(4, input_dim=3), layers.Dense(2)]),
    "nested": lambda: keras.Sequential(
        [keras.Sequential([keras.Input((3,)), layers.Dense(4)]), layers.Dense(2)]
    ),
}


@pytest.mark.parametrize("way", KNOWN)
def test_a_stack_that_knows_its_input_is_built_at_once(way):
    model = KNOWN[way]()
    assert model.built
    assert model.input_shape == (None, 3)
    assert model.output_shape == (None, 2)
    assert model.count_params() == 16 + 10
    assert len(model.layers) == 2


def built():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model.build((None, 3))
    return model


def called():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model(X)
    return model


def called_symbolically():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model(keras.Input((3,)))
    return model


def trained():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)
    return model


def predicted():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model.predict(X, verbose=0)
    return model


def predicted_on_batch():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    model.predict_on_batch(X)
    return model


def added():
    model = keras.Sequential()
    model.add(keras.Input((3,)))
    model.add(layers.Dense(4))
    model.add(layers.Dense(2))
    return model


def popped():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])
    model.add(layers.Dense(7))
    assert model.output_shape == (None, 7)
    assert model.pop().units == 7
    return model


@pytest.mark.parametrize(
    "make",
    [built, called, called_symbolically, trained, predicted, predicted_on_batch, added, popped],
)
def test_every_other_way_gives_the_same_stack(make):
    model = make()
    assert model.built
    assert model.output_shape[1:] == (2,)
    assert [w.shape for w in model.weights] == [(3, 4), (4,), (4, 2), (2,)]
    first, second = model.layers
    hidden = X @ numpy(first.kernel) + numpy(first.bias)
    expected = hidden @ numpy(second.kernel) + numpy(second.bias)
    for _ in range(3):
        np.testing.assert_allclose(numpy(model(X)), expected, atol=1e-5)
    np.testing.assert_allclose(numpy(model(X[:1])), expected[:1], atol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-5)


def test_a_stack_that_knows_no_shape_says_so():
    model = keras.Sequential([layers.Dense(2)], name="s")
    assert not model.built
    assert model.weights == []
    with pytest.raises(AttributeError) as caught:
        _ = model.output_shape
    assert str(caught.value) == (
        "Sequential model 's' is not built, so its output_shape is not known.\n"
        "  fix: begin with an Input, call build(input_shape), or call it on data"
    )


@pytest.mark.parametrize("make", [*KNOWN.values(), built, called])
def test_a_copy_by_config_computes_the_same(make):
    model = make()
    copy = keras.Sequential.from_config(model.get_config())
    assert copy.built
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(numpy(copy(X)), numpy(model(X)), atol=1e-6)


def test_a_deferred_stack_is_deferred_after_a_round_trip():
    model = keras.Sequential([layers.Dense(2)])
    copy = keras.models.model_from_json(model.to_json())
    assert not copy.built
    copy.build((None, 3))
    assert copy.output_shape == (None, 2)


def test_a_stack_is_a_layer_of_a_graph_and_a_graph_of_a_stack():
    x = keras.Input((3,))
    graph = keras.Model(x, layers.Dense(4)(x))
    stack = keras.Sequential([graph, layers.Dense(2)])
    outer = keras.Model(x, stack(x))
    np.testing.assert_allclose(numpy(outer(X)), numpy(stack(X)), atol=1e-6)
    assert len(outer.weights) == 4


def test_a_stack_may_be_longer_after_training():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((2, 4)), verbose=0)
    kernel = numpy(model.layers[0].kernel)
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((2, 1)), verbose=0)
    assert model.output_shape == (None, 1)
    assert not np.array_equal(numpy(model.layers[0].kernel), kernel)


def test_two_layers_of_one_name_are_refused():
    model = keras.Sequential([layers.Dense(2, name="twin")], name="s")
    with pytest.raises(ValueError) as caught:
        model.add(layers.Dense(2, name="twin"))
    assert str(caught.value) == (
        "Sequential model 's'\n"
        "  expected: layers whose names are all different\n"
        "  received: two layers named 'twin'\n"
        "  fix:      give one of them another name="
    )


def test_things_that_are_no_layers_are_refused():
    with pytest.raises(TypeError, match="expected: a layer"):
        keras.Sequential([lambda x: x])


def test_an_input_goes_first():
    with pytest.raises(ValueError, match="an Input before all other layers"):
        keras.Sequential([layers.Dense(2), keras.Input((3,))])


def test_the_intermediate_outputs_of_a_stack_are_features():
    model = KNOWN["Input"]()
    extractor = keras.Model(model.inputs, [layer.output for layer in model.layers])
    hidden, out = extractor(X)
    assert numpy(hidden).shape == (2, 4)
    np.testing.assert_allclose(numpy(out), numpy(model(X)), atol=1e-6)


def test_integer_inputs_stay_integers():
    model = keras.Sequential([layers.Embedding(5, 2), layers.Flatten(), layers.Dense(1)])
    assert model.predict(np.array([[1, 4], [0, 2]]), verbose=0).shape == (2, 1)


def test_weights_are_named_after_the_model_however_it_gets_its_input() -> None:
    def paths(model):
        return [v.path for v in model.weights]

    wanted = ["stack/out/kernel", "stack/out/bias"]
    dense = {"units": 2, "name": "out"}
    first = keras.Sequential([keras.Input((3,)), keras.layers.Dense(**dense)], name="stack")
    old_way = keras.Sequential(name="stack")
    old_way.add(keras.layers.Dense(**dense, input_shape=(3,)))
    built = keras.Sequential([keras.layers.Dense(**dense)], name="stack")
    built.build((None, 3))
    called = keras.Sequential([keras.layers.Dense(**dense)], name="stack")
    called(np.ones((1, 3), "float32"))
    assert all(paths(m) == wanted for m in (first, old_way, built, called))


def test_build_for_another_shape_is_refused():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.build((None, 3))
    model.build((8, 3))
    with pytest.raises(ValueError, match=r"expected: the shape \(None, 3\)"):
        model.build((None, 4))


def test_json_of_a_compiled_model_compiles_it_again():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    copy = keras.models.model_from_json(model.to_json())
    assert copy.compiled and type(copy.optimizer) is keras.optimizers.Adam
    assert copy.get_compile_config() == model.get_compile_config()


def test_layers_of_a_copy_have_their_paths():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")], name="inner")
    model = keras.Sequential([inner, keras.layers.Dense(1, name="top")], name="outer")
    copy = keras.models.clone_model(inner)
    read = keras.models.model_from_json(inner.to_json())
    paths = [w.path for w in inner.weights]
    assert [w.path for w in copy.weights] == [w.path for w in read.weights] == paths
    assert paths == [w.path for w in model.weights[:2]] == ["inner/d/kernel", "inner/d/bias"]
