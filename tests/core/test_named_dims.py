"""Named dimensions: followed through graphs, checked when built and when called, shown, saved."""

import json
import re
import zipfile

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops


@pytest.fixture
def a():
    return keras.Input(("time", 4), name="a")


@pytest.fixture
def b():
    return keras.Input(("length", 4), name="b")


def test_an_input_has_names_for_unknown_sizes(a):
    assert a.shape == (None, None, 4)
    assert a.dim_names == (None, "time", None)
    assert a.named_shape == (None, "time", 4)
    assert "shape=(None, 'time', 4)" in repr(a)
    assert keras.Input(batch_shape=("batch", 3)).named_shape == ("batch", 3)
    assert keras.Input((None, 3)).dim_names is None


FOLLOWED = {
    "LSTM": (lambda a, b: layers.LSTM(3, return_sequences=True)(a), (None, "time", 3)),
    "pooled": (lambda a, b: layers.GlobalAveragePooling1D()(a), (None, 4)),
    "same": (lambda a, b: layers.Conv1D(3, 3, padding="same")(a), (None, "time", 3)),
    "valid": (lambda a, b: layers.Conv1D(3, 3)(a), (None, None, 3)),
    "strided": (lambda a, b: layers.Conv1D(3, 2, 2)(a), (None, None, 3)),
    "attention": (lambda a, b: layers.MultiHeadAttention(1, 2)(a, value=b), (None, "time", 4)),
    "Permute": (lambda a, b: layers.Permute((2, 1))(a), (None, 4, "time")),
    "Reshape": (lambda a, b: layers.Reshape((-1, 2, 2))(a), (None, "time", 2, 2)),
    "flat": (lambda a, b: layers.Flatten()(a), (None, None)),
    "matmul": (lambda a, b: a @ ops.swapaxes(b, 1, 2), (None, "time", "length")),
    "operators": (lambda a, b: ops.relu(2 * a) + 1, (None, "time", 4)),
    "known size": (lambda a, b: a + keras.Input((5, 4)), (None, 5, 4)),
    "unknown size": (lambda a, b: a + keras.Input((None, 4)), (None, "time", 4)),
    "own function": (
        lambda a, b: layers.Lambda(lambda x: ops.flip(x, 1), name="flip")(a),
        (None, "time", 4),
    ),
    "odd sizes": (lambda a, b: layers.Lambda(needs_odd, name="odd")(a), (None, None, 4)),
}


def needs_odd(x):
    if x.shape[1] is not None and x.shape[1] % 2 == 0:
        raise ValueError("an even size")
    return x


@pytest.mark.parametrize("name", FOLLOWED)
def test_names_follow_through_calls(name, a, b):
    call, expected = FOLLOWED[name]
    found = call(a, b)
    assert found.named_shape == expected
    assert found.shape == tuple(None if isinstance(n, str) else n for n in expected)


def test_a_nested_model_passes_names_on(a):
    x = keras.Input((None, 4))
    inner = keras.Model(x, [layers.Dense(2)(x), layers.Dense(3)(x)])
    assert [y.named_shape for y in inner(a)] == [(None, "time", 2), (None, "time", 3)]


DISAGREEING = {
    "Concatenate layer 'joined'": lambda a, b: layers.Concatenate(name="joined")([a, a, b]),
    "ops.concatenate": lambda a, b: ops.concatenate([a, b], -1),
    "ops.add": lambda a, b: a + b,
    "Sequential model 'stack'|Functional model 'pair'": lambda a, b: pair()([a, b]),
}


def pair():
    inputs = [keras.Input((None, 4)), keras.Input((None, 4))]
    return keras.Model(inputs, layers.Add()(inputs), name="pair")


@pytest.mark.parametrize("source", DISAGREEING)
def test_axes_of_other_names_are_refused_where_they_must_be_of_one_size(source, a, b):
    with pytest.raises(ValueError, match=f"^({source})\n") as caught:
        DISAGREEING[source](a, b)
    assert "(None, time, 4) from 'a'" in str(caught.value)
    assert "(None, length, 4) from 'b'" in str(caught.value)
    assert not a._keras_history.operation._outbound_nodes  # nothing was recorded


