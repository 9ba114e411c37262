"""Convolutions: their sums written out, what they must satisfy, dtypes and open sizes."""

import itertools

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.layers import Input

RANDOM = np.random.default_rng(0)


def normal(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def convolved(x, kernel, strides, dilation, groups):
    """Every window by itself; channels last, no padding."""
    rank = kernel.ndim - 2
    window, per_group, filters = kernel.shape[:rank], kernel.shape[-2], kernel.shape[-1]
    sizes = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    y = np.zeros((x.shape[0], *sizes, filters))
    each = filters // groups
    for place in itertools.product(*map(range, sizes)):
        for offset in itertools.product(*map(range, window)):
            where = tuple(
                p * s + o * d for p, s, o, d in zip(place, strides, offset, dilation, strict=True)
            )
            for g in range(groups):
                piece = x[(slice(None), *where)][:, g * per_group : (g + 1) * per_group]
                y[(slice(None), *place, slice(g * each, (g + 1) * each))] += (
                    piece @ kernel[offset][:, g * each : (g + 1) * each]
                )
    return y


@pytest.mark.parametrize(
    ("rank", "kernel", "strides", "dilation", "groups"),
    [
        (1, (3,), (2,), (1,), 1),
        (1, (2,), (1,), (3,), 2),
        (2, (3, 2), (1, 2), (1, 1), 4),
        (2, (1, 3), (1, 1), (2, 2), 1),
        (3, (2, 1, 2), (1, 2, 1), (1, 1, 1), 2),
    ],
)
def test_a_convolution_is_the_sum_over_its_windows(rank, kernel, strides, dilation, groups):
    x = normal(2, *(7, 6, 5)[:rank], 4)
    layer = getattr(layers, f"Conv{rank}D")(
        8, kernel, strides, dilation_rate=dilation, groups=groups, bias_initializer="ones"
    )
    y = layer(x)
    expected = convolved(x, layer.kernel.numpy(), strides, dilation, groups) + 1
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=1e-4, atol=1e-4)


def test_a_causal_convolution_does_not_see_what_comes():
    layer = layers.Conv1D(3, 3, padding="causal", dilation_rate=2)
    x = normal(1, 8, 2)
    later = x.copy()
    later[:, 5:] = 9.0
    first, second = (ops.convert_to_numpy(layer(each)) for each in (x, later))
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert not np.allclose(first[:, 5:], second[:, 5:])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("rank", "kernel", "strides"), [(1, 3, 2), (2, (3, 2), (2, 1)), (3, 2, 2)])
def test_a_transposed_convolution_is_the_adjoint_of_the_convolution(rank, kernel, strides, padding):
    """`<conv(x), y> == <x, transposed(y)>` with one kernel, where the sizes go back and forth."""
    forward = getattr(layers, f"Conv{rank}D")(3, kernel, strides, padding, use_bias=False)
    back = getattr(layers, f"Conv{rank}DTranspose")(2, kernel, strides, padding, use_bias=False)
    y = normal(2, *(3, 4, 2)[:rank], 3)
    x = normal(*back(y).shape)
    assert forward(x).shape == y.shape
    back.kernel.assign(forward.kernel)
    there = (ops.convert_to_numpy(forward(x)) * y).sum()
    again = (x * ops.convert_to_numpy(back(y))).sum()
    assert there == pytest.approx(again, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("cls", ["Conv2D", "Conv2DTranspose", "SeparableConv2D"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_layouts_agree(cls, padding):
    x = normal(2, 5, 6, 4)
    last = getattr(layers, cls)(3, 3, 2, padding)
    first = getattr(layers, cls)(3, 3, 2, padding, data_format="channels_first")
    y = ops.convert_to_numpy(last(x))
    first.build((None, 4, 5, 6))
    first.set_weights(last.get_weights())
    turned = ops.convert_to_numpy(first(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(turned.transpose(0, 2, 3, 1), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Conv1D(2, 3), (None, 4), (None, None, 2)),
        (layers.Conv2D(2, 3, strides=2, padding="same"), (None, 9, 4), (None, None, 5, 2)),
        (layers.Conv2DTranspose(2, 3, 2), (None, 4, 4), (None, None, 9, 2)),
        (layers.DepthwiseConv2D(3), (None, None, 4), (None, None, None, 4)),
        (layers.Conv3D(2, 2, data_format="channels_first"), (4, 3, None, 3), (None, 2, 2, None, 2)),
    ],
)
def test_open_sizes_stay_open(layer, shape, expected):
    assert layer(Input(shape)).shape == expected


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
@pytest.mark.parametrize("cls", ["Conv2D", "Conv2DTranspose", "SeparableConv2D"])
def test_a_policy_says_what_is_computed_in_what(cls, policy):
    layer = getattr(layers, cls)(3, 3, dtype=policy, activation="relu")
    exact = getattr(layers, cls)(3, 3, activation="relu")
    x = normal(2, 5, 5, 2)
    expected = ops.convert_to_numpy(exact(x))
    y = layer(x)
    layer.set_weights(exact.get_weights())
    y = layer(x)
    compute = policy.removeprefix("mixed_")
    assert ops.dtype(y) == compute == layer(Input((5, 5, 2))).dtype
    assert {v.dtype for v in layer.weights} == {"float32"}
    tolerance = {"float16": 1e-2, "bfloat16": 5e-2, "float32": 1e-6}[compute]
    y = ops.convert_to_numpy(ops.cast(y, "float32"))
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)


def test_the_operation_can_be_replaced():
    class Doubled(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return ops.multiply(super().convolution_op(inputs, kernel), 2.0)

    x = normal(1, 4, 4, 2)
    plain, doubled = layers.Conv2D(2, 3), Doubled(2, 3)
    expected = ops.convert_to_numpy(plain(x)) * 2
    doubled.build(x.shape)
    doubled.set_weights(plain.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(doubled(x)), expected, rtol=1e-5)


def test_by_position_the_arguments_are_those_of_keras():
    layer = layers.Conv3DTranspose(2, 3, 2, "same", "channels_first", 1, 1)
    assert (layer.data_format, layer.output_padding) == ("channels_first", (1, 1, 1))
    layer = layers.Conv2DTranspose(2, 3, 2, "same", 1, "channels_first")
    assert (layer.data_format, layer.output_padding) == ("channels_first", (1, 1))


def test_other_names_are_the_same_layers():
    for name, other in [
        ("Conv1D", "Convolution1D"),
        ("Conv3DTranspose", "Convolution3DTranspose"),
        ("SeparableConv2D", "SeparableConvolution2D"),
        ("MaxPooling2D", "MaxPool2D"),
        ("AveragePooling1D", "AvgPool1D"),
        ("GlobalAveragePooling3D", "GlobalAvgPool3D"),
    ]:
        assert getattr(layers, name) is getattr(layers, other)


@pytest.mark.parametrize("dtype", ["bool", "uint8"])
@pytest.mark.parametrize("cls", ["Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"])
def test_booleans_and_small_integers_count_as_numbers(cls, dtype):
    x = np.random.default_rng(0).integers(0, 2, (2, 5, 4, 3)).astype(dtype)
    layer = getattr(layers, cls)(*([] if cls == "DepthwiseConv2D" else [2]), kernel_size=3)
    wanted = layer(x.astype("float32"))
    assert ops.dtype(layer(x)) == "float32" == layer(Input((5, 4, 3), dtype=dtype)).dtype
    assert np.allclose(ops.convert_to_numpy(layer(x)), ops.convert_to_numpy(wanted), atol=1e-5)
