"""ConvLSTM: steps written out in NumPy, masks, sizes that are not known, dropout, refusals."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.layers import Input

RANDOM = np.random.default_rng(3)
WINDOW = {"kernel_size": (3, 2), "strides": 2, "padding": "valid"}


def convolve(x, kernel, strides, padding):
    """Convolution of one image `(height, width, channels)`, window by window, in float64."""
    *window, _, filters = kernel.shape
    if padding == "same":
        totals = [
            max((-(-n // strides) - 1) * strides + k - n, 0)
            for n, k in zip(x.shape[:2], window, strict=True)
        ]
        x = np.pad(x, [*((t // 2, t - t // 2) for t in totals), (0, 0)])
    rows, columns = ((n - k) // strides + 1 for n, k in zip(x.shape[:2], window, strict=True))
    y = np.zeros((rows, columns, filters))
    for i in range(rows):
        for j in range(columns):
            part = x[i * strides :, j * strides :][: window[0], : window[1]]
            y[i, j] = np.tensordot(part, kernel, 3)
    return y


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def conv_lstm(x, weights, strides, padding, mask):
    """All outputs, and the last states, of one sequence of images."""
    kernel, recurrent_kernel, bias = (w.astype("float64") for w in weights)
    first = convolve(x[0], kernel, strides, padding)
    h = c = output = np.zeros((*first.shape[:2], first.shape[2] // 4))
    outputs = []
    for image, is_active in zip(x, mask, strict=True):
        if is_active:
            z = convolve(image, kernel, strides, padding) + bias
            z = z + convolve(h, recurrent_kernel, 1, "same")
            i, f, g, o = np.split(z, 4, axis=-1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = output = sigmoid(o) * np.tanh(c)
        outputs.append(output)
    return np.stack(outputs), h, c


def draw_weights(layer):
    layer.set_weights([RANDOM.normal(size=w.shape) * 0.5 for w in layer.weights])
    return layer.get_weights()


@pytest.mark.parametrize(
    ("padding", "data_format"), [("valid", "channels_last"), ("same", "channels_first")]
)
def test_outputs_and_states_are_those_of_steps_written_out(padding, data_format):
    x = RANDOM.normal(size=(2, 4, 5, 6, 2)).astype("float32")
    mask = np.array([[True, False, True, True], [False, True, True, False]])
    layer = layers.ConvLSTM2D(
        3, **{**WINDOW, "padding": padding}, return_sequences=True, return_state=True,
        data_format=data_format,
    )  # fmt: skip
    first = data_format == "channels_first"
    data = np.moveaxis(x, -1, 2) if first else x
    layer.build(data.shape)
    weights = draw_weights(layer)
    assert [tuple(w.shape) for w in weights] == [(3, 2, 2, 12), (3, 2, 3, 12), (12,)]
    outputs, h, c = layer(data, mask=mask)
    for k in range(2):
        expected = conv_lstm(x[k], weights, 2, padding, mask[k])
        for value, right in zip((outputs[k], h[k], c[k]), expected, strict=True):
            value = ops.convert_to_numpy(value)
            value = np.moveaxis(value, -3, -1) if first else value
            np.testing.assert_allclose(value, right, atol=1e-5)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_sizes_that_are_not_known_stay_open(rank):
    layer = getattr(layers, f"ConvLSTM{rank}D")(3, 2, return_state=True)
    outputs = layer(Input((None, *[None] * rank, 2)))
    assert [y.shape for y in outputs] == [(None, *[None] * rank, 3)] * 3
    assert layer(np.zeros((1, 2, *[4] * rank, 2), "float32"))[0].shape == (1, *[3] * rank, 3)
    assert layer.compute_output_shape((None, 5, *[4] * rank, 2))[1] == (None, *[3] * rank, 3)
    assert layer.input_spec.ndim == rank + 3


def test_a_stateful_layer_continues_where_the_batch_before_ended():
    x = RANDOM.normal(size=(2, 4, 5, 2)).astype("float32")
    whole = layers.ConvLSTM1D(3, 2, return_sequences=True)
    expected = ops.convert_to_numpy(whole(x))
    layer = layers.ConvLSTM1D(3, 2, return_sequences=True, stateful=True)
    layer.build((2, 2, 5, 2))
    layer.set_weights(whole.get_weights())
    parts = [ops.convert_to_numpy(layer(part)) for part in (x[:, :2], x[:, 2:])]
    np.testing.assert_allclose(np.concatenate(parts, 1), expected, atol=1e-5)
    assert [tuple(v.shape) for v in layer.states] == [(2, 4, 3)] * 2
    layer.reset_state()
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x[:, :2])), parts[0], atol=1e-6)
    # the same from states that are passed, backwards and unrolled
    options = {"go_backwards": True, "unroll": True, "return_state": True}
    back = layers.ConvLSTM1D(3, 2, **options)
    back.build(x.shape)
    back.set_weights(whole.get_weights())
    _, *states = back(x[:, 2:])
    y, *_ = back(x[:, :2], initial_state=states)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (y, back(x)[0])), atol=1e-5)


@pytest.mark.parametrize(
    ("data_format", "rates"),
    [("channels_last", {"dropout": 0.5}), ("channels_first", {"recurrent_dropout": 0.5})],
)
def test_dropout_acts_in_training_only(data_format, rates):
    x = np.ones((1, 2, 4, 4), "float32")
    layer = layers.ConvLSTM1D(
        4, 2, padding="same", seed=1, data_format=data_format, activation=None, **rates
    )
    still = ops.convert_to_numpy(layer(x))
    first, second = (ops.convert_to_numpy(layer(x, training=True)) for _ in range(2))
    assert not np.allclose(first, still) and not np.allclose(first, second)


def test_a_model_with_one_is_trained_saved_and_loaded(tmp_path):
    inputs = Input((None, 4, 4, 1))
    hidden = layers.ConvLSTM2D(2, 2, activity_regularizer="l2", kernel_constraint="max_norm")
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(hidden(inputs))))
    model.compile("sgd", "mse")
    x, y = RANDOM.normal(size=(4, 3, 4, 4, 1)), np.ones((4, 1))
    before = hidden.get_weights()
    model.fit(x, y, verbose=0)
    after = hidden.get_weights()
    assert all(np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    assert again.layers[1].get_config() == hidden.get_config()


def test_the_forget_gate_starts_with_a_bias_of_1():
    layer = layers.ConvLSTM1D(2, 3)
    layer.build((None, None, 5, 1))
    assert layer.get_weights()[2].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.ConvLSTM2D(0, 3), r"^ConvLSTM2D\n(.|\n)*filters"),
        (lambda: layers.ConvLSTM2D(2, (3, 3, 3)), r"^ConvLSTM2D\n(.|\n)*kernel_size"),
        (lambda: layers.ConvLSTM2D(2, 3, padding="causal"), r"^ConvLSTM2D(.|\n)*padding"),
        (lambda: layers.ConvLSTM1D(2, 3, 2, dilation_rate=2), r"^ConvLSTM1D(.|\n)*strides"),
        (lambda: layers.ConvLSTM1D(2, 3)(Input((8, 4))), "^ConvLSTM1D layer"),
        (lambda: layers.ConvLSTM1D(2, 3)(Input((8, 4, None))), "^ConvLSTM1D layer"),
        (
            lambda: layers.ConvLSTM1D(2, 3)(Input((8, 2, 4))),
            "^ConvLSTM1D layer(.|\n)*hold a window",
        ),
        (
            lambda: layers.ConvLSTM1D(2, 3, stateful=True)(Input(batch_shape=(2, 8, None, 4))),
            "^ConvLSTM1D layer(.|\n)*known sizes",
        ),
    ],
)
def test_the_layer_refuses_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()