class UpTo512(layers.Layer):
    def call(self, x, y):
        if any(size is not None and size > 512 for size in (x.shape[1], y.shape[1])):
            raise ValueError("more than 512 positions")
        return ops.mean(x, 1) + ops.mean(y, 1)


def test_a_layer_that_refuses_large_sizes_is_no_disagreement(a, b):
    assert UpTo512()(a, b).shape == (None, 4)


def test_only_names_that_disagree_are_said(b):
    c = keras.Input(("width", "time", 4), name="c")
    with pytest.raises(ValueError, match="received: 'time' and 'length': "):
        c + ops.expand_dims(b, 1)


def test_sizes_of_one_name_are_equal_in_each_call(a):
    other = keras.Input(("time", 2), name="other")
    model = keras.Model([a, other], layers.Dense(1)(layers.Concatenate()([a, other])))
    x, y = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 2), "float32")
    model.compile("sgd", "mse")
    expected = "one size for the axes named 'time'\n  received: 3 in 'a', 5 in 'other'"
    for call in (
        lambda: model([x, y]),
        lambda: model.predict([x, y], verbose=0),
        lambda: model.fit([x, y], np.ones((2, 3, 1)), verbose=0),
        lambda: model.train_on_batch([x, y], np.ones((2, 3, 1))),
    ):
        with pytest.raises(ValueError, match=re.escape(expected)):
            call()
    assert model([x, y[:, :3]]).shape == (2, 3, 1)
    assert model([x[:, :1], y[:, :1]]).shape == (2, 1, 1)


def test_a_name_twice_in_one_input():
    x = keras.Input(("n", "n"), name="x")
    model = keras.Model(x, layers.Softmax()(x))
    for _ in range(3):  # compiled where the backend compiles calls
        assert model(np.ones((1, 2, 2), "float32")).shape == (1, 2, 2)
    with pytest.raises(ValueError, match="2 in 'x', 3 in 'x'"):
        model(np.ones((1, 2, 3), "float32"))


def test_names_are_saved_and_cloned_and_real_keras_finds_none(a, tmp_path):
    model = keras.Model(a, layers.Dense(2)(a))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.output.named_shape == (None, "time", 2)
    assert keras.models.clone_model(again).output.named_shape == (None, "time", 2)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))["config"]["layers"][0]["config"]
    assert config["batch_shape"] == [None, None, 4]
    assert config["dim_names"][1] == "time"
    model = keras.Model(a, layers.Dense(2)(ops.relu(a)))
    assert keras.Model(model.layers[1].output, model.output).output.named_shape[1] == "time"


@pytest.mark.parametrize("names", [["x"], ["x", 3, None], [None, None, "x"], "abc"])
def test_damaged_names_in_a_config_are_refused(names):
    config = {"batch_shape": [None, None, 4], "dim_names": names}
    with pytest.raises(ValueError, match="the config is damaged"):
        layers.InputLayer.from_config(config)


def test_names_are_shown(a, capsys):
    model = keras.Model(a, layers.Dense(2)(a))
    model.summary(line_length=80)
    assert "(None, time, 2)" in capsys.readouterr().out
    assert "(None, time, 2)" in keras.utils.model_to_mermaid(model, show_shapes=True)
    assert "(None, time, 4)" in keras.utils.model_to_mermaid(model, show_shapes=True)
    with pytest.raises(ValueError, match=r"received: shape \(None, 4, width\)"):
        layers.Dense(2)(keras.Input((4, "width")))
    with pytest.raises(ValueError, match=r"received: .*\(None, time, 4\)"):
        ops.matmul(a, keras.Input((3, 4)))
    with pytest.raises(ValueError, match=r"expected: input 'a' of shape \(None, time, 4\)"):
        model(np.ones((2, 3, 5)))


@pytest.mark.parametrize("shape", ["time", ("", 3), ("time", 2.5)])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected: (a shape: )?a tuple of"):
        keras.Input(shape)
