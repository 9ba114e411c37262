"""StringLookup and IntegerLookup: indices, vectors, learned vocabularies, files."""

import numpy as np
import pytest
from numpy.dtypes import StringDType

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current, supports
from keras_fn.errors import DTypeError, SpecError

WORDS = ["cat", "dog", "É", "世界"]
IS_TF = keras.config.backend() == "tensorflow"


def values(x):
    """Nested results as lists."""
    if isinstance(x, (list, tuple)):
        return list(map(values, x))
    if supports("is_ragged") and current().is_ragged(x):
        return [np.asarray(row).tolist() for row in current().ragged_samples(x)]
    array = x if isinstance(x, np.ndarray) else keras.ops.convert_to_numpy(x)
    return array.tolist()


def text(x):
    """Strings as lists; a tensor of TensorFlow has bytes."""
    found = np.ravel(x.numpy() if hasattr(x, "numpy") else x).tolist()
    return [v.decode() if isinstance(v, bytes) else v for v in found]


FORMS = {
    "list": lambda rows: rows,
    "tuple": lambda rows: tuple(map(tuple, rows)),
    "object": lambda rows: np.array(rows, object),
    "bytes objects": lambda rows: np.array([[w.encode() for w in r] for r in rows], object),
    "U": np.array,
    "big-endian U": lambda rows: np.array(rows).astype(">U6"),
    "S": lambda rows: np.char.encode(np.array(rows), "utf-8"),
    "StringDType": lambda rows: np.array(rows, StringDType()),
    "not contiguous": lambda rows: np.array(rows).T.copy().T,
}


@pytest.mark.parametrize("form", FORMS)
def test_strings_of_every_form_have_the_same_indices(form):
    rows = [["dog", "世界", "x"], ["cat", "É", ""]]
    layer = layers.StringLookup(vocabulary=WORDS)
    assert values(layer(FORMS[form](rows))) == [[2, 4, 0], [1, 3, 0]]
    ascii_rows = [["dog", "cow", "longer than eight"]]
    layer = layers.StringLookup(vocabulary=["cat", "dog"], num_oov_indices=3, mask_token="cow")
    assert values(layer(FORMS[form](ascii_rows))) == [[5, 0, 3]]


def test_a_string_is_a_scalar_and_rows_may_differ_in_length():
    layer = layers.StringLookup(vocabulary=WORDS)
    assert values(layer("dog")) == 2
    assert values(layer([["cat", "x"], [], ["dog"]])) == [[1, 0], [], [2]]
    counts = layers.StringLookup(vocabulary=["cat", "dog"], output_mode="count")
    assert values(counts([["cat", "x", "cat"], []])) == [[1, 2, 0], [0, 0, 0]]
    with pytest.raises(SpecError, match="nested in another way"):
        layer([[["a"], ["b", "c"]], [["a"]]])


@pytest.mark.skipif(not IS_TF, reason="tensors of strings")
def test_tensors_of_strings():
    import tensorflow as tf

    layer = layers.StringLookup(vocabulary=WORDS)
    assert values(layer(tf.constant([["dog", "É"]]))) == [[2, 3]]
    ragged = layer(tf.ragged.constant([["dog", "É"], ["x"]]))
    assert ragged.to_list() == [[2, 3], [0]]
    graph = tf.function(layer)
    assert values(graph(tf.constant(["dog", "x"]))) == [2, 0]


def test_several_oov_indices_are_those_of_keras():  # 3.15.1
    words = ["x", "yy", "世", "", "cat"]
    layer = layers.StringLookup(vocabulary=["cat"], num_oov_indices=4)
    assert values(layer(words)) == [2, 1, 2, 3, 4]
    layer = layers.StringLookup(vocabulary=["cat"], num_oov_indices=4, salt=[3, 4])
    assert values(layer(words)) == [0, 0, 0, 2, 4]
    numbers = [5, -7, 10**9, 0, 1]
    layer = layers.IntegerLookup(vocabulary=[1], num_oov_indices=4)
    assert values(layer(numbers)) == [1, 1, 0, 0, 4]
    layer = layers.IntegerLookup(vocabulary=[1], num_oov_indices=4, oov_method="farmhash")
    assert values(layer(numbers)) == [3, 2, 0, 3, 4]
    layer = layers.IntegerLookup(vocabulary=[1], num_oov_indices=4, oov_method="farmhash", salt=133)
    assert values(layer(numbers)) == [2, 1, 1, 1, 4]


