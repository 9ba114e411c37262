"""Values of the functions of `keras.quantizers`, by their formulas in NumPy."""

import ml_dtypes
import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops, quantizers

rng = np.random.default_rng(0)
X = rng.normal(size=(5, 6)).astype("float32")


def to_numpy(*tensors):
    return [ops.convert_to_numpy(x) for x in tensors]


# ---------------------------------------------------------------- absolute maximum


@pytest.mark.parametrize(("axis", "on_host"), [(0, False), (-1, True), ((0, 1), True)])
def test_the_largest_absolute_value_fills_the_range(axis, on_host):
    quantized, scale = to_numpy(*quantizers.abs_max_quantize(X, axis, to_numpy=on_host))
    expected = 127 / (np.abs(X).max(axis, keepdims=True) + 1e-7)
    assert (quantized.dtype, scale.dtype) == (np.int8, np.float32)
    np.testing.assert_allclose(scale, expected, rtol=1e-6)
    np.testing.assert_array_equal(quantized, np.round(X * scale))
    np.testing.assert_allclose(quantized / scale, X, atol=float(0.51 / scale.min()))


@pytest.mark.parametrize(("block_size", "on_host"), [(2, False), (2, True), (5, True)])
def test_blocks_fill_the_range_with_zero_points(block_size, on_host):
    x = X.copy()
    x[:2, 0] = 1.0, 1.5  # values of one sign: the range of a block includes 0
    x[:, 1] = 0.0
    quantized, scale, zero_point = to_numpy(
        *quantizers.abs_max_quantize_grouped_with_zero_point(x, block_size, to_numpy=on_host)
    )
    assert (quantized.dtype, scale.dtype, zero_point.dtype) == (np.int8, np.float32, np.int8)
    assert quantized.shape == x.shape
    assert scale.shape == zero_point.shape == (-(-5 // block_size), 6)
    assert quantized.min() >= -8 and quantized.max() <= 7
    scale, zero_point = (np.repeat(p, block_size, 0)[:5] for p in (scale, zero_point))
    restored = scale * (quantized.astype("float32") - zero_point)
    # One step where the zero point is rounded.
    np.testing.assert_array_less(np.abs(restored - x), scale * 1.01)
    np.testing.assert_array_equal(restored[x == 0], 0)


def test_a_quantizer_takes_the_axis_of_the_call_before_its_own():
    quantizer = quantizers.AbsMaxQuantizer(axis=0, value_range=[-8, 7])
    assert (quantizer.axis, quantizer.value_range) == ((0,), (-8, 7))
    assert quantizer(X)[1].shape == (1, 6)
    assert quantizer(X, axis=1)[1].shape == (5, 1)
    assert quantizers.AbsMaxQuantizer()(X)[1].shape == (5, 1)


# ---------------------------------------------------------------- 4 bits


@pytest.mark.parametrize(("axis", "dtype"), [(0, "int8"), (-1, "int8"), (1, "uint8")])
def test_packed_values_come_back(axis, dtype):
    x = rng.integers(0 if dtype == "uint8" else -8, 16 if dtype == "uint8" else 8, (3, 4, 5))
    x = x.astype(dtype)
    packed, shape, size = quantizers.pack_int4(x, axis, dtype)
    assert (size, tuple(packed.shape)) == (x.shape[axis], shape)
    assert shape[axis] == (size + 1) // 2
    low, high = (np.take(x, range(i, size, 2), axis).astype("int32") for i in (0, 1))
    pad = [(0, low.shape[i] - high.shape[i]) for i in range(3)]
    expected = ((low & 15) | (np.pad(high, pad) & 15) << 4).astype("uint8").view(dtype)
    np.testing.assert_array_equal(ops.convert_to_numpy(packed), expected)
    unpacked = ops.convert_to_numpy(quantizers.unpack_int4(packed, size, axis, dtype))
    np.testing.assert_array_equal(unpacked, x)
    assert unpacked.dtype == x.dtype


def test_packing_of_symbols_keeps_unknown_axes():
    packed, shape, size = quantizers.pack_int4(keras.Input((5,), dtype="int8"), -1)
    assert (packed.shape, packed.dtype, shape, size) == ((None, 3), "int8", (None, 3), 5)
    assert quantizers.unpack_int4(packed, 5, -1).shape == (None, 5)


# ---------------------------------------------------------------- 8-bit floats


def test_the_scale_follows_the_largest_value_unless_it_is_useless():
    scales = quantizers.compute_float8_scale([0.0, 4.0, np.inf, np.nan], 0.5, 448.0, margin=1)
    np.testing.assert_allclose(*to_numpy(scales), [0.5, 4 / 448 * 2, 0.5, 0.5], rtol=1e-6)


def test_the_largest_value_of_a_dtype_may_be_a_tensor():
    scale = quantizers.compute_float8_scale(2.0, 1.0, ops.cast(448.0, "float32"))
    assert float(scale) == pytest.approx(2.0 / 448.0)
    with pytest.raises(TypeError, match="dtype_max as a number"):
        quantizers.compute_float8_scale(2.0, 1.0, "448")  # type: ignore[arg-type]


def test_the_history_is_rolled():
    empty = quantizers.compute_float8_amax_history(X[:0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(empty), [0.0, 3.0, 1.0])
    history = quantizers.compute_float8_amax_history(X, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(*to_numpy(history), [np.abs(X).max(), 3.0, 1.0])


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_values_are_rounded_as_the_narrow_dtype_does(dtype):
    largest = float(ml_dtypes.finfo(dtype).max)
    x = np.array([0.3, -7.7, 1e6, -1e6, 0.0], "float32")
    rounded = quantizers.quantize_and_dequantize(x, 0.5, dtype, "float32")
    expected = np.clip(x / 0.5, -largest, largest).astype(dtype).astype("float32") * 0.5
    np.testing.assert_array_equal(*to_numpy(rounded), expected)


# ---------------------------------------------------------------- fake quantization


def fake_quantized(x, low, high, bits, narrow):
    """By the definition: integers from `narrow`, and a zero point that is one of them."""
    lowest, highest = int(narrow), 2**bits - 1
    scale = (high - low) / (highest - lowest)
    zero_point = np.round(np.clip(lowest - low / scale, lowest, highest))
    return (np.clip(np.floor(x / scale + zero_point + 0.5), lowest, highest) - zero_point) * scale


@pytest.mark.parametrize(
    ("low", "high", "narrow"), [(-1.0, 1.5, True), (0.0, 2.0, False), (0.5, 2.5, False)]
)
def test_fake_quantization_rounds_to_levels(low, high, narrow):
    found = quantizers.fake_quant_with_min_max_vars(X, low, high, 4, narrow)
    np.testing.assert_allclose(*to_numpy(found), fake_quantized(X, low, high, 4, narrow), atol=1e-6)


def test_channels_have_ranges_of_their_own():
    low, high = -np.arange(1, 6, dtype="float32"), np.arange(2, 7, dtype="float32")
    found = quantizers.fake_quant_with_min_max_vars(X, low, high, 3, axis=0)
    expected = fake_quantized(X, low[:, None], high[:, None], 3, False)
    np.testing.assert_allclose(*to_numpy(found), expected, atol=1e-6)
    found = quantizers.fake_quant_with_min_max_vars(X.T, low, high, 3, axis=-1)
    np.testing.assert_allclose(*to_numpy(found), expected.T, atol=1e-6)


def test_an_empty_range_is_zero():
    np.testing.assert_array_equal(*to_numpy(quantizers.fake_quant_with_min_max_vars(X, 0, 0)), 0)


def test_gradients_go_to_the_inputs_and_to_the_ends_of_the_range():
    x = np.array([[-3.0, 0.3], [0.4, 5.0], [-2.0, 0.1]], "float32")
    variables = [
        keras.Variable(x),
        keras.Variable(np.float32([-1.0, -1.0])),
        keras.Variable(np.float32([1.0, 1.0])),
    ]
    weights = np.float32([[1, 2], [3, 4], [5, 6]])

    def loss():
        outputs = quantizers.fake_quant_with_min_max_vars(*variables, axis=1)
        return ops.sum(ops.multiply(outputs, weights))

    _, gradients = keras.value_and_grad(loss, variables)()
    dx, low, high = to_numpy(*gradients)
    np.testing.assert_array_equal(dx, [[0, 2], [3, 0], [0, 6]])
    np.testing.assert_array_equal(low, [6, 0])
    np.testing.assert_array_equal(high, [0, 4])


class Quantized(keras.layers.Layer):
    """A layer that calls all of it, compiled in `predict`."""

    def call(self, x):
        quantized, scale = quantizers.abs_max_quantize(x, -1, (-8, 7))
        packed, _, size = quantizers.pack_int4(quantized, -1)
        x = ops.cast(quantizers.unpack_int4(packed, size, -1), "float32") / scale
        x = quantizers.fake_quant_with_min_max_vars(x, -1.0, 1.0)
        return quantizers.quantize_and_dequantize(x, 1.0, "float8_e5m2", "float32")


def test_a_layer_with_quantizers_runs_compiled():
    inputs = keras.Input((6,))
    model = keras.Model(inputs, Quantized()(inputs))
    assert model.output_shape == (None, 6)
    expected = ops.convert_to_numpy(Quantized()(X))
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(expected, np.clip(X, -1, 1), atol=0.3)


def test_fake_quantization_in_a_graph_is_saved(tmp_path):
    inputs = keras.Input((6,))
    outputs = quantizers.fake_quant_with_min_max_vars(inputs, -1.0, 1.0, num_bits=4)
    model = keras.Model(inputs, outputs)
    config = model.get_config()["layers"][1]
    assert config["module"] == "keras.src.quantizers.quantizers"
    assert config["config"] == {"num_bits": 4, "narrow_range": False, "axis": None}
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda q: q.abs_max_quantize(X, "0"), "axis as an axis"),
        (lambda q: q.abs_max_quantize(X, 0, (7, -8)), "value_range as the lowest"),
        (lambda q: q.abs_max_quantize(X, 0, (-200, 200)), "the values of int8"),
        (lambda q: q.abs_max_quantize(X, 0, epsilon=-1), "epsilon as a number of 0 or more"),
        (lambda q: q.abs_max_quantize_grouped_with_zero_point(X[0], 2), "a matrix"),
        (lambda q: q.abs_max_quantize_grouped_with_zero_point(X, 0), "block_size as a positive"),
        (lambda q: q.AbsMaxQuantizer(value_range=(-129, 1)), "the values of int8"),
        (lambda q: q.AbsMaxQuantizer(output_dtype="int9"), "a dtype"),
        (lambda q: q.pack_int4(X), "a tensor of int8"),
        (lambda q: q.pack_int4(np.ones(2, "int8"), dtype="int16"), "dtype: 'int8' or 'uint8'"),
        (lambda q: q.pack_int4(np.ones(2, "int8"), axis=1), "an axis from -1 to 0"),
        (lambda q: q.pack_int4(keras.Input((5,), dtype="int8")), "an axis of known size"),
        (lambda q: q.unpack_int4(np.ones(2, "int8"), 5), "orig_len of at most 4"),
        (lambda q: q.unpack_int4(X, 5), "a tensor of int8 or uint8"),
        (lambda q: q.quantize_and_dequantize(X, 1.0, "int8", "float32"), "quantized_dtype"),
        (lambda q: q.fake_quant_with_min_max_vars(X, 0, 1, 1, True), "num_bits of 2 or more"),
        (lambda q: q.fake_quant_with_min_max_vars(X, 0, 1, 2.5), "num_bits: an integer"),
        (lambda q: q.fake_quant_with_min_max_vars(X, 0, 1, axis=2), "an axis from -2 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make(quantizers)
