"""What becomes of a mask in each layer that wraps a layer, changes axes or joins inputs."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.masking import get_mask, set_mask

MASK = np.array([[True, True, True, False], [True, False, True, True]])
WORDS = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]], [[1, 1, 1], [0, 0, 0], [0, 0, 0]]])


def numbers(x):
    return ops.convert_to_numpy(x)


def masked(shape=(2, 4, 3), mask=MASK):
    x = ops.convert_to_tensor(np.random.default_rng(0).uniform(0.1, 1, shape).astype("float32"))
    set_mask(x, ops.convert_to_tensor(mask))
    return x


def masks_of(outputs):
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [None if get_mask(y) is None else numbers(get_mask(y)).tolist() for y in outputs]


KEPT = MASK.tolist()


class Around(layers.Wrapper):
    def call(self, inputs):
        return self.layer(inputs)


class Stack(keras.Model):
    def __init__(self, *stack):
        super().__init__()
        self.stack = stack

    def call(self, x):
        for layer in self.stack:
            x = layer(x)
        return x


def graph(*stack):
    x = keras.Input((4, 3))
    y = x
    for layer in stack:
        y = layer(y)
    return keras.Model(x, y)


# A layer and the masks of its outputs, for inputs of shape (2, 4, 3) with a mask of (2, 4).
CASES = {
    "Flatten": (layers.Flatten, [None]),
    "Reshape": (lambda: layers.Reshape((3, 4)), [None]),
    "Permute": (lambda: layers.Permute((2, 1)), [None]),
    "Cropping1D": (lambda: layers.Cropping1D(1), [None]),
    "ZeroPadding1D": (lambda: layers.ZeroPadding1D(1), [None]),
    "UpSampling1D": (lambda: layers.UpSampling1D(2), [None]),
    "MaxPooling1D": (lambda: layers.MaxPooling1D(2), [None]),
    "AveragePooling1D": (lambda: layers.AveragePooling1D(1), [None]),
    "GlobalMaxPooling1D": (layers.GlobalMaxPooling1D, [None]),
    "GlobalAveragePooling1D": (lambda: layers.GlobalAveragePooling1D(keepdims=True), [None]),
    "Conv1D": (lambda: layers.Conv1D(2, 2), [None]),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(2, 2), [None]),
    "Lambda": (lambda: layers.Lambda(lambda x: x * 2), [None]),
    "Lambda with a mask": (lambda: layers.Lambda(lambda x: x * 2, mask=lambda x, m: m), [KEPT]),
    "Dense": (lambda: layers.Dense(2), [KEPT]),
    "Wrapper": (lambda: Around(layers.Dense(2)), [KEPT]),
    "Wrapper of a last output": (lambda: Around(layers.SimpleRNN(2)), [None]),
    "RNN": (lambda: layers.SimpleRNN(2), [None]),
    "RNN, all steps": (
        lambda: layers.GRU(2, return_sequences=True, return_state=True), [KEPT, None]
    ),
    "RNN backwards": (
        lambda: layers.SimpleRNN(2, return_sequences=True, go_backwards=True),
        [MASK[:, ::-1].tolist()],
    ),
    "Bidirectional": (lambda: layers.Bidirectional(layers.SimpleRNN(2)), [None]),
    "Bidirectional, all steps": (
        lambda: layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True), None),
        [KEPT, KEPT],
    ),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(2)), [KEPT]),
    "Functional": (lambda: graph(layers.Dense(2)), [KEPT]),
    "Functional of a last output": (lambda: graph(layers.SimpleRNN(2)), [None]),
    "Functional that flattens": (lambda: graph(layers.Dense(2), layers.Flatten()), [None]),
    "Sequential": (lambda: keras.Sequential([layers.Dense(2)]), [KEPT]),
    "Sequential of a last output": (lambda: keras.Sequential([layers.SimpleRNN(2)]), [None]),
    "subclassed": (lambda: Stack(layers.Dense(2)), [KEPT]),
    "subclassed of a last output": (lambda: Stack(layers.SimpleRNN(2)), [None]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_masks_of_outputs(name):
    make, expected = CASES[name]
    layer, x = make(), masked()
    assert masks_of(layer(x)) == masks_of(layer(x)) == expected  # the second call is warm
    symbol = keras.Input((4, 3))
    set_mask(symbol, keras.KerasTensor((None, 4), "bool"))
    outputs = make()(symbol)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    assert [get_mask(y) is not None for y in outputs] == [m is not None for m in expected]


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][1] == [None]])
def test_compute_mask_says_that_the_mask_is_gone(name):
    layer = CASES[name][0]()
    if not isinstance(layer, (keras.Model, layers.Wrapper)):
        assert layer.compute_mask(masked(), ops.convert_to_tensor(MASK)) is None


MERGES = {
    "Add": (lambda x, y, z: layers.Add()([x, y]), (MASK | MASK[::-1]).tolist()),
    "one without": (lambda x, y, z: layers.Maximum()([x, z]), None),
    "Concatenate": (lambda x, y, z: layers.Concatenate()([x, y]), (MASK | MASK[::-1]).tolist()),
    "over time": (
        lambda x, y, z: layers.Concatenate(1)([x, y]),
        np.concatenate([MASK, MASK[::-1]], 1).tolist(),
    ),
    "over time, one without": (
        lambda x, y, z: layers.Concatenate(1)([x, z]),
        np.concatenate([MASK, MASK | True], 1).tolist(),
    ),
    "Dot": (lambda x, y, z: layers.Dot(2)([x, y]), None),
}


@pytest.mark.parametrize("name", MERGES)
@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 4, 3, 2)])
def test_the_masks_of_joined_inputs(name, shape):
    join, expected = MERGES[name]
    x, y = masked(shape), masked(shape, MASK[::-1].copy())
    z = ops.convert_to_tensor(np.ones(shape, "float32"))
    if not (name == "Dot" and len(shape) == 4):
        assert masks_of(join(x, y, z)) == [expected]


def test_elements_that_are_masked_do_not_count_in_a_product_of_images():
    x = ops.convert_to_tensor(np.full((2, 4, 3, 2), 5.0, "float32"))
    y = ops.convert_to_tensor(np.full((2, 4, 3, 2), 2.0, "float32"))
    set_mask(x, ops.convert_to_tensor(MASK))
    set_mask(y, ops.convert_to_tensor(MASK | True))
    product = numbers(layers.Multiply()([x, y]))
    assert product[..., 0, 0].tolist() == np.where(MASK, 10.0, 2.0).tolist()


# ---------------------------------------------------------------- TimeDistributed


def last_state(vectors, layer):
    """What a `SimpleRNN` returns, in NumPy."""
    kernel, recurrent, bias = layer.get_weights()
    h = np.zeros(len(bias))
    for x in vectors:
        h = np.tanh(x @ kernel + h @ recurrent + bias)
    return h


def test_sentences_are_masked_by_the_words_that_they_hold():
    embedding = layers.Embedding(8, 3, mask_zero=True)
    words, sentences = layers.SimpleRNN(2), layers.SimpleRNN(4)
    inputs = keras.Input((3, 3), dtype="int32")
    outputs = sentences(layers.TimeDistributed(words)(embedding(inputs)))
    model = keras.Model(inputs, outputs)
    table = embedding.get_weights()[0]
    expected = [
        last_state([last_state(table[s[s != 0]], words) for s in text if s.any()], sentences)
        for text in WORDS
    ]
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, rtol=1e-4, atol=1e-6)


def inner_model():
    x = keras.Input((3,), dtype="int32")
    return keras.Model(x, layers.Embedding(8, 3, mask_zero=True)(x))


@pytest.mark.parametrize("make", [lambda: layers.Embedding(8, 3, mask_zero=True), inner_model])
def test_a_mask_that_the_layer_makes_gets_the_time_axis(make):
    each = layers.TimeDistributed(make())
    assert masks_of(each(WORDS)) == masks_of(each(WORDS)) == [(WORDS != 0).tolist()]
    assert get_mask(each(keras.Input((3, 3), dtype="int32"))).shape == (None, 3, 3)
    ids = ops.convert_to_tensor(WORDS)
    outer = np.array([[True, True, False], [False, True, True]])
    set_mask(ids, ops.convert_to_tensor(outer))
    assert masks_of(each(ids)) == [((WORDS != 0) & outer[..., None]).tolist()]


def test_compute_mask_of_time_distributed():
    each = layers.TimeDistributed(layers.Embedding(8, 3, mask_zero=True))
    assert numbers(each.compute_mask(WORDS, None)).tolist() == (WORDS != 0).tolist()
    last = layers.TimeDistributed(layers.GRU(2))
    x, mask = np.ones((2, 3, 3, 1), "float32"), ops.convert_to_tensor(WORDS != 0)
    assert numbers(last.compute_mask(x, mask)).tolist() == (WORDS != 0).any(-1).tolist()
    every = layers.TimeDistributed(layers.GRU(2, return_sequences=True))
    assert numbers(every.compute_mask(x, mask)).tolist() == (WORDS != 0).tolist()
    assert every.compute_mask(x, None) is None


def test_a_layer_that_works_step_by_step_gets_the_masks_of_its_step():
    class Count(layers.Layer):
        def __init__(self):
            super().__init__()
            self.calls = self.add_weight((), "zeros", trainable=False, name="calls")
            self.supports_masking = True

        def call(self, x, mask=None):
            if mask is None:
                return x
            return ops.where(ops.expand_dims(mask, -1), x, 0)

    x = masked((2, 3, 3, 1), WORDS != 0)
    each = layers.TimeDistributed(Count())
    y = each(x, training=True)  # step by step, for the layer has a variable that is not trained
    assert masks_of(y) == [(WORDS != 0).tolist()]
    assert (numbers(y)[..., 0] != 0).tolist() == (WORDS != 0).tolist()


def test_a_mask_of_whole_steps_reaches_layers_that_count_elements():
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    seen = []

    class Look(layers.Layer):
        def call(self, x, mask=None):
            seen.append(numbers(mask))
            return x

    layers.TimeDistributed(Look())(x, mask=MASK)
    layers.TimeDistributed(Look())(x[..., None], mask=MASK)
    features, images = seen
    assert features.tolist() == MASK.ravel().tolist()
    assert images.tolist() == np.repeat(MASK.reshape(-1, 1), 3, 1).tolist()


def test_a_recurrent_layer_refuses_a_mask_of_other_axes():
    with pytest.raises(ValueError, match=r"(?s)LSTM layer 'l'.*a mask of shape \(2, 3, 3\)"):
        layers.LSTM(2, name="l")(np.ones((2, 3, 4), "float32"), mask=WORDS != 0)


def test_a_mask_that_a_layer_inside_makes_has_precedence():
    class Encoder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True
            self.embed = layers.Embedding(8, 2, mask_zero=True)

        def call(self, ids, mask=None):
            return self.embed(ids)

    ids = ops.convert_to_tensor(WORDS[0])
    set_mask(ids, ops.convert_to_tensor(WORDS[0] != 3))
    assert masks_of(Encoder()(ids)) == [((WORDS[0] != 0) & (WORDS[0] != 3)).tolist()]


def test_the_output_has_the_mask_that_the_caller_passed():
    x, mask = ops.ones((1, 2, 3)), ops.convert_to_tensor([[True, False]])
    layer = layers.LSTM(2, return_sequences=True)
    for _ in range(2):  # the second call may take a faster path
        assert ops.convert_to_numpy(get_mask(layer(x, mask=mask))).tolist() == [[True, False]]
    assert get_mask(layer(x)) is None