def test_oov_tokens_are_an_error_without_an_index_for_them():
    layer = layers.StringLookup(vocabulary=WORDS, num_oov_indices=0)
    assert values(layer(["dog", "cat"])) == [1, 0]
    for given in (["dog", "cow"], np.array(["dog", "cow"])):
        with pytest.raises(SpecError, match="'cow'"):
            layer(given)
    layer = layers.IntegerLookup(vocabulary=[5, 6], num_oov_indices=0)
    assert values(layer([6, 5])) == [1, 0]
    with pytest.raises(SpecError, match="77"):
        layer([6, 77])


def test_vectors():
    rows = [["cat", "x", "cat"], ["dog", "dog", ""]]
    arguments = {"vocabulary": ["cat", "dog"], "mask_token": ""}

    def call(mode, **more):
        return values(layers.StringLookup(output_mode=mode, **arguments, **more)(rows))

    assert call("int") == [[2, 1, 2], [3, 3, 0]]
    assert call("multi_hot") == [[1, 1, 0], [0, 0, 1]]
    assert call("count") == [[1, 2, 0], [0, 0, 2]]
    assert call("count", max_tokens=5, pad_to_max_tokens=True) == [[1, 2, 0, 0, 0], [0, 0, 2, 0, 0]]
    assert call("tf_idf", idf_weights=[0.5, 1.5]) == [[1, 1, 0], [0, 0, 3]]
    assert call("one_hot")[1] == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    column = layers.StringLookup(output_mode="one_hot", **arguments)([["cat"], ["x"]])
    assert values(column) == [[0, 1, 0], [1, 0, 0]]
    weights = layers.StringLookup(
        output_mode="tf_idf", vocabulary=["[UNK]", "cat"], idf_weights=[0.25, 0.5]
    ).idf_weights
    assert values(weights) == [0.25, 0.5]


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_sparse_vectors_equal_dense_ones(mode):
    rows = [["cat", "x", "cat"], ["dog", "dog", ""]]
    arguments = {"vocabulary": ["cat", "dog"], "mask_token": "", "output_mode": mode}
    sparse = layers.StringLookup(sparse=True, **arguments)
    found = sparse(rows)
    assert current().is_sparse(found)
    dense = layers.StringLookup(**arguments)(rows)
    assert values(keras.ops.convert_to_tensor(found, sparse=False)) == values(dense)
    assert sparse(keras.Input((3,), dtype="string")).sparse


def test_an_inverse_lookup_returns_tokens():
    layer = layers.StringLookup(vocabulary=WORDS, mask_token="", invert=True)
    assert text(layer([[0, 1, 2], [5, 6, -1]])) == ["", "[UNK]", "cat", "世界", "[UNK]", "[UNK]"]
    layer = layers.IntegerLookup(vocabulary=[12, 36], oov_token=-9, invert=True)
    assert values(layer(np.array([[1, 2], [0, 5]]))) == [[12, 36], [-9, -9]]
    with pytest.raises(DTypeError, match="as invert=True"):
        layers.StringLookup(vocabulary=WORDS, invert=True)(keras.Input((1,), dtype="string"))


def test_integers_of_a_wide_range_and_of_every_dtype():
    numbers = [2**31 - 1, -(2**31), 0, 7]
    layer = layers.IntegerLookup(vocabulary=numbers)
    assert values(layer(np.array([7, 5, 2**31 - 1, -(2**31)]))) == [4, 0, 1, 2]
    for dtype in ("int8", "uint8", "int32", "float32", "bool"):
        assert values(layer(np.array([0, 1], dtype))) == [3, 0]
    wide = layers.IntegerLookup(vocabulary=[2**62, -(2**63), 5])
    assert values(wide(np.array([5, -(2**63), 2**62, 2**63 - 1]))) == [3, 2, 1, 0]
    dense = layers.IntegerLookup(vocabulary=[-3, 5, 100])
    assert values(dense(np.array([5, -3, 101, 4, -4, 2**63 - 1, -(2**63)]))) == [
        2,
        1,
        0,
        0,
        0,
        0,
        0,
    ]


