"""RNN layers in graphs, with state, with custom cells, and as configs."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def value(x):
    return ops.convert_to_numpy(x)


def test_stateful_layer_goes_on_where_it_was():
    whole = layers.LSTM(4, return_sequences=True)
    parts = layers.LSTM(4, return_sequences=True, stateful=True)
    expected = value(whole(X))
    parts.build((2, 3, 3))
    parts.set_weights(whole.get_weights())
    found = np.concatenate([value(parts(X[:, :3])), value(parts(X[:, 3:]))], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    parts.reset_state()
    np.testing.assert_allclose(value(parts(X)), expected, atol=1e-6)
    assert len(parts.weights) == 3 and len(parts.states) == 2
    assert {id(v) for v in parts.states} <= {id(v) for v in parts.variables}
    with pytest.raises(SpecError, match="batches of 2"):
        parts(X[:1])


def test_stateful_model_keeps_its_state_between_calls():
    inputs = keras.Input(batch_shape=(2, None, 3))
    layer = layers.GRU(4, stateful=True)
    model = keras.Model(inputs, layer(inputs))
    assert not value(layer.states[0]).any()  # building the graph leaves it alone
    first, second = value(model(X)), value(model(X))
    assert np.abs(first - second).max() > 1e-4
    layer.reset_state()
    np.testing.assert_allclose(value(model(X)), first, atol=1e-6)


@pytest.mark.parametrize("stateful", [False, True])
def test_gradients_reach_all_weights_and_match_the_steps(stateful):
    """The one op and the loop have the same gradients."""
    grads = []
    for use_cudnn in ("auto", False):
        layer = layers.LSTM(4, use_cudnn=use_cudnn, stateful=stateful)
        layer.build((2, 5, 3))
        draws = np.random.default_rng(2)
        layer.set_weights([draws.normal(size=w.shape) for w in layer.weights])
        run = current().value_and_grad(
            lambda x, layer=layer: (ops.sum(layer(x) ** 2), None), layer.trainable_variables
        )
        _, found = run(ops.convert_to_tensor(X))
        grads.append([value(g) for g in found])
    for one, other in zip(*grads, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
        assert np.abs(one).max() > 1e-3


@pytest.mark.parametrize("make", [layers.LSTM, layers.GRU])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_one_op_and_steps_agree(make, go_backwards):
    options = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    one, steps = make(4, **options), make(4, use_cudnn=False, **options)
    found = one(X)
    steps.build(X.shape)
    steps.set_weights(one.get_weights())
    for a, b in zip(found, steps(X), strict=True):
        np.testing.assert_allclose(value(a), value(b), atol=1e-6)


def test_symbolic_initial_state_and_unknown_time():
    x, h, c = keras.Input((None, 3)), keras.Input((4,)), keras.Input((4,))
    layer = layers.LSTM(4, return_sequences=True, return_state=True)
    outputs = layer(x, initial_state=[h, c])
    assert [y.shape for y in outputs] == [(None, None, 4), (None, 4), (None, 4)]
    model = keras.Model([x, h, c], list(outputs))
    start = [np.full((2, 4), 0.5, "float32"), np.full((2, 4), -1.0, "float32")]
    for found, expected in zip(model([X, *start]), layer(X, initial_state=start), strict=True):
        np.testing.assert_allclose(value(found), value(expected), atol=1e-6)


def test_masks_travel_through_a_model():
    inputs = keras.Input((5, 3))
    layer = layers.LSTM(4, return_sequences=True)
    hidden = layer(layers.Masking()(inputs))
    model = keras.Model(inputs, layers.GRU(2)(hidden))
    assert hidden._keras_mask.shape == (None, 5)
    padded, short = X.copy(), X[:, :3]
    padded[:, 3:] = 0
    np.testing.assert_allclose(
        value(model(padded)), value(model.layers[-1](layer(short))), atol=1e-6
    )


def test_a_mask_of_one_state_is_not_for_the_others():
    inputs = layers.Masking()(keras.Input((5, 3)))
    outputs, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(inputs)
    assert outputs._keras_mask is not None and h._keras_mask is None and c._keras_mask is None


class Leaky(layers.Layer):
    """A cell with a sublayer, dropout and a state of two parts."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, [units, 1], units
        self.dense, self.dropout = layers.Dense(units), layers.Dropout(0.5)

    def get_initial_state(self, batch_size=None):
        return [ops.ones((batch_size, self.units)), ops.zeros((batch_size, 1))]

    def call(self, inputs, states, training=False):
        h, count = states
        h = 0.5 * h + self.dropout(self.dense(inputs), training=training)
        return h, (h, count + 1)


