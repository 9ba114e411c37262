"""Encodings of categories, next to NumPy."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import SpecError
from keras_fn.layers.preprocessing._encoding import encode_categorical, encoded_shape

DEPTH = 5
IDF = np.arange(1.0, 6.0, dtype="float32")
MODES = ["one_hot", "multi_hot", "count", "tf_idf"]
USUAL = [((3, 4), mode, False) for mode in MODES]
USUAL += [((), "count", False), ((3, 1), "one_hot", False), ((2, 3, 4), "multi_hot", False)]
USUAL += [((3, 4), "tf_idf", True), ((2, 3, 4), "multi_hot", True)]
SHAPES = [(), (1,), (4,), (3, 4), (3, 1), (0, 4), (3, 0), (2, 3, 4)]
ALL = [(shape, mode, sparse) for shape in SHAPES for mode in MODES for sparse in (False, True)]


def reference(ids, mode):
    if mode == "one_hot":
        ids = ids[..., 0] if ids.ndim > 1 and ids.shape[-1] == 1 else ids
        return (ids[..., None] == np.arange(DEPTH)).astype("float32")
    ids = ids.reshape(-1) if ids.ndim == 0 else ids
    codes = (ids[..., None] == np.arange(DEPTH)).astype("float32")
    counts = codes.max(-2, initial=0) if mode == "multi_hot" else codes.sum(-2)
    return counts * IDF if mode == "tf_idf" else counts


def dense(x):
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(x, sparse=False))


def check(shape, mode, sparse):
    ids = np.random.default_rng(len(shape)).integers(-1, DEPTH + 1, shape)
    codes = encode_categorical(ids, mode, DEPTH, sparse=sparse, idf_weights=IDF)
    expected = reference(ids, mode)
    assert tuple(codes.shape) == expected.shape == encoded_shape(shape, mode, DEPTH)
    np.testing.assert_array_equal(dense(codes), expected)
    symbol = keras.KerasTensor((*(None for _ in shape[:-1]), *shape[-1:]), "int32")
    spec = encode_categorical(symbol, mode, DEPTH, sparse=sparse, idf_weights=IDF)
    assert spec.sparse == sparse and len(spec.shape) == expected.ndim
    assert all(n in (None, m) for n, m in zip(spec.shape, expected.shape, strict=True))


@pytest.mark.parametrize(("shape", "mode", "sparse"), USUAL)
def test_ids_in_range_are_encoded(shape, mode, sparse):
    check(shape, mode, sparse)


@pytest.mark.thorough
@pytest.mark.parametrize(("shape", "mode", "sparse"), [c for c in ALL if c not in USUAL])
def test_ids_of_any_shape_are_encoded(shape, mode, sparse):
    check(shape, mode, sparse)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_are_counted(sparse):
    ids, weights = np.array([[0, 2, 2], [4, 4, 9]]), np.array([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]])
    codes = encode_categorical(ids, "count", DEPTH, sparse=sparse, count_weights=weights)
    assert dense(codes).tolist() == [[0.5, 0, 3, 0, 0], [0, 0, 0, 0, 7]]


def test_counts_are_not_rounded_in_half_precision():
    ids = np.zeros((1, 3000), "int32")
    codes = encode_categorical(ids, "count", 2, dtype="float16")
    assert keras.ops.dtype(codes) == "float16" and dense(codes).tolist() == [[3000.0, 0.0]]


def test_ids_keep_their_shape():
    ids = encode_categorical([[1, 7]], "int", DEPTH, dtype="int32")
    assert dense(ids).tolist() == [[1, 7]] and keras.ops.dtype(ids) == "int32"
    with pytest.raises(SpecError, match="output_mode"):
        encode_categorical([1], "binary", DEPTH)
