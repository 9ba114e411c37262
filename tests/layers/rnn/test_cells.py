"""Cells against their equations in NumPy, and dropout."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.errors import SpecError

DRAWS = np.random.default_rng(3)
X = DRAWS.normal(size=(2, 3)).astype("float32")
H, C = (DRAWS.normal(size=(2, 4)).astype("float32") for _ in range(2))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple(x, states, kernel, recurrent, bias):
    return [np.tanh(x @ kernel + states[0] @ recurrent + bias)]


def lstm(x, states, kernel, recurrent, bias):
    h, c = states
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_after(x, states, kernel, recurrent, bias):
    (h,) = states
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=1)
    h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3, axis=1)
    z = sigmoid(x_z + h_z)
    return [z * h + (1 - z) * np.tanh(x_h + sigmoid(x_r + h_r) * h_h)]


def gru_before(x, states, kernel, recurrent, bias):
    (h,) = states
    u_z, u_r, u_h = np.split(recurrent, 3, axis=1)
    x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=1)
    z, r = sigmoid(x_z + h @ u_z), sigmoid(x_r + h @ u_r)
    return [z * h + (1 - z) * np.tanh(x_h + (r * h) @ u_h)]


CELLS = {
    "simple": (layers.SimpleRNNCell, {}, simple, [H]),
    "lstm": (layers.LSTMCell, {}, lstm, [H, C]),
    "gru": (layers.GRUCell, {}, gru_after, [H]),
    "gru_before": (layers.GRUCell, {"reset_after": False}, gru_before, [H]),
}


def filled(layer):
    draws = np.random.default_rng(5)
    layer.set_weights([draws.normal(size=w.shape).astype("float32") for w in layer.weights])
    return layer.get_weights()


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_step_is_the_equation(name, implementation):
    cls, options, reference, states = CELLS[name]
    cell = cls(4, implementation=implementation, **options)
    cell.build((None, 3))
    expected = reference(X, states, *filled(cell))
    output, new = cell(X, [ops.convert_to_tensor(s) for s in states])
    np.testing.assert_allclose(ops.convert_to_numpy(output), expected[0], atol=1e-6)
    for found, value in zip(new, expected, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(found), value, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_layer_is_the_equation_at_each_step(name):
    cls, options, reference, states = CELLS[name]
    layer = layers.RNN(cls(4, **options), return_sequences=True)
    x = np.random.default_rng(1).normal(size=(2, 6, 3)).astype("float32")
    layer.build(x.shape)
    weights, expected = filled(layer), []
    for t in range(6):
        states = reference(x[:, t], states, *weights)
        expected.append(states[0])
    found = layer(x, initial_state=[H, C][: len(states)])
    np.testing.assert_allclose(ops.convert_to_numpy(found), np.stack(expected, 1), atol=2e-6)


def test_a_state_that_is_no_list_stays_none():
    cell = layers.GRUCell(4)
    output, state = cell(X, ops.convert_to_tensor(H))
    np.testing.assert_array_equal(ops.convert_to_numpy(output), ops.convert_to_numpy(state))


def test_bias_of_the_forget_gate_begins_with_one():
    cell = layers.LSTMCell(2)
    cell.build((None, 3))
    assert cell.bias.numpy().tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    cell = layers.LSTMCell(2, unit_forget_bias=False, bias_initializer="ones")
    cell.build((None, 3))
    assert cell.bias.numpy().tolist() == [1] * 8


def test_weights_of_the_file_stand_under_cell():
    layer = layers.LSTM(2)
    layer(np.ones((2, 5, 3), "float32"))
    assert layer.cell.name == "lstm_cell"
    assert [v.name for v in layer.cell._own_variables()] == ["kernel", "recurrent_kernel", "bias"]
    assert [v.path.split("/", 1)[1] for v in layer.weights] == [
        "lstm_cell/kernel", "lstm_cell/recurrent_kernel", "lstm_cell/bias",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["simple", "lstm", "gru", "gru_before"])
@pytest.mark.parametrize("rates", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_dropout_acts_in_training_only_and_differs_from_call_to_call(name, rates):
    cls, options, *_ = CELLS[name]
    x = np.ones((4, 5, 3), "float32")
    layer = layers.RNN(cls(4, seed=1, **rates, **options))
    plain = layers.RNN(cls(4, **options))
    plain.build(x.shape)
    layer.build(x.shape)
    plain.set_weights(filled(layer))
    still, first, second = (ops.convert_to_numpy(layer(x, training=t)) for t in (False, True, True))
    np.testing.assert_allclose(still, ops.convert_to_numpy(plain(x)), atol=1e-6)
    assert np.abs(first - still).max() > 1e-3 and np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("implementation", [1, 2])
def test_the_same_inputs_are_dropped_at_all_steps(implementation):
    # With ones everywhere and no recurrence, every step gives what the first one gives.
    cell = layers.SimpleRNNCell(
        4, activation="linear", recurrent_initializer="zeros", dropout=0.5,
        implementation=implementation,
    )  # fmt: skip
    y = layers.RNN(cell, return_sequences=True)(np.ones((8, 5, 6), "float32"), training=True)
    y = ops.convert_to_numpy(y)
    np.testing.assert_allclose(y, y[:, :1].repeat(5, 1), atol=1e-6)
    assert y.std(0).max() > 0  # but not the same in all rows


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: layers.LSTM(0), "units"),
        (lambda: layers.GRUCell(2, dropout=1.5), "dropout"),
        (lambda: layers.LSTM(2, use_cudnn="yes"), "use_cudnn"),
        (lambda: layers.LSTM(2, use_cudnn=True, activation="relu"), "use_cudnn"),
        (lambda: layers.GRU(2, implementation=3), "implementation"),
        (lambda: layers.RNN(object()), "state_size"),
        (lambda: layers.StackedRNNCells([]), "cells"),
        (lambda: layers.LSTM(2)(np.ones((2, 3), "float32")), "3"),
        (lambda: layers.LSTM(2, unroll=True)(_input(None, 3)), "time steps"),
        (lambda: layers.LSTM(2, stateful=True)(_input(4, 3)), "batch size"),
        (
            lambda: layers.LSTM(2)(
                np.ones((2, 4, 3), "float32"), initial_state=[np.ones((2, 2), "float32")]
            ),
            "initial_state",
        ),
        (
            lambda: layers.GRU(2)(
                np.ones((2, 4, 3), "float32"), initial_state=np.ones((2, 5), "float32")
            ),
            "initial_state",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, word):
    with pytest.raises(SpecError, match=word):
        make()


def _input(*shape):
    import keras_fn as keras

    return keras.Input(shape)


def test_the_implementation_0_of_old_files_is_1():
    config = layers.GRU(2).get_config() | {"implementation": 0}
    assert layers.GRU.from_config(config).cell.implementation == 1
