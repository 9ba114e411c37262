import numpy as np
import pytest

import keras_fn as keras
from keras_fn.utils.numerical_utils import normalize, to_categorical


@pytest.mark.parametrize("shape", [(), (3,), (3, 1), (5, 3), (5, 3, 1), (1, 1)])
def test_one_hot_of_any_shape(shape):
    classes = np.random.default_rng(0).integers(0, 4, shape)
    expected_shape = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
    rows = to_categorical(classes, 4)
    assert rows.shape == (*expected_shape, 4) and rows.dtype == "float64"
    np.testing.assert_array_equal(rows.argmax(-1), classes.reshape(expected_shape))
    np.testing.assert_array_equal(rows.sum(-1), 1)


def test_the_number_of_classes_is_inferred():
    assert to_categorical([0, 2]).shape == (2, 3)
    assert to_categorical([1.0, 2.0]).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert to_categorical([], 3).shape == (0, 3)


@pytest.mark.parametrize("classes", [[-1, 0], [0, 3]])
def test_class_indices_out_of_range_raise(classes):
    with pytest.raises(ValueError, match="class indices from 0 to 2"):
        to_categorical(classes, 3)


def test_fractional_labels_raise():
    with pytest.raises(ValueError, match="integer labels"):
        to_categorical([0.5, 1.0])


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_norms_are_one_along_the_axis(axis, order):
    x = np.random.default_rng(0).normal(size=(4, 5))
    result = normalize(x, axis, order)
    np.testing.assert_allclose(np.linalg.norm(result, order, axis), 1)
    np.testing.assert_allclose(result * np.linalg.norm(x, order, axis, keepdims=True), x)


def test_zeros_stay_zeros_and_a_vector_a_vector():
    assert normalize(np.zeros((2, 3))).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert normalize([3, 4]).tolist() == [0.6, 0.8]


def test_tensors_stay_tensors():
    labels = keras.ops.convert_to_tensor([[0], [2]])
    rows = to_categorical(labels, 4)
    assert keras.ops.is_tensor(rows)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(rows), to_categorical([0, 2], 4))
    assert to_categorical(labels).shape == (2, 3)
    assert to_categorical(keras.Input((1,), dtype="int32"), 4).shape == (None, 4)
    x = keras.ops.convert_to_tensor([[3.0, 4.0], [0.0, 0.0]])
    assert keras.ops.is_tensor(normalize(x))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(normalize(x, 1, 1))[0], [3 / 7, 4 / 7])
