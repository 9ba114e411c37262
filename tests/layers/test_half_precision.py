"""A mean of half precision lies within its numbers, though their sum is infinite."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.initializers import Constant

STEPS = np.full((2, 3000, 1), 50.0, "float32")
MASK = np.ones((2, 3000), bool)
MASK[0, 2000:] = False
HUGE = np.full((2, 2, 3), 40000.0, "float32")
CELL = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros", "activation": "linear"}

MEANS = {
    "pooled": lambda d: layers.GlobalAveragePooling1D(dtype=d)(STEPS),
    "pooled, masked": lambda d: layers.GlobalAveragePooling1D(dtype=d)(STEPS, mask=MASK),
    "pooled, masked, channels first": lambda d: layers.GlobalAveragePooling1D(
        "channels_first", keepdims=True, dtype=d
    )(STEPS.transpose(0, 2, 1), mask=MASK),
    "windows": lambda d: layers.AveragePooling1D(1500, dtype=d)(STEPS),
    "merged": lambda d: layers.Average(dtype=d)([HUGE, HUGE, HUGE]),
    "both directions": lambda d: layers.Bidirectional(
        layers.SimpleRNN(1, bias_initializer=Constant(40000.0), dtype=d, **CELL), "ave", dtype=d
    )(STEPS[:, :2]),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", MEANS)
def test_a_mean_lies_within_its_numbers(name, dtype):
    y = MEANS[name](dtype)
    assert ops.dtype(y) == dtype
    y = ops.convert_to_numpy(ops.cast(y, "float32"))
    number = 50.0 if y.max() < 1000 else 40000.0
    np.testing.assert_allclose(y, np.full_like(y, number), rtol=4e-3)


def test_batch_normalization_trains_in_pure_half_precision():
    x = np.random.default_rng(0).normal(3.0, 2.0, (64, 4)).astype("float32")
    layer = layers.BatchNormalization(dtype="bfloat16")
    y = ops.convert_to_numpy(ops.cast(layer(x, training=True), "float32"))
    np.testing.assert_allclose(y.mean(0), np.zeros(4), atol=0.02)
    np.testing.assert_allclose(y.std(0), np.ones(4), atol=0.02)