def test_a_tensor_of_integers_in_a_compiled_function():
    numbers = np.array([[5, 7, 0], [-2, 3, 99]], "int32")
    for arguments in (
        {"vocabulary": [5, -2, 7, 2**35], "mask_token": 0},
        {"vocabulary": [5, -2], "num_oov_indices": 3, "mask_token": 3},
        {"vocabulary": [5, -2], "output_mode": "tf_idf", "idf_weights": [0.5, 2.0]},
        {"vocabulary": [5, -2], "num_oov_indices": 3, "oov_method": "farmhash"},
        {"vocabulary": [5, -2], "invert": True},
    ):
        layer = layers.IntegerLookup(**arguments)
        compiled = current().compile(layer, [], donate=False)
        found = compiled(keras.ops.convert_to_tensor(numbers))
        assert values(found) == values(layer(numbers))


# ---------------------------------------------------------------- vocabularies


def test_adapt_orders_by_count_and_then_descending():
    layer = layers.StringLookup(mask_token="m")
    layer.adapt(["b", "a", "m", "c", "c", "[UNK]", "é", "Z"])
    assert layer.get_vocabulary() == ["m", "[UNK]", "c", "é", "b", "a", "Z"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["c", "é", "b", "a", "Z"]
    assert layer.vocabulary_size() == 7
    layer.adapt(np.array([["x", "y"], ["y", "x"]]))
    assert layer.get_vocabulary(False) == ["y", "x"]
    layer = layers.IntegerLookup(max_tokens=3)
    layer.adapt([[3, 7], [7, -1], [5, 5]])
    assert layer.get_vocabulary() == [-1, 7, 5]


def test_adapt_reads_batches_and_counts_documents():
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt(np.array(batch) for batch in ([["a", "a"], ["a", "b"]], [["c", "b"]], [["z", "z"]]))
    found = dict(zip(layer.get_vocabulary(), values(layer.idf_weights), strict=True))
    # log(1 + documents / (1 + documents with the token)); the mean for OOV tokens
    expected = {
        token: np.log(1 + 4 / (1 + n)) for token, n in zip("abcz", (2, 2, 1, 1), strict=True)
    }
    expected["[UNK]"] = np.mean(list(expected.values()))
    assert found == pytest.approx(expected, rel=1e-6)
    layer.adapt((np.array([["a"]]) for _ in iter(int, 1)), steps=3)
    assert layer.get_vocabulary() == ["[UNK]", "a"]
    layer.reset_state()
    layer.update_state([["q", "r"], ["q", "s"]])
    layer.finalize_state()
    assert layer.get_vocabulary(False) == ["q", "s", "r"]


def test_a_vocabulary_is_set_with_or_without_special_tokens(tmp_path):
    layer = layers.StringLookup(num_oov_indices=2, mask_token="")
    for vocabulary in (["a", "b"], ["", "[UNK]", "[UNK]", "a", "b"], np.array(["a", "b"])):
        layer.set_vocabulary(vocabulary)
        assert layer.get_vocabulary() == ["", "[UNK]", "[UNK]", "a", "b"]
        assert values(layer(["b", "a"])) == [4, 3]
    path = tmp_path / "words.txt"
    path.write_bytes("a\r\nÉ\nc\n".encode())
    for given in (str(path), path):
        from_file = layers.StringLookup(vocabulary=given)
        assert from_file.get_vocabulary() == ["[UNK]", "a", "É", "c"]
        assert from_file.get_config()["vocabulary"] is None
    path.write_text("12\n-5\n")
    assert layers.IntegerLookup(vocabulary=str(path)).get_vocabulary() == [-1, 12, -5]


@pytest.mark.parametrize(
    ("vocabulary", "arguments", "message"),
    [
        ([], {}, "an empty one"),
        (["a", "b", "a"], {}, "several times: 'a'"),
        (["a", "m"], {"mask_token": "m"}, "'m' at position 1"),
        (["a", "[UNK]"], {"invert": True}, "at position 1"),
        (["a", "b", "c"], {"max_tokens": 3}, "a vocabulary of 4"),
        ([1, 2], {}, "strings"),
        ("no/such/file.txt", {}, "where there is no file"),
        (["a"], {"output_mode": "tf_idf"}, "idf_weights"),
        (["a"], {"output_mode": "tf_idf", "idf_weights": [1.0, 2.0]}, "shape"),
        (["a"], {"output_mode": "count", "idf_weights": [1.0]}, "idf_weights"),
    ],
)
def test_an_invalid_vocabulary_is_refused(vocabulary, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        layers.StringLookup(vocabulary=vocabulary, **arguments)
    assert "StringLookup" in str(error.value)


def test_calls_that_are_refused():
    with pytest.raises(SpecError, match="before there is one"):
        layers.StringLookup()(["a"])
    layer = layers.StringLookup(vocabulary=WORDS)
    for given in ([1, 2], np.array([1.5]), np.array(["a", None], object), [1, "a"], None):
        with pytest.raises(DTypeError, match="StringLookup layer"):
            layer(given)
    with pytest.raises(DTypeError, match="integers are looked up by IntegerLookup"):
        layer(keras.Input((1,), dtype="int64"))
    with pytest.raises(DTypeError, match="use StringLookup"):
        layers.IntegerLookup(vocabulary=[1])(["a"])
    with pytest.raises(SpecError, match="passed to the constructor"):
        layer.adapt(["a"])
    with pytest.raises(SpecError, match="above the number of special tokens"):
        layers.StringLookup(max_tokens=2, num_oov_indices=3).adapt(["a"])
    with pytest.raises(SpecError, match="opens no file"):
        layers.StringLookup.from_config({"vocabulary": "/etc/passwd"})


def test_a_vocabulary_cannot_change_its_size_under_a_model():
    layer = layers.StringLookup(vocabulary=["a"], output_mode="count")
    layer.set_vocabulary(["a", "b"])  # nothing depends on it yet
    assert layer(keras.Input((2,), dtype="string")).shape == (None, 3)
    layer.set_vocabulary(["c", "d"])
    with pytest.raises(SpecError, match="as a model was made with"):
        layer.set_vocabulary(["a"])


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("mode", ["int", "tf_idf"])
@pytest.mark.parametrize("given", [True, False])
def test_a_vocabulary_is_saved_and_loaded(mode, given, tmp_path):
    words = ["a", "É", "b\nc", "d\u2028e", "\r", "last", "b\xff"]
    more = {"mask_token": "m", "num_oov_indices": 2, "output_mode": mode}
    if given:
        weights = np.linspace(1, 2, len(words)) if mode == "tf_idf" else None
        layer = layers.StringLookup(vocabulary=words, idf_weights=weights, **more)
    else:
        layer = layers.StringLookup(**more)
        layer.adapt(np.array([[w] for w in words], object))
    inputs = keras.Input((2,), dtype="string")
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    again = loaded.layers[-1]
    assert again.get_vocabulary() == layer.get_vocabulary()
    rows = [["É", "b\nc"], ["zzz", "m"]]
    np.testing.assert_allclose(values(again(rows)), values(layer(rows)))


def test_a_vocabulary_that_replaces_that_of_the_constructor_is_saved(tmp_path):
    layer = layers.IntegerLookup(vocabulary=[5, 6])
    layer.set_vocabulary([7, 8, 9])
    inputs = keras.Input((2,), dtype="int64")
    keras.Model(inputs, layer(inputs)).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.layers[-1].get_vocabulary() == [-1, 7, 8, 9]


def test_a_large_array_of_few_objects():
    draw = np.random.default_rng(0)
    words = np.array([*WORDS, "x", "mask", b"dog"], object)
    array = words[draw.integers(0, len(words), 1 << 18)].reshape(-1, 4)
    array[-1] = ["".join(["do", "g"]), "new", "cat", "mask"]  # objects that were not seen before
    layer = layers.StringLookup(vocabulary=WORDS, mask_token="mask", num_oov_indices=2)
    found = keras.ops.convert_to_numpy(layer(array))
    assert found[-1].tolist() == values(layer(["dog", "new", "cat", "mask"]))
    assert (found.ravel() == layer._lookup_strings(array.ravel())).all()
    distinct = np.array([f"{i} " for i in range(1 << 18)], object)
    assert (keras.ops.convert_to_numpy(layer(distinct)) <= 2).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[UNK]\na\na", "several times"),
        ("[UNK]\na\nb\nc\nd", "a vocabulary of 5"),
        (None, "where there is no file"),
    ],
)
def test_damaged_assets_are_refused(content, message, tmp_path):
    layer = layers.StringLookup(max_tokens=4)
    if content is not None:
        (tmp_path / "vocabulary.txt").write_text(content)
    with pytest.raises(SpecError, match=message):
        layer.load_assets(tmp_path)
    (tmp_path / "vocabulary.txt").write_text("-1\n99999999999999999999999")
    with pytest.raises(SpecError, match="64 bits"):
        layers.IntegerLookup().load_assets(tmp_path)
    (tmp_path / "vocabulary.json").write_text("[1, 2]")
    with pytest.raises(SpecError, match="a list of strings"):
        layers.StringLookup().load_assets(tmp_path)
