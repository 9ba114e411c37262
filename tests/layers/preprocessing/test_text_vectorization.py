"""TextVectorization: standardization, splits, n-grams, output modes, functions of the user."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current, supports
from keras_fn.errors import DTypeError, SpecError

TEXTS = ["The cat, the É!", "", "dog\tran\n far"]
IS_TF = keras.config.backend() == "tensorflow"


def values(x):
    """Nested results as lists."""
    if isinstance(x, (list, tuple)):
        return list(map(values, x))
    if supports("is_ragged") and current().is_ragged(x):
        return [np.asarray(row).tolist() for row in current().ragged_samples(x)]
    return keras.ops.convert_to_numpy(x).tolist()


def test_sequences_are_padded_and_cut():
    layer = layers.TextVectorization(vocabulary=["the", "cat", "É", "far"])
    expected = [[2, 3, 2, 4], [0, 0, 0, 0], [1, 1, 5, 0]]
    for given in (
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, object)[:, None],
        [text.encode() for text in TEXTS],
    ):
        assert values(layer(given)) == expected
    assert values(layer("The cat")) == [2, 3]
    assert values(layer([])) == []
    short = layers.TextVectorization(vocabulary=["the", "cat", "É"], output_sequence_length=2)
    assert values(short(TEXTS)) == [[2, 3], [0, 0], [1, 1]]
    assert short(np.zeros((0, 1), object)).shape == (0, 2)
    deep = layer(np.array(TEXTS, object).reshape(1, 3, 1))
    assert values(deep) == [expected]


@pytest.mark.parametrize(
    ("arguments", "tokens"),
    [
        ({}, ["the", "cat", "the", "É"]),
        ({"standardize": None}, ["The", "cat,", "the", "É!"]),
        ({"standardize": "lower"}, ["the", "cat,", "the", "É!"]),
        ({"standardize": "strip_punctuation"}, ["The", "cat", "the", "É"]),
        ({"split": "character"}, list("the cat the É")),
        ({"split": None}, ["the cat the É"]),
        ({"ngrams": 2}, ["the", "cat", "the", "É", "the cat", "cat the", "the É"]),
        ({"ngrams": (3,)}, ["the cat the", "cat the É"]),
        ({"ngrams": (2, 1)}, ["the cat", "cat the", "the É", "the", "cat", "the", "É"]),
        ({"split": "character", "ngrams": (12,)},
         [" ".join("the cat the "), " ".join("he cat the É")]),
    ],
)  # fmt: skip
def test_tokens(arguments, tokens):
    layer = layers.TextVectorization(**arguments)
    layer.adapt(TEXTS[:1])
    assert sorted(layer.get_vocabulary(False)) == sorted(set(tokens))
    inverse = layer.get_vocabulary()
    assert [inverse[i] for i in np.ravel(values(layer(TEXTS[:1])))] == tokens


def test_the_most_frequent_tokens_are_learned():
    layer = layers.TextVectorization(max_tokens=5)
    layer.adapt(["b a", "B c", "[UNK] b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "unk", "c"]
    layer.adapt((np.array([text]) for text in ("x", "y y")), batch_size=1)
    assert layer.get_vocabulary() == ["", "[UNK]", "y", "x"]
    assert layer.vocabulary_size() == 4
    layer.reset_state()
    layer.update_state(["z z", "w"])
    layer.finalize_state()
    assert layer.get_vocabulary(include_special_tokens=False) == ["z", "w"]
    layer.adapt(["!", ""])
    assert layer.get_vocabulary() == ["", "[UNK]"]  # there are no tokens


def test_vectors():
    layer = layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(["a b", "a a"])
    low, high = np.log(1 + 2 / 3), np.log(1 + 2 / 2)  # of tokens in two documents, and in one
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]
    expected = [[(low + high) / 2, 2 * low, 0], [0, 0, high]]
    np.testing.assert_allclose(values(layer(["a a x", "b"])), expected, rtol=1e-6)
    arguments = {"vocabulary": ["a", "b"], "max_tokens": 4}
    count = layers.TextVectorization(output_mode="count", pad_to_max_tokens=True, **arguments)
    assert values(count(["a a x", ""])) == [[1, 2, 0, 0], [0, 0, 0, 0]]
    assert values(count("b x")) == [1, 0, 1, 0]
    binary = layers.TextVectorization(output_mode="multi_hot", sparse=True, **arguments)
    dense = keras.ops.convert_to_tensor(binary(["a a x", "b"]), sparse=False)
    assert values(dense) == [[1, 1, 0], [0, 0, 1]]
    one_hot = layers.TextVectorization(output_mode="one_hot", **arguments)
    assert values(one_hot(["a x", "b"])) == [[[0, 1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]]]


def test_ragged_sequences_are_not_padded():
    layer = layers.TextVectorization(vocabulary=["the", "cat", "É"], ragged=True)
    assert values(layer(TEXTS)) == [[2, 3, 2, 4], [], [1, 1, 1]]
    layer = layers.TextVectorization(
        vocabulary=["the", "cat"], ragged=True, output_sequence_length=2
    )
    assert values(layer(TEXTS)) == [[2, 3], [], [1, 1]]


@pytest.mark.parametrize(
    ("arguments", "shape", "expected"),
    [
        ({}, (None, 1), (None, None)),
        ({}, (None,), (None, None)),
        ({"output_sequence_length": 5}, (2, 1), (2, 5)),
        ({"split": None}, (None, 3), (None, 3)),
        ({"split": None, "ngrams": 2}, (None, 3), (None, 5)),
        ({"output_mode": "count"}, (None, 1), (None, 3)),
        ({"output_mode": "count"}, (None,), (None, 3)),
        ({"output_mode": "one_hot"}, (None, 1), (None, None, 3)),
    ],
)
def test_symbolic_calls_infer_shapes_and_dtypes(arguments, shape, expected):
    layer = layers.TextVectorization(vocabulary=["a", "b"], max_tokens=9, **arguments)
    spec = layer(keras.Input(batch_shape=shape, dtype="string"))
    assert spec.shape == expected
    text = np.full([size or 2 for size in shape], "a b b", object)
    found = layer(text)
    assert keras.backend.standardize_dtype(found.dtype) == spec.dtype
    assert len(found.shape) == len(expected)
    assert all(size in (None, n) for size, n in zip(expected, found.shape, strict=True))


# ---------------------------------------------------------------- functions of the user


@keras.saving.register_keras_serializable("text")
def shout(text):
    if IS_TF:
        import tensorflow as tf

        return tf.strings.upper(text)
    return np.char.upper(text)


@keras.saving.register_keras_serializable("text")
def split_at_commas(text):
    if IS_TF:
        import tensorflow as tf

        return tf.strings.split(text, ",")
    return np.char.split(text, ",")


def characters(text):
    strings = [t.decode() if isinstance(t, bytes) else str(t) for t in np.ravel(text)]
    return list(map(list, strings))


def test_functions_standardize_and_split(tmp_path):
    layer = layers.TextVectorization(standardize=shout, split=split_at_commas)
    layer.adapt(["a,b b", "b b,c,a"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B B", "A", "C"]
    assert values(layer([["a,x"], ["b b,c,A"]])) == [[3, 1, 0], [2, 4, 3]]
    inputs = keras.Input((1,), dtype="string")
    keras.Model(inputs, layer(inputs)).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras").layers[-1]
    assert loaded.standardize is shout
    assert values(loaded(["b b,c"])) == [[2, 4]]
    lower = layers.TextVectorization(split=characters)
    lower.adapt(["A.b"])
    assert lower.get_vocabulary(False) == ["b", "a"]


def test_results_of_functions_are_checked():
    layer = layers.TextVectorization(standardize=lambda x: x[:1], vocabulary=["a"])
    with pytest.raises(SpecError, match="2 strings, as many as it received"):
        layer(["a", "b"])
    layer = layers.TextVectorization(split=lambda x: [["a"]], vocabulary=["a"])
    with pytest.raises(SpecError, match="tokens for each of 2 strings"):
        layer(["a", "b"])
    layer = layers.TextVectorization(split=lambda x: np.ones((2, 2)), vocabulary=["a"])
    with pytest.raises(DTypeError, match="strings"):
        layer(["a", "b"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"standardize": "upper"}, "standardize"),
        ({"split": "words"}, "split"),
        ({"ngrams": 0}, "ngrams"),
        ({"ngrams": (1, 0)}, "ngrams"),
        ({"output_mode": "count", "output_sequence_length": 3}, "output_sequence_length"),
        ({"output_mode": "count", "ragged": True}, "ragged"),
        ({"output_sequence_length": 0}, "output_sequence_length"),
        ({"encoding": "utf-99"}, "encoding"),
        ({"pad_to_max_tokens": True}, "max_tokens"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.TextVectorization(**arguments)


def test_inputs_that_are_refused():
    layer = layers.TextVectorization(vocabulary=["a"])
    for given in (np.array([["a", "b"]]), [["a"], ["b", "c"]]):
        with pytest.raises(SpecError, match="join the texts of a row"):
            layer(given)
    with pytest.raises(DTypeError, match="strings"):
        layer(np.array([1, 2]))
    with pytest.raises(SpecError, match="join the texts of a row"):
        layer(keras.Input((2,), dtype="string"))
    with pytest.raises(SpecError, match="before there is one"):
        layers.TextVectorization()(["a"])
    with pytest.raises(SpecError, match="opens no file"):
        layers.TextVectorization.from_config({"vocabulary": "words.txt"})
    config = layers.TextVectorization(ngrams=(1, 3)).get_config()
    assert layers.TextVectorization.from_config({**config, "ngrams": [1, 3]}).ngrams == (1, 3)
