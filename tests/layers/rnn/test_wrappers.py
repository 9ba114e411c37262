"""TimeDistributed and Bidirectional."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def value(x):
    return ops.convert_to_numpy(x)


def test_each_step_meets_the_same_layer():
    inner = layers.Conv1D(4, 2)
    layer = layers.TimeDistributed(inner)
    x = np.random.default_rng(1).normal(size=(2, 3, 6, 5)).astype("float32")
    found = value(layer(x))
    for t in range(3):
        np.testing.assert_allclose(found[:, t], value(inner(x[:, t])), atol=1e-5)
    assert layer(keras.Input((None, 6, 5))).shape == (None, None, 5, 4)


def test_model_over_time_of_unknown_length():
    frame = keras.Input((4, 3))
    encoder = keras.Model(frame, layers.Dense(2)(layers.Flatten()(frame)))
    inputs = keras.Input((None, 4, 3))
    model = keras.Model(inputs, layers.TimeDistributed(encoder)(inputs))
    assert model.output.shape == (None, None, 2)
    x = np.random.default_rng(1).normal(size=(2, 5, 4, 3)).astype("float32")
    np.testing.assert_allclose(value(model(x))[:, 3], value(encoder(x[:, 3])), atol=1e-5)


def test_moving_averages_move_at_each_step():
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    layer(X, training=True)
    mean = np.zeros(3)
    for t in range(5):
        mean = 0.5 * mean + 0.5 * X[:, t].mean(0)
    np.testing.assert_allclose(layer.layer.moving_mean.numpy(), mean, atol=1e-6)


def test_mask_goes_in_step_by_step_and_out():
    inner = layers.LSTM(2)
    layer = layers.TimeDistributed(inner)
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype("float32")
    mask = np.random.default_rng(2).random((2, 3, 4)) > 0.4
    found = value(layer(x, mask=mask))
    for t in range(3):
        expected = value(inner(x[:, t], mask=mask[:, t]))
        np.testing.assert_allclose(found[:, t], expected, atol=1e-6)
    masked = layers.Masking()(keras.Input((5, 3)))
    assert layers.TimeDistributed(layers.Dense(2))(masked)._keras_mask is not None


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: layers.TimeDistributed("dense"), "layer"),
        (lambda: layers.TimeDistributed(layers.Dense(2))(X[:, 0]), "3 axes"),
        (lambda: layers.TimeDistributed(layers.Dense(2))(X, mask=MASK[:, :2]), "mask"),
        (lambda: layers.Bidirectional(3), "layer"),
        (lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="max"), "merge_mode"),
        (lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)), "backward"),
        (
            lambda: layers.Bidirectional(
                layers.LSTM(2),
                backward_layer=layers.LSTM(2, go_backwards=True, return_state=True),
            ),
            "return_state",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, word):
    with pytest.raises(SpecError, match=word):
        make()


MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], -1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda a, b: (a + b) / 2,
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("merge_mode", MERGES)
def test_directions_are_merged_in_the_order_of_time(merge_mode, masked):
    layer = layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode=merge_mode)
    options = {"mask": MASK} if masked else {}
    found = value(layer(X, **options))
    forward = value(layer.forward_layer(X, **options))
    backward = value(layer.backward_layer(X, **options))[:, ::-1]
    np.testing.assert_allclose(found, MERGES[merge_mode](forward, backward), atol=1e-6)
    if masked:
        assert not found[0, 3:].any() and found[1, 3:].any()


def test_unrolled_and_masked_is_as_looped_and_masked():
    looped = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    unrolled = layers.Bidirectional(layers.LSTM(4, return_sequences=True, unroll=True))
    expected = value(looped(X, mask=MASK))
    unrolled.build(X.shape)
    unrolled.set_weights(looped.get_weights())
    np.testing.assert_allclose(value(unrolled(X, mask=MASK)), expected, atol=1e-6)


def test_states_and_initial_states_of_both_directions():
    layer = layers.Bidirectional(layers.LSTM(4, return_state=True), merge_mode=None)
    start = [np.full((2, 4), i, "float32") for i in range(4)]
    results = layer(X, initial_state=start)
    assert len(results) == 6
    forward = layer.forward_layer(X, initial_state=start[:2])
    backward = layer.backward_layer(X, initial_state=start[2:])
    expected = [forward[0], backward[0], *forward[1:], *backward[1:]]
    for a, b in zip(results, expected, strict=True):
        np.testing.assert_allclose(value(a), value(b), atol=1e-6)


def test_symbolic_shapes_and_masks():
    inputs = layers.Masking()(keras.Input((None, 3)))
    outputs = layers.Bidirectional(layers.GRU(4, return_sequences=True, return_state=True))(inputs)
    assert [y.shape for y in outputs] == [(None, None, 8), (None, 4), (None, 4)]
    assert [y._keras_mask is None for y in outputs] == [False, True, True]


def test_weights_are_the_first_values_of_both():
    source = layers.Bidirectional(layers.GRU(4))
    expected = value(source(X))
    copy = layers.Bidirectional(layers.GRU(4), weights=source.get_weights())
    np.testing.assert_allclose(value(copy(X)), expected, atol=1e-6)


def test_stateful_directions_reset():
    layer = layers.Bidirectional(layers.GRU(4, stateful=True))
    first, second = value(layer(X)), value(layer(X))
    assert np.abs(first - second).max() > 1e-4 and len(layer.states) == 2
    layer.reset_state()
    np.testing.assert_allclose(value(layer(X)), first, atol=1e-6)
    with pytest.raises(AttributeError, match="stateful"):
        layers.Bidirectional(layers.GRU(4)).reset_state()


def test_names_and_a_layer_of_its_own_for_the_other_direction():
    layer = layers.Bidirectional(
        layers.LSTM(2, name="a"), backward_layer=layers.GRU(3, go_backwards=True, name="b")
    )
    assert (layer.forward_layer.name, layer.backward_layer.name) == ("forward_a", "b")
    assert layer(keras.Input((None, 3))).shape == (None, 5)
    again = deserialize_keras_object(serialize_keras_object(layer), kind="layer")
    assert again.get_config() == layer.get_config()
