"""Masks that travel with tensors."""

import numpy as np

import keras_fn as keras
from keras_fn import KerasTensor, layers, ops
from keras_fn.core import masking

WORDS = np.array([[1, 2, 0], [3, 0, 0]])


def numbers(x):
    return ops.convert_to_numpy(x).tolist()


def embedding():
    return layers.Embedding(5, 4, mask_zero=True, embeddings_initializer="ones")


def test_a_symbolic_tensor_carries_its_mask():
    x = KerasTensor((None, 3))
    assert masking.get_mask(x) is None
    mask = KerasTensor((None, 3), "bool")
    masking.set_mask(x, mask)
    assert masking.get_mask(x) is mask


def test_a_value_carries_its_mask_and_another_does_not():
    x, other = ops.ones((2, 3)), ops.ones((2, 3))
    masking.set_mask(x, ops.ones((2, 3), "bool"))
    assert numbers(masking.get_mask(x)) == [[True] * 3] * 2
    assert masking.get_mask(other) is None


def test_a_layer_makes_a_mask_of_values_and_of_symbols():
    assert numbers(masking.get_mask(embedding()(WORDS))) == (WORDS != 0).tolist()
    mask = masking.get_mask(embedding()(keras.Input((3,), dtype="int32")))
    assert (mask.shape, mask.dtype) == ((None, 3), "bool")


def test_a_mask_travels_through_layers_that_support_it_and_ends_at_others():
    x = embedding()(WORDS)
    for supports, layer in [(True, layers.Dropout(0.5)), (True, layers.Activation("relu")),
                            (True, layers.Dense(2)), (False, layers.Flatten())]:  # fmt: skip
        found = masking.get_mask(layer(x))
        assert (found is not None) is supports, layer


def test_a_warm_layer_still_takes_the_mask_of_its_input():
    lstm = layers.LSTM(2)
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    for _ in range(3):  # the fast path
        lstm(ops.convert_to_tensor(x))
    masked = ops.convert_to_tensor(x)
    masking.set_mask(masked, ops.convert_to_tensor(WORDS != 0))
    expected = lstm(ops.convert_to_tensor(x), mask=ops.convert_to_tensor(WORDS != 0))
    np.testing.assert_allclose(numbers(lstm(masked)), numbers(expected), rtol=1e-6)
    plain = numbers(lstm(ops.convert_to_tensor(x)))
    assert not np.allclose(numbers(lstm(masked)), plain)


def test_a_warm_layer_passes_the_mask_on():
    dense = layers.Dense(2)
    x = embedding()(WORDS)
    unmasked = ops.convert_to_tensor(ops.convert_to_numpy(x))
    for _ in range(3):
        dense(unmasked)
    assert numbers(masking.get_mask(dense(x))) == (WORDS != 0).tolist()
    assert masking.get_mask(dense(unmasked)) is None


def test_masks_reach_the_layers_of_a_functional_model():
    words = keras.Input((3,), dtype="int32")
    make, lstm = embedding(), layers.LSTM(2)
    model = keras.Model(words, lstm(layers.Dense(3)(make(words))))
    dense = model.layers[2]
    x = ops.convert_to_tensor(ops.convert_to_numpy(dense(make(WORDS))))
    expected = numbers(lstm(x, mask=ops.convert_to_tensor(WORDS != 0)))
    for _ in range(3):
        np.testing.assert_allclose(numbers(model(WORDS)), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, rtol=1e-5)
