"""Pooling: windows written out, padding, masks, open sizes."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.layers import Input

RANDOM = np.random.default_rng(1)


def pooled(x, size, stride, padding, reduce):
    """Every window of a line by itself; padding does not count."""
    steps = x.shape[1]
    count = -(-steps // stride) if padding == "same" else (steps - size) // stride + 1
    before = max((count - 1) * stride + size - steps, 0) // 2 if padding == "same" else 0
    begins = [k * stride - before for k in range(count)]
    return np.stack([reduce(x[:, max(b, 0) : b + size], axis=1) for b in begins], axis=1)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (3, 2), (2, 3), (4, 4)])
@pytest.mark.parametrize(
    ("cls", "reduce"), [("MaxPooling1D", np.max), ("AveragePooling1D", np.mean)]
)
def test_pooling_takes_each_window(cls, reduce, size, stride, padding):
    x = RANDOM.normal(size=(2, 10, 3)).astype("float32") - 5  # padding with 0 would show
    y = getattr(layers, cls)(size, stride, padding)(x)
    expected = pooled(x, size, stride, padding, reduce)
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=1e-6)


@pytest.mark.parametrize("cls", ["MaxPooling2D", "AveragePooling2D"])
def test_planes_are_pooled_line_by_line(cls):
    x = RANDOM.normal(size=(2, 6, 7, 3)).astype("float32")
    reduce = np.max if cls == "MaxPooling2D" else np.mean
    rows = pooled(x.reshape(2, 6, 21), 3, 2, "valid", reduce).reshape(2, 2, 7, 3)
    expected = pooled(rows.transpose(0, 2, 1, 3).reshape(2, 7, 6), 2, 1, "valid", reduce)
    expected = expected.reshape(2, 6, 2, 3).transpose(0, 2, 1, 3)
    y = getattr(layers, cls)((3, 2), (2, 1))(x)
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=1e-5, atol=1e-6)


def test_integers_have_a_largest_too():
    x = np.array([[[3], [-7], [-9], [-8]]], "int32")
    y = layers.MaxPooling1D(2)(x)
    assert ops.convert_to_numpy(y).tolist() == [[[3], [-8]]]
    assert ops.dtype(y) == "int32"


def test_a_mean_passes_over_masked_steps_and_ends_the_mask():
    x = np.array([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]]], "float32")
    mask = np.array([[True, True, False]])
    layer = layers.GlobalAveragePooling1D()
    assert ops.convert_to_numpy(layer(x, mask=mask)).tolist() == [[2.0, 3.0]]
    kept = layers.GlobalAveragePooling1D("channels_first", keepdims=True)
    y = kept(x.transpose(0, 2, 1), mask=mask)
    assert ops.convert_to_numpy(y).tolist() == [[[2.0], [3.0]]]
    symbol = layer(layers.Masking()(Input((3, 2))))
    assert symbol.shape == (None, 2) and symbol._keras_mask is None


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.MaxPooling2D(2), (None, 9, 4), (None, None, 4, 4)),
        (layers.AveragePooling3D(2, padding="same"), (3, None, 3, 1), (None, 2, None, 2, 1)),
        (layers.GlobalMaxPooling1D(), (None, 4), (None, 4)),
        (layers.GlobalAveragePooling2D(keepdims=True), (None, None, 4), (None, 1, 1, 4)),
    ],
)
def test_open_sizes_stay_open(layer, shape, expected):
    assert layer(Input(shape)).shape == expected


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("cls", ["MaxPooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D"])
def test_half_precision_goes_in_and_comes_out(cls, policy):
    x = RANDOM.normal(size=(2, 4, 4, 3)).astype("float32")
    exact, half = getattr(layers, cls)()(x), getattr(layers, cls)(dtype=policy)(x)
    assert ops.dtype(half) == policy.removeprefix("mixed_")
    half = ops.convert_to_numpy(ops.cast(half, "float32"))
    np.testing.assert_allclose(half, ops.convert_to_numpy(exact), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8"])
def test_booleans_and_small_integers_are_pooled_as_they_are(dtype):
    x = np.random.default_rng(0).integers(0, 2, (2, 5, 4, 3)).astype(dtype)
    layer = layers.MaxPooling2D(2, padding="same", data_format="channels_last")
    y = layer(x)
    wanted = layer(x.astype("float32"))
    assert ops.dtype(y) == dtype == layer(Input((5, 4, 3), dtype=dtype)).dtype
    assert (ops.convert_to_numpy(y) == ops.convert_to_numpy(wanted)).all()
