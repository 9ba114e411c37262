"""Samples of unequal lengths: the results are those of data that is padded and masked by hand."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

BACKEND = keras.config.backend()
rng = np.random.default_rng(0)
LENGTHS = (3, 1, 5, 2, 4, 3, 7, 2)
WORDS = [rng.integers(1, 9, n) for n in LENGTHS]
VECTORS = [rng.normal(size=(n, 2)).astype("float32") for n in LENGTHS]
Y = rng.normal(size=(8, 1)).astype("float32")
PADDED = np.zeros((8, 8), "int64")
for row, sample in zip(PADDED, WORDS, strict=True):
    row[: len(sample)] = sample


def compare(received, expected):
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


def average(units):
    return layers.GlobalAveragePooling1D()


def text_model(mask_zero=False, rnn=average, ragged=None):
    keras.utils.set_random_seed(0)
    x = keras.Input((None,), dtype="int32", ragged=ragged)
    model = keras.Model(x, layers.Dense(1)(rnn(3)(layers.Embedding(9, 2, mask_zero=mask_zero)(x))))
    model.compile("sgd", "mse")
    return model


def train(model, x):
    history = model.fit(x, Y, batch_size=3, epochs=2, validation_split=0.25, verbose=0)
    return [*model.get_weights(), history.history["val_loss"], model.predict(x, 8, 0)]


@pytest.fixture(scope="module")
def of_padded_data():
    return train(text_model(mask_zero=True), PADDED)


def framework_tensor():
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.ragged.constant([x.tolist() for x in WORDS], tf.int32)
    import torch

    samples = [torch.tensor(x, dtype=torch.int32) for x in WORDS]
    return torch.nested.nested_tensor(samples, layout=torch.jagged)


def object_array():
    array = np.empty(8, object)
    array[:] = [x.tolist() for x in WORDS]
    return array


FORMS = {
    "arrays": lambda: WORDS,
    "lists": lambda: [x.tolist() for x in WORDS],
    "array_of_lists": object_array,
    "tensor": framework_tensor,
}
THOROUGH = pytest.mark.thorough
WITHOUT_TENSORS = pytest.mark.skipif(BACKEND == "jax", reason="JAX has no ragged tensors")


@pytest.mark.parametrize(
    "form",
    [
        "arrays",
        pytest.param("lists", marks=THOROUGH),
        pytest.param("array_of_lists", marks=THOROUGH),
        pytest.param("tensor", marks=WITHOUT_TENSORS),
    ],
)
def test_fit_equals_fit_on_padded_data(of_padded_data, form):
    compare(train(text_model(), FORMS[form]()), of_padded_data)


@THOROUGH
def test_an_input_may_be_declared_as_ragged_and_zeros_masked_too(of_padded_data):
    model = text_model(mask_zero=True, ragged=True)
    assert model.inputs[0].ragged
    compare(train(model, WORDS), of_padded_data)


@pytest.mark.parametrize(
    "rnn",
    [
        lambda n: layers.Bidirectional(layers.GRU(n)),
        pytest.param(layers.LSTM, marks=THOROUGH),
        pytest.param(layers.SimpleRNN, marks=THOROUGH),
        pytest.param(lambda n: layers.RNN(layers.LSTMCell(n)), marks=THOROUGH),
    ],
)
def test_recurrent_layers(rnn):
    expected = text_model(mask_zero=True, rnn=rnn).predict(PADDED, verbose=0)
    compare([text_model(rnn=rnn).predict(WORDS, 4, 0)], [expected])


def test_vectors_are_averaged_over_the_time_steps_that_there_are():
    x = keras.Input((None, 2))
    model = keras.Model(x, layers.GlobalAveragePooling1D()(layers.Dense(3)(x)))
    kernel = model.layers[1].kernel.numpy()
    expected = np.stack([(sample @ kernel).mean(0) for sample in VECTORS])
    compare([model.predict(VECTORS, 3, 0), model.predict_on_batch(VECTORS)], [expected] * 2)
    model.compile("sgd", "mse")
    assert model.test_on_batch(VECTORS, expected) == pytest.approx(0, abs=1e-9)


def test_targets_of_unequal_lengths():
    x = keras.Input((None, 2))
    model = keras.Model(x, layers.Dense(1)(layers.Masking()(x)))
    model.compile("sgd", "mse")
    targets = [sample[:, :1] for sample in VECTORS]
    kernel = model.layers[-1].kernel.numpy()
    errors = [((x @ kernel - y) ** 2) for x, y in zip(VECTORS, targets, strict=True)]
    received = model.evaluate(VECTORS, targets, batch_size=8, verbose=0)
    expected = np.sum([e.sum() for e in errors]) / sum(LENGTHS)
    assert received == pytest.approx(expected, rel=1e-4)
    assert model.predict(VECTORS, 2, 0).shape == (8, 8, 1)  # zeros follow shorter batches


def test_lengths_of_an_input():
    x = keras.Input((10,), dtype="int32")
    model = keras.Model(x, layers.Embedding(9, 2)(x))
    assert model.predict(WORDS, 2, 0).shape == (8, 10, 2)
    x = keras.Input((5,), dtype="int32")
    with pytest.raises(ValueError, match="at most 5 time steps"):
        keras.Model(x, layers.Embedding(9, 2)(x)).predict(WORDS)
    with pytest.raises(ValueError, match="samples that differ in their first axis only"):
        text_model().predict([np.ones((2, 2)), np.ones((3, 3))])


def test_one_of_several_inputs():
    x, y = keras.Input((None,), dtype="int32", name="x"), keras.Input((2,), name="y")
    words = layers.GlobalAveragePooling1D()(layers.Embedding(9, 2, name="table")(x))
    model = keras.Model([x, y], layers.Add()([words, y]))
    table = model.get_layer("table").embeddings.numpy()
    expected = np.stack([table[w].mean(0) for w in WORDS]) + 1
    ones = np.ones((8, 2), "float32")
    compare([model.predict({"x": WORDS, "y": ones}, verbose=0)], [expected])
    compare([model.predict([WORDS, ones], verbose=0)], [expected])


def test_a_model_without_an_input_and_a_generator():
    model = keras.Sequential([layers.Embedding(9, 2), layers.GlobalAveragePooling1D()])
    received = model.predict(WORDS, 4, 0)
    compare([model.predict(iter([(WORDS[:4],), (WORDS[4:],)]), verbose=0)], [received])
    table = model.layers[0].embeddings.numpy()
    compare([received], [np.stack([table[w].mean(0) for w in WORDS])])


@WITHOUT_TENSORS
def test_a_call_of_a_model_or_a_layer_pads_and_masks_a_ragged_tensor():
    x = framework_tensor()
    expected = text_model(mask_zero=True)(PADDED)
    compare([ops.convert_to_numpy(text_model()(x))], [ops.convert_to_numpy(expected)])
    layer = layers.Embedding(9, 2)
    means = layers.GlobalAveragePooling1D()(layer(x))
    table = layer.embeddings.numpy()
    compare([ops.convert_to_numpy(means)], [np.stack([table[w].mean(0) for w in WORDS])])
    dense = ops.convert_to_tensor(x, ragged=False)
    assert ops.convert_to_numpy(dense).tolist() == PADDED[:, :7].tolist()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.data")
def test_a_dataset_of_ragged_and_of_sparse_tensors():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((framework_tensor(), Y)).batch(4)
    model, expected = text_model(), text_model(mask_zero=True)
    model.fit(dataset, verbose=0)
    expected.fit(PADDED, Y, batch_size=4, shuffle=False, verbose=0)
    compare(model.get_weights(), expected.get_weights())
    with pytest.raises(ValueError, match="ragged=False"):
        ops.convert_to_tensor(framework_tensor())
    x = keras.Input((8,), sparse=True)
    model = keras.Model(x, layers.Dense(1)(x))
    sparse = tf.sparse.from_dense(PADDED.astype("float32"))
    received = model.predict(tf.data.Dataset.from_tensor_slices(sparse).batch(4), verbose=0)
    compare([received], [model.predict(PADDED.astype("float32"), verbose=0)])


def test_a_list_of_unequal_lengths_is_no_tensor():
    with pytest.raises(ValueError, match="pad the elements to one shape"):
        ops.convert_to_tensor([[1, 2], [3]])
