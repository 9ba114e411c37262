"""What `adapt` takes: the batches of any source of data."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers.preprocessing._adapt import iterate_batches, to_numbers

X = np.arange(12.0).reshape(6, 2)


def batches(data, **options):
    return list(iterate_batches(data, "layer", **options))


class Squares(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], np.zeros(2)


class Endless(Squares):
    num_batches = None


def generate():
    yield X[:4], np.zeros(4)
    yield X[4:], np.zeros(2)


WHOLE = {
    "array": X,
    "tensor": keras.ops.convert_to_tensor(X),
    "variable": keras.Variable(X),
    "list": X.tolist(),
}
SOURCES = {
    "arrays": [X[:4], X[4:]],
    "tuple of arrays": (X[:4], X[4:]),
    "tensors": [keras.ops.convert_to_tensor(X[:4]), keras.ops.convert_to_tensor(X[4:])],
    "pairs": [(X[:4], 0), (X[4:], 1)],
    "generator": generate(),
    "loader's lists": iter([[X[:4], np.zeros(4)], [X[4:], np.zeros(2)]]),
    "lists": iter([X[:4].tolist(), X[4:].tolist()]),
    "PyDataset": Squares(),
    "only __next__": zip([X[:4], X[4:]], [0, 1], strict=True),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_data_set_is_split_by_the_batch_size(name):
    assert [to_numbers(b, "layer").shape for b in batches(WHOLE[name])] == [(6, 2)]
    shapes = [to_numbers(b, "layer").shape for b in batches(WHOLE[name], batch_size=4)]
    assert shapes == [(4, 2), (2, 2)]
    assert len(batches(WHOLE[name], batch_size=2, steps=2)) == 2


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_of_batches_yields_their_inputs(name):
    found = [to_numbers(batch, "layer") for batch in batches(SOURCES[name])]
    np.testing.assert_array_equal(np.concatenate(found), X)


def test_data_that_never_ends_needs_steps():
    assert len(batches(Endless(), steps=4)) == 4
    assert len(batches((X for _ in iter(int, 1)), steps=3)) == 3


def test_text_stays_text():
    assert batches(["a", "b", "c"], batch_size=2) == [["a", "b"], ["c"]]
    assert batches(iter([["a", "b"], ("c",)])) == [["a", "b"], ("c",)]
    assert batches([["a"], ["b", "c"]]) == [[["a"], ["b", "c"]]]
    assert batches(iter([(["a"], 0), (("b",), 1)])) == [["a"], ("b",)]
    assert batches("a b") == ["a b"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "received: None"),
        ({"age": X}, "a dict of 'age'"),
        (iter([{"age": X}]), "a dict of 'age'"),
        (object(), "an object of type object"),
        ([], "at least one batch"),
        (iter([]), "at least one batch"),
        (np.zeros((0, 2)), "at least one batch"),
    ],
)
def test_what_holds_no_batches_is_refused_by_the_layer(data, words):
    with pytest.raises((SpecError, DTypeError), match="layer, adapt") as error:
        batches(data)
    assert words in str(error.value)


def test_a_symbolic_tensor_and_other_counts_are_refused():
    with pytest.raises(DTypeError, match="KerasTensor"):
        batches(keras.Input((2,)))
    with pytest.raises(SpecError, match="steps as a positive integer"):
        batches(X, steps=0)


def test_numbers_are_asked_for():
    with pytest.raises(DTypeError, match="StringLookup"):
        to_numbers(["a"], "layer")
    assert to_numbers([[True, 2]], "layer").tolist() == [[1, 2]]


def test_a_table_is_split_by_its_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})
    found = [to_numbers(b, "layer").tolist() for b in batches(frame, batch_size=2)]
    assert found == [[[1.0, 0.5], [2.0, 1.5]], [[3.0, 2.5]]]


def test_sparse_batches_become_dense():
    sparse = pytest.importorskip("scipy.sparse")
    assert to_numbers(sparse.csr_matrix(X), "layer").tolist() == X.tolist()


@pytest.mark.skipif(keras.config.backend() != "torch", reason="its loader")
def test_a_loader_of_pytorch():
    torch = sys.modules["torch"]
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.arange(6))
    found = batches(torch.utils.data.DataLoader(data, batch_size=4))
    np.testing.assert_array_equal(np.concatenate([to_numbers(b, "layer") for b in found]), X)
    words = torch.utils.data.DataLoader([("a", 0), ("b", 1)], batch_size=2)
    assert [list(batch) for batch in batches(words)] == [["a", "b"]]


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="its data sets")
def test_a_data_set_of_tensorflow():
    tf = sys.modules["tensorflow"]
    data = tf.data.Dataset.from_tensor_slices((X, np.arange(6))).batch(4)
    np.testing.assert_array_equal(
        np.concatenate([to_numbers(b, "layer") for b in batches(data)]), X
    )
    samples = tf.data.Dataset.from_tensor_slices(X)  # vectors of a known size, without a batch
    layer = keras.layers.Normalization()
    layer.adapt(samples)
    np.testing.assert_allclose(layer.adapt_mean.numpy(), X.mean(0), 1e-6)
    with pytest.raises(SpecError, match="flat_values"):
        to_numbers(tf.ragged.constant([[1.0], [2.0, 3.0]]), "layer")


def test_an_object_with_shape_and_dtype_is_an_array():
    array = SimpleNamespace(__array__=lambda dtype=None, copy=None: X, shape=X.shape, dtype="f8")
    assert batches(array) == [array]
