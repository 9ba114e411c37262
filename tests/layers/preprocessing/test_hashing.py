"""Hashing and HashedCrossing: the bins of Keras 3.15.1, on every backend."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current
from keras_fn.core.dtypes import stored_dtype
from keras_fn.errors import DTypeError, SpecError

WORDS = [["A", "B"], ["é世", ""], ["a longer string of text", "x" * 80]]
NUMBERS = [[0, 1], [-5, 10**9], [2**31 - 1, 12345]]


CROSS = [85, 54, 4]
CROSS3 = [70, 9, 91]


def values(x):
    return keras.ops.convert_to_numpy(x).tolist()


@pytest.mark.parametrize(
    ("arguments", "words", "numbers"),
    [
        ({}, [[64, 28], [25, 63], [31, 74]], [[35, 49], [16, 84], [57, 28]]),
        ({"salt": 133}, [[19, 38], [26, 7], [51, 88]], [[85, 10], [0, 17], [79, 45]]),
        (
            {"salt": [1, 1099511627776]},
            [[79, 37], [44, 35], [88, 66]],
            [[34, 21], [65, 55], [66, 95]],
        ),
        ({"mask_value": ""}, [[26, 46], [29, 0], [2, 44]], None),
        ({"mask_value": 1}, None, [[47, 0], [28, 51], [90, 44]]),
    ],
)
def test_bins_are_those_of_keras(arguments, words, numbers):
    layer = layers.Hashing(num_bins=100, **arguments)
    if words:
        for form in (WORDS, np.array(WORDS), np.array(WORDS, object)):
            assert values(layer(form)) == words
    if numbers:
        for form in (NUMBERS, np.array(NUMBERS), keras.ops.convert_to_tensor(NUMBERS)):
            assert values(layer(form)) == numbers
        floats = np.array(NUMBERS, "float64") + 0.25 * np.sign(NUMBERS)
        assert values(layers.Hashing(100)(floats)) == values(layers.Hashing(100)(NUMBERS))


def test_crosses_are_those_of_keras():
    words, numbers = ["a", "b", "é"], np.array([1, -2, 300])
    layer = layers.HashedCrossing(num_bins=100)
    for features in ((words, numbers), [np.array(words), numbers]):
        assert values(layer(features)) == CROSS
    columns = [np.array(words)[:, None], numbers[:, None]]
    assert values(layer(columns)) == [[bin] for bin in CROSS]
    assert values(layer((words, words[::-1], numbers))) == CROSS3
    assert values(layer(("a", 1))) == CROSS[0]
    assert values(layer([["a", "b"], ["c", "d"]])) == values(layer((["a", "b"], ["c", "d"])))
    vectors = layers.HashedCrossing(num_bins=100, output_mode="one_hot", sparse=True)
    found = keras.ops.convert_to_tensor(vectors((words, numbers)), sparse=False)
    assert np.argmax(values(found), -1).tolist() == CROSS


def test_vectors_and_dtypes():
    rows = [["a", "b", "a"], ["c", "c", "c"]]
    bins = values(layers.Hashing(num_bins=7)(rows))
    one_hot = layers.Hashing(num_bins=7, output_mode="one_hot")
    assert np.argmax(values(one_hot(rows)), -1).tolist() == bins
    counts = layers.Hashing(num_bins=7, output_mode="count")
    assert values(counts(rows)) == [np.bincount(row, minlength=7).tolist() for row in bins]
    sparse = layers.Hashing(num_bins=7, output_mode="multi_hot", sparse=True)
    found = sparse(rows)
    assert current().is_sparse(found)
    dense = keras.ops.convert_to_tensor(found, sparse=False)
    assert values(dense) == np.sign(values(counts(rows))).tolist()
    small = layers.Hashing(num_bins=7, dtype="int32")
    assert keras.backend.standardize_dtype(small(rows).dtype) == "int32"
    assert small(keras.Input((3,), dtype="string")).dtype == "int32"
    ragged = small([["a", "b"], ["c"]])
    for part in ragged if isinstance(ragged, list) else [ragged]:
        assert keras.backend.standardize_dtype(part.dtype) == "int32"
    assert counts(keras.Input((3,), dtype="int64")).shape == (None, 7)
    assert layers.Hashing(num_bins=1, mask_value="")([["", "a"]]).shape == (1, 2)


def test_shapes_of_symbolic_crosses():
    features = [keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")]
    layer = layers.HashedCrossing(num_bins=5)
    assert layer(features).shape == (None, 1)
    assert layers.HashedCrossing(num_bins=5, output_mode="one_hot")(features).shape == (None, 5)
    with pytest.raises(SpecError, match="two or more features of one shape"):
        layer([features[0], keras.Input((2,), dtype="string")])
    with pytest.raises(DTypeError, match="make categories of numbers"):
        layer([features[0], keras.Input((1,))])


def test_what_is_refused():
    layer = layers.HashedCrossing(num_bins=5)
    for given in (["a", "b"], ["c"]), (np.ones((2, 2), int),) * 2, [["a", "b"]]:
        with pytest.raises(SpecError, match="two or more features of one shape"):
            layer(given)
    with pytest.raises(DTypeError, match="make categories of numbers"):
        layer(([1.5], ["a"]))
    with pytest.raises(DTypeError, match="values of the kind of mask_value"):
        layers.Hashing(num_bins=5, mask_value="")(np.array([1]))
    for arguments in (
        {"num_bins": 0},
        {"num_bins": 3, "salt": (1, 2, 3)},
        {"num_bins": 3, "sparse": True},
        {"num_bins": 3, "dtype": "float32"},
        {"num_bins": 3, "output_mode": "tf_idf"},
    ):
        with pytest.raises(ValueError, match="Hashing"):
            layers.Hashing(**arguments)


# ---------------------------------------------------------------- compiled functions

COUNTS = [*(10**n for n in range(10)), *(10**n - 1 for n in range(1, 10)), 2**31 - 1]
LONG = [*(10**n for n in range(9, 19)), *(10**n - 1 for n in range(9, 19)), 2**63 - 1]


def integers():
    """Integers of each number of digits, as wide as the backend has them."""
    wide = stored_dtype("int64")
    numbers = [0, *COUNTS, *(-n for n in COUNTS), -(2**31)]
    if wide == "int64":
        numbers += [*LONG, *(-n for n in LONG), -(2**63)]
    return np.array(numbers, wide)


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_bins": 1000},
        {"num_bins": 1_000_003},
        {"num_bins": 9, "salt": [133, -7], "mask_value": -1},
        {"num_bins": 9, "output_mode": "multi_hot"},
    ],
)
def test_integers_have_the_same_bins_in_a_compiled_function(arguments):
    layer, x = layers.Hashing(**arguments), keras.ops.convert_to_tensor(integers())
    expected = layer(x)
    # PyTorch compiles the very ops that this runs; `test_torch_compile` does, which takes longer.
    run = layer._call_on_tensor if current().name == "torch" else current().compile(layer, [])
    found = run(x)
    assert keras.ops.dtype(found) == keras.ops.dtype(expected)
    assert values(found) == values(expected)


@pytest.mark.parametrize("mask_value", [-1, 255, 2**40])
def test_a_mask_value_beyond_the_dtype_masks_nothing_else(mask_value):
    layer = layers.Hashing(5, mask_value=mask_value)
    x = keras.ops.convert_to_tensor(np.array([0, 255, 10], "uint8"))
    run = layer._call_on_tensor if current().name == "torch" else current().compile(layer, [])
    assert values(run(x)) == values(layer(x))


def test_crosses_have_the_same_bins_in_a_compiled_function():
    layer, x = layers.HashedCrossing(num_bins=70_001), keras.ops.convert_to_tensor(integers())
    pair = [x, keras.ops.flip(x)]
    run = layer._call_on_tensor if current().name == "torch" else current().compile(layer, [])
    assert values(run(pair)) == values(layer(pair))


def test_a_subclassed_model_hashes_integers_in_its_compiled_step():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.hash, self.cross = layers.Hashing(11), layers.HashedCrossing(13)

        def call(self, x):
            return keras.ops.stack([self.hash(x), self.cross([x, x + 1])], -1)

    model, x = Model(), np.arange(-4, 4)
    np.testing.assert_array_equal(model.predict(x, verbose=0), values(model(x)))


def test_floats_in_a_compiled_function_are_refused():
    if current().name != "jax":
        pytest.skip("TensorFlow calls the host, PyTorch runs steps uncompiled")
    with pytest.raises(DTypeError, match="it computes on the host"):
        current().compile(layers.Hashing(3), [])(keras.ops.ones((2,)))
