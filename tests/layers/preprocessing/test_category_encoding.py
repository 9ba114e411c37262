"""`CategoryEncoding`: vectors of integer categories."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import SpecError
from keras_fn.layers import CategoryEncoding


def numpy(x):
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(x, sparse=False))


def test_lists_are_encoded():
    layer = CategoryEncoding(4, "one_hot")
    assert numpy(layer([3, 0])).tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert numpy(layer([[3], [0]])).tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert numpy(CategoryEncoding(4)([[0, 1], [1, 1]])).tolist() == [[1, 1, 0, 0], [0, 1, 0, 0]]


def test_weights_are_counted_in_a_model():
    ids, weights = keras.Input((2,), dtype="int32"), keras.Input((2,))
    counts = CategoryEncoding(3, "count")(ids, count_weights=weights)
    model = keras.Model([ids, weights], counts)
    found = model.predict([np.array([[1, 1]]), np.array([[0.5, 2.0]])], verbose=0)
    assert found.tolist() == [[0.0, 2.5, 0.0]]


def test_the_last_axis_is_the_sample():
    ids = np.array([[[0, 1], [1, 1]], [[2, 2], [0, 2]]])
    layer = CategoryEncoding(3, "count")
    found = layer(ids)
    assert layer.compute_output_shape(ids.shape) == tuple(found.shape) == (2, 2, 3)
    assert numpy(found).tolist() == [[[1, 1, 0], [0, 2, 0]], [[0, 0, 2], [1, 0, 1]]]


def test_sparse_vectors_feed_a_dense_layer():
    inputs = keras.Input((3,), dtype="int32")
    vectors = CategoryEncoding(5, sparse=True)(inputs)
    assert vectors.sparse
    model = keras.Model(inputs, keras.layers.Dense(2)(vectors))
    ids = np.array([[0, 4, 4], [1, 2, 3]])
    kernel, bias = (w.numpy() for w in model.weights)
    expected = numpy(CategoryEncoding(5)(ids)) @ kernel + bias
    np.testing.assert_allclose(model.predict(ids, verbose=0), expected, 1e-5, 1e-5)


def test_the_config_names_sparse_only_where_it_is_set():
    assert "sparse" not in CategoryEncoding(3).get_config()
    layer = CategoryEncoding.from_config(CategoryEncoding(3, "binary", sparse=True).get_config())
    assert (layer.output_mode, layer.sparse) == ("multi_hot", True)


def refusals():
    return {
        "received: integers from 4 to 4": lambda: CategoryEncoding(4)([[4]]),
        "received: integers from -1 to 0": lambda: CategoryEncoding(4)(np.array([-1, 0])),
        "the number of categories": CategoryEncoding,
        "a positive integer": lambda: CategoryEncoding(0),
        "'one_hot' or 'count'": lambda: CategoryEncoding(3, "int"),
        "output_mode='count' alone": lambda: CategoryEncoding(3)([1], count_weights=[1.0]),
    }


@pytest.mark.parametrize("words", refusals())
def test_what_does_not_fit_is_refused_by_name(words):
    with pytest.raises(SpecError, match=r"(?i)category_?encoding") as error:
        refusals()[words]()
    assert words in str(error.value)
