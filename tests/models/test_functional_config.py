"""Graphs as configs and back."""

import collections
import json

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.arange(12, dtype="float32").reshape(4, 3) / 10


def numpy(x):
    return ops.convert_to_numpy(x)


def chain():
    x = keras.Input((3,))
    return keras.Model(x, layers.Dense(2)(layers.Dense(4, activation="relu")(x))), X


def shared():
    a, b = keras.Input((3,)), keras.Input((3,))
    layer = layers.Dense(2)
    return keras.Model([a, b], layers.concatenate([layer(a), layer(b), layer(a)])), [X, X + 1]


def named():
    a, b = keras.Input((3,), name="a"), keras.Input((1,), name="b")
    outputs = {"z": layers.Dense(2)(a), "c": layers.Dense(1)(b)}
    return keras.Model({"b": b, "a": a}, outputs), {"a": X, "b": X[:, :1]}


def model_of_ops():
    x = keras.Input((3,))
    y = ops.concatenate([x * 2.0, 1.0 - x, x[:, :2]], axis=-1)
    y = ops.sum(ops.relu(y - 0.5), axis=1, keepdims=True)
    return keras.Model(x, y / (x + 3.0)), X


def nested():
    x = keras.Input((3,))
    inner = keras.Model(x, [layers.Dense(3)(x), x + 1.0])
    outer = keras.Input((3,))
    first, second = inner(outer)
    third, _ = inner(second)
    return keras.Model(outer, layers.add([first, third])), X


def with_training_argument():
    x = keras.Input((3,))
    return keras.Model(x, layers.Dropout(0.5)(layers.Dense(2)(x), training=False)), X


def stack_inside():
    x = keras.Input((3,))
    stack = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    return keras.Model(x, stack(x)), X


MODELS = [chain, shared, named, model_of_ops, nested, with_training_argument, stack_inside]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("via", ["config", "json"])
def test_a_copy_by_config_computes_the_same(make, via):
    model, data = make()
    if via == "config":
        copy = type(model).from_config(model.get_config())
    else:
        copy = keras.models.model_from_json(model.to_json())
    assert copy is not model
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    copy.set_weights(model.get_weights())
    expected, found = model(data), copy(data)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        expected, found = list(expected.values()), list(found.values())
    else:
        expected, found = [expected], [found]
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(numpy(b), numpy(a), atol=1e-6)


@pytest.mark.parametrize("make", MODELS)
def test_the_config_of_a_copy_is_the_config(make):
    model, _ = make()
    config = model.get_config()
    copy = keras.Model.from_config(config)
    assert json.dumps(copy.get_config(), default=str) == json.dumps(config, default=str)
    assert copy.name == model.name


def test_a_layer_of_the_user_comes_back_by_custom_objects():
    class Twice(layers.Layer):
        def call(self, x):
            return x * 2.0

    x = keras.Input((3,))
    model = keras.Model(x, Twice()(x))
    copy = keras.Model.from_config(model.get_config(), custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(numpy(copy(X)), X * 2)
    text = model.to_json()
    copy = keras.models.model_from_json(text, custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(numpy(copy(X)), X * 2)


def test_a_model_from_an_inner_tensor_has_a_config():
    x = keras.Input((3,))
    hidden = layers.Dense(4)(x)
    head = keras.Model(hidden, layers.Dense(2)(hidden))
    copy = keras.Model.from_config(head.get_config())
    copy.set_weights(head.get_weights())
    data = np.ones((2, 4), "float32")
    np.testing.assert_allclose(numpy(copy(data)), numpy(head(data)), atol=1e-6)


def test_what_is_frozen_stays_frozen_in_a_copy():
    model, _ = chain()
    model.layers[1].trainable = False
    copy = keras.Model.from_config(model.get_config())
    assert [len(layer.trainable_weights) for layer in copy.layers] == [0, 0, 2]


def test_a_config_with_a_key_of_its_own_is_refused():
    config = {**chain()[0].get_config(), "extra": 1}
    with pytest.raises(ValueError, match="extra"):
        keras.Model.from_config(config)


def test_a_config_that_refers_to_a_layer_that_is_not_there_is_refused():
    config = chain()[0].get_config()
    config["output_layers"] = ["nowhere", 0, 0]
    with pytest.raises(ValueError, match="nowhere"):
        keras.Model.from_config(config)


OUTPUTS = {
    "tuple": lambda a, b: (a, b),
    "tuple of one": lambda a, b: (a,),
    "nested": lambda a, b: [a, (b, {"k": (a,)})],
    "dict": lambda a, b: {"z": (a, b), "y": [b]},
    "ordered": lambda a, b: collections.OrderedDict(z=b, y=a),
}


def kinds(nested):
    """Lists, tuples and dicts of 0."""
    return keras.tree.map_structure(lambda t: 0, nested)


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_are_nested_as_before_after_every_way_back(name, tmp_path):
    x = keras.Input((2,))
    a, b = keras.layers.Dense(2, name="b")(x), keras.layers.Dense(3, name="a")(x)
    model = keras.Model(x, OUTPUTS[name](a, b))
    wanted = kinds(model(np.ones((1, 2))))
    outer = keras.Input((2,))
    nested = keras.Model(outer, model(outer))
    assert kinds(keras.Model.from_config(model.get_config())(np.ones((1, 2)))) == wanted
    for each in (model, nested):
        each.save(tmp_path / "m.keras")
        each.save(tmp_path / "m.h5")
        for again in (
            keras.models.model_from_json(each.to_json()),
            keras.saving.load_model(tmp_path / "m.keras"),
            keras.saving.load_model(tmp_path / "m.h5"),
            keras.models.clone_model(each),
        ):
            assert kinds(again(np.ones((1, 2)))) == wanted


def test_a_path_to_no_list_changes_nothing():
    x = keras.Input((2,), name="x")
    entry = keras.saving.serialize_keras_object(keras.Model(x, (x * 2, x + 1)))
    assert entry["tuples"] == [["output_layers"]]
    for paths in ([["output_layers", 7], ["layers"], 3, None], [["output_layers", 0, 0]]):
        model = keras.saving.deserialize_keras_object({**entry, "tuples": paths})
        assert len(model.outputs) == 2
