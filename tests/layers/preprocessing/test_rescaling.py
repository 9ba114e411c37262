"""`Rescaling` with numbers for each channel, in both data formats."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.layers import Rescaling


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def test_channels_are_the_first_axis_of_images_and_the_last_of_rows(channels_first):
    layer = Rescaling([1.0, 2.0, 3.0], [0.0, 10.0, 20.0])
    images = np.ones((2, 3, 4, 5), "uint8")
    expected = np.broadcast_to(np.array([1.0, 12.0, 23.0])[:, None, None], images.shape)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(images)), expected)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(images[0])), expected[0])
    assert keras.ops.convert_to_numpy(layer(np.ones((1, 3)))).tolist() == [[1.0, 12.0, 23.0]]


def test_arrays_are_kept_in_the_config():
    layer = Rescaling(np.array([0.5, 2.0]), offset=np.float64(1.0))
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    x = np.array([[2.0, 3.0]])
    assert keras.ops.convert_to_numpy(again(x)).tolist() == [[2.0, 7.0]]
