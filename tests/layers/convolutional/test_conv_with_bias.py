"""A convolution and its bias are one call, unless a subclass has its own convolution."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import SpecError
from keras_fn.ops.convolution import conv_with_bias


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_the_bias_is_added_to_each_filter():
    x, kernel, bias = drawn(2, 4, 4, 2), drawn(1, 1, 2, 3), drawn(3)
    expected = np.einsum("bhwc,cf->bhwf", x, kernel[0, 0]) + bias
    found = conv_with_bias(x, kernel, bias, data_format="channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5, atol=1e-5)


def test_a_bias_of_another_size_is_refused():
    with pytest.raises(SpecError, match=r"a bias of shape \(3,\)"):
        conv_with_bias(keras.KerasTensor((2, 4, 2)), np.ones((1, 2, 3)), np.ones(2))


def test_a_subclass_may_have_its_own_convolution():
    class Doubled(layers.Conv1D):
        def convolution_op(self, inputs, kernel):
            return 2 * super().convolution_op(inputs, kernel)

    x = drawn(1, 3, 2)
    layer = Doubled(4, 1, bias_initializer="ones")
    kernel = ops.convert_to_numpy((layer(x), layer.kernel)[1])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), 2 * x @ kernel[0] + 1, rtol=1e-5)