def test_custom_cell():
    layer = layers.RNN(Leaky(4), return_sequences=True, return_state=True)
    assert layer(keras.Input((None, 3)))[0].shape == (None, None, 4)
    outputs, h, count = (value(y) for y in layer(X))
    kernel, bias = layer.get_weights()
    expected = np.ones((2, 4))
    for t in range(5):
        expected = 0.5 * expected + X[:, t] @ kernel + bias
        np.testing.assert_allclose(outputs[:, t], expected, atol=1e-5)
    np.testing.assert_allclose(h, expected, atol=1e-5)
    assert count.tolist() == [[5], [5]]


def test_random_draws_inside_a_cell_go_on_from_step_to_step():
    layer = layers.RNN(Leaky(64), return_sequences=True)
    layer.build((2, 5, 3))
    x = np.ones_like(X)
    first, second = value(layer(x, training=True)), value(layer(x, training=True))
    added = first[:, 1:] - 0.5 * first[:, :-1]
    dropped = np.abs(added) < 1e-6
    assert (dropped[:, 0] != dropped[:, 1]).any() and (first != second).any()


class Doubling:
    """A cell that is not a layer."""

    state_size = 3

    def __call__(self, inputs, states):
        return self.call(inputs, states)

    def call(self, inputs, states):
        h = inputs + 2 * states[0]
        return h, [h]


def test_cell_that_is_no_layer():
    found = value(layers.RNN(Doubling())(X))
    expected = sum(X[:, t] * 2.0 ** (4 - t) for t in range(5))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_overridden_call_of_a_cell_is_what_runs():
    class Negative(layers.GRUCell):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training)
            return -output, states

    layer = layers.RNN(Negative(4))
    plain = layers.RNN(layers.GRUCell(4))
    plain.build(X.shape)
    layer.build(X.shape)
    layer.set_weights(plain.get_weights())
    np.testing.assert_allclose(value(layer(X)), -value(plain(X)), atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16", "mixed_float16"])
def test_dtype_policies(dtype):
    layer = layers.LSTM(4, dtype=dtype, return_state=True)
    compute, kept = layer.compute_dtype, layer.variable_dtype
    for y in layer(X):
        assert current().dtype_name(y) == compute
    assert layer.cell.kernel.dtype == kept
    symbols = layer(keras.Input((5, 3)))
    assert [y.dtype for y in symbols] == [compute] * 3
    inner = layers.RNN([layers.LSTMCell(4, dtype=dtype)], dtype="float32")(X)
    assert current().dtype_name(inner) == "float32"


CONFIGS = [
    lambda: layers.LSTM(3, activation="relu", dropout=0.1, seed=2, return_sequences=True),
    lambda: layers.GRU(3, reset_after=False, kernel_regularizer="l2", zero_output_for_mask=True),
    lambda: layers.SimpleRNN(3, go_backwards=True, return_state=True, seed=4),
    lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], unroll=True),
    lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="ave"),
    lambda: layers.TimeDistributed(layers.Dense(3, activation="relu")),
]


@pytest.mark.parametrize("make", CONFIGS)
def test_round_trip(make):
    layer = make()
    layer(X)
    config = serialize_keras_object(layer)
    again = deserialize_keras_object(config, kind="layer")
    assert again.get_config() == layer.get_config() and again.built
    again.set_weights(layer.get_weights())
    for a, b in zip(_list(layer(X)), _list(again(X)), strict=True):
        np.testing.assert_allclose(value(a), value(b), atol=1e-6)


def _list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def test_configs_have_the_keys_of_keras():
    shared = {
        "name", "trainable", "dtype", "units", "activation", "use_bias", "kernel_initializer",
        "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer",
        "bias_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint",
        "dropout", "recurrent_dropout",
    }  # fmt: skip
    loop = {
        "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
        "zero_output_for_mask",
    }  # fmt: skip
    lstm = shared | {"recurrent_activation", "unit_forget_bias", "seed"}
    gru = shared | {"recurrent_activation", "reset_after", "seed"}
    assert set(layers.LSTMCell(2).get_config()) == lstm
    assert set(layers.LSTM(2).get_config()) == lstm | loop | {"activity_regularizer"}
    assert set(layers.GRUCell(2).get_config()) == gru
    assert set(layers.GRU(2).get_config()) == gru | loop | {"activity_regularizer"}
    assert set(layers.SimpleRNNCell(2).get_config()) == shared | {"seed"}
    assert set(layers.SimpleRNN(2).get_config()) == shared | loop | {"activity_regularizer"}
    base = {"name", "trainable", "dtype"}
    assert set(layers.RNN(layers.LSTMCell(2)).get_config()) == base | loop | {"cell"}
    both = layers.Bidirectional(layers.LSTM(2)).get_config()
    assert set(both) == base | {"merge_mode", "layer", "backward_layer"}


def test_arguments_of_the_cell_are_attributes_of_the_layer():
    layer = layers.GRU(3, dropout=0.25, reset_after=False)
    assert (layer.units, layer.dropout, layer.reset_after) == (3, 0.25, False)


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU])
@pytest.mark.parametrize("unroll", [False, True])
def test_outputs_at_masked_steps_are_zero_only_in_a_sequence(cls, unroll):
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    mask = np.array([[True, True, False, False], [True, False, True, True]])
    plain = cls(2, return_state=True, unroll=unroll)
    expected, state, *_ = map(value, plain(x, mask=mask))
    zeroed = cls(2, return_state=True, zero_output_for_mask=True, unroll=unroll)
    zeroed.build(x.shape)
    zeroed.set_weights(plain.get_weights())
    last, last_state, *_ = map(value, zeroed(x, mask=mask))
    np.testing.assert_allclose(last, expected, rtol=1e-6)
    np.testing.assert_allclose(last_state, state, rtol=1e-6)
    np.testing.assert_allclose(last, state, rtol=1e-6)  # the output of the last step that counts
    zeroed.return_sequences = True
    outputs = value(zeroed(x, mask=mask)[0])
    assert ((outputs == 0).all(-1) == ~mask).all()
    np.testing.assert_allclose(outputs[:, [1, 3]][[0, 1], [0, 1]], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("cls", "options"),
    [("LSTM", {}), ("GRU", {"go_backwards": True, "zero_output_for_mask": True})],
)
def test_a_masked_sequence_as_one_op_equals_its_steps(cls, options):
    make = getattr(layers, cls)
    x = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(4, 5, 3)).astype("float32"))
    mask = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 0, 1]], bool)
    states = [ops.convert_to_tensor(np.random.default_rng(1).normal(size=(4, 2)).astype("float32"))]
    states = states * (2 if cls == "LSTM" else 1)
    results = []
    for use_cudnn in ("auto", False):
        layer = make(
            2, return_sequences=True, return_state=True, use_cudnn=use_cudnn, **options,
            recurrent_initializer=keras.initializers.RandomNormal(seed=1), bias_initializer="ones",
            kernel_initializer=keras.initializers.RandomNormal(seed=2),
        )  # fmt: skip
        layer.build(x.shape)
        weight = keras.Variable(x)

        def run(layer=layer, weight=weight):
            outputs = layer(weight.value, initial_state=states, mask=ops.convert_to_tensor(mask))
            return sum(ops.sum(ops.sin(y)) for y in outputs), outputs

        variables = [weight, *layer.trainable_variables]
        (_, outputs), gradients = current().value_and_grad(run, variables)()
        results.append([ops.convert_to_numpy(y) for y in (*outputs, *gradients)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(3),
        layers.RNN(layers.GRUCell(3)),
        layers.Bidirectional(layers.SimpleRNN(3)),
        layers.ConvLSTM1D(3, 2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_missing_time_axis_is_named_by_the_layer_that_was_made(layer):
    shape = (4, 5) if isinstance(layer, layers.ConvLSTM1D) else (4,)
    name = f"^{type(layer).__name__} layer '{layer.name}'\n"
    with pytest.raises(SpecError, match=rf"{name}(.|\n)*no time axis(.|\n)*Input\(shape=\(None"):
        layer(keras.Input(shape))


def test_what_the_cell_of_a_layer_refuses_the_layer_refuses():
    with pytest.raises(SpecError, match=r"^GRU\n(.|\n)*units"):
        layers.GRU(0)
    with pytest.raises(SpecError, match=r"^LSTM layer(.|\n)*known size"):
        layers.LSTM(3)(keras.Input((3, None)))
