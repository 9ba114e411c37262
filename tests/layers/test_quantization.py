"""Quantized layers: what is stored, against NumPy, what is computed, and gradients."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.dtype_policies import DTypePolicyMap
from keras_fn.errors import SpecError
from keras_fn.quantizers import (
    AbsMaxQuantizer,
    AWQConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 6)).astype("float32")
IDS = np.array([[1, 2], [0, 4]])
WEIGHTS_ONLY = Int8QuantizationConfig(activation_quantizer=None)
CHANNELS, BLOCKS = Int4QuantizationConfig(block_size=None), Int4QuantizationConfig(block_size=4)


@pytest.fixture(autouse=True)
def _same_weights():
    keras.utils.set_random_seed(0)


def numbers(x: Any) -> np.ndarray:
    return ops.convert_to_numpy(x)


def dense(**arguments: Any) -> Any:
    layer = layers.Dense(5, name="layer", **arguments)
    layer.build((None, 6))
    return layer


# Inputs and outputs have the same shapes where they can: JAX compiles each op by shape.
CASES: dict[str, tuple[Any, np.ndarray, dict[str, Any]]] = {
    "dense": (lambda: layers.Dense(5), X, {}),
    "heads": (
        lambda: layers.EinsumDense("abc,cde->abde", (None, 3, 2), bias_axes="de"),
        X.reshape(1, 3, 6),
        {},
    ),
    "output": (lambda: layers.EinsumDense("abc,bcd->ad", 5), X.reshape(3, 2, 3), {}),
    "ellipsis": (lambda: layers.EinsumDense("...x,xy->...y", 5), X, {}),
    "last": (lambda: layers.EinsumDense("ab,cb->ac", 5), X, {}),
    "sum": (lambda: layers.EinsumDense("abc,cd->ad", 5), X.reshape(1, 3, 6), {}),
    "embedding": (lambda: layers.Embedding(5, 6), IDS, {}),
    "reverse": (lambda: layers.ReversibleEmbedding(5, 6), X, {"reverse": True}),
    "untied": (lambda: layers.ReversibleEmbedding(5, 6, tie_weights=False), X, {"reverse": True}),
}
# The largest error, as a fraction of the largest output.
CONFIGS = {
    "int8": (Int8QuantizationConfig(), 0.03),
    "weights": (WEIGHTS_ONLY, 0.02),
    "channels": (CHANNELS, 0.3),
    "blocks": (BLOCKS, 0.2),
    "inputs": (Int4QuantizationConfig(None, AbsMaxQuantizer(), None), 0.3),
}


# A push runs each layer in one mode, and one layer in each.
PAIRS = [
    pytest.param(
        name,
        mode,
        marks=() if name == "dense" or mode == ("int8", "blocks")[i % 2] else pytest.mark.thorough,
    )
    for i, name in enumerate(CASES)
    for mode in CONFIGS
]


@pytest.mark.parametrize(("name", "mode"), PAIRS)
def test_a_quantized_layer_computes_nearly_the_same_and_is_read_again(name, mode):
    make, x, options = CASES[name]
    config, error = CONFIGS[mode]
    layer = make()
    expected = numbers(layer(x, **options))
    layer.quantize(config=config)
    outputs = numbers(layer(x, **options))
    assert np.abs(outputs - expected).max() < error * np.abs(expected).max()
    assert outputs.dtype == expected.dtype and (outputs != expected).any()
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    again = type(layer).from_config(layer.get_config())
    again.build(x.shape)
    again.load_own_variables(store)
    np.testing.assert_allclose(numbers(again(x, **options)), outputs, 1e-6, 1e-6)


@pytest.mark.parametrize("argument", ["weight_quantizer", "activation_quantizer"])
def test_a_quantizer_may_be_a_function_of_a_tensor(argument):
    axis = 0 if argument == "weight_quantizer" else -1

    class Quantizer(keras.quantizers.Quantizer):
        def __call__(self, x: Any) -> Any:
            return keras.quantizers.abs_max_quantize(x, axis)

    pair = [dense(kernel_initializer="ones") for _ in range(2)]
    pair[0].quantize("int8")
    pair[1].quantize(config=Int8QuantizationConfig(**{argument: Quantizer()}))
    np.testing.assert_array_equal(*(numbers(layer(X)) for layer in pair))


def test_logits_of_wider_floats_are_scaled_in_them():
    layer = layers.ReversibleEmbedding(5, 6, dtype="mixed_bfloat16", reverse_dtype="float32")
    layer.build((None,))
    table = numbers(layer.embeddings).astype("float64")
    layer.quantize("int8")
    logits = layer(X, reverse=True)
    assert ops.dtype(logits) == "float32"
    scales = 127 / np.abs(X).max(1, keepdims=True), 127 / np.abs(table).max(1, keepdims=True)
    product = np.round(X * scales[0]) @ np.round(table * scales[1]).T
    np.testing.assert_allclose(numbers(logits), product / scales[0] / scales[1].T, rtol=1e-5)


def test_integers_are_inputs():
    layer = dense()
    x = np.array([[1, 2, 300, 4, 5, 6]] * 3, "int32")  # larger than the range of int8
    expected = numbers(layer(x))
    layer.quantize("int8")
    np.testing.assert_allclose(numbers(layer(x)), expected, atol=3)


def test_int8_is_a_kernel_with_a_scale_for_each_output():
    layer = dense()
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    layer.quantize("int8")
    assert [(v.path, v.dtype, v.shape, v.trainable) for v in layer.weights] == [
        ("layer/bias", "float32", (5,), True),
        ("layer/kernel", "int8", (6, 5), False),
        ("layer/kernel_scale", "float32", (5,), False),
    ]
    assert layer.quantization_mode == "int8" and layer.dtype_policy.name == "int8_from_float32"
    scale = 127 / np.abs(kernel).max(axis=0)
    np.testing.assert_allclose(layer.kernel_scale.numpy(), scale, 1e-5)
    np.testing.assert_array_equal(layer.kernel.numpy(), np.round(kernel * scale))
    inputs_scale = 127 / np.abs(X).max(axis=-1, keepdims=True)
    products = np.round(X * inputs_scale) @ np.round(kernel * scale)
    np.testing.assert_allclose(
        numbers(layer(X)), products / (scale * inputs_scale) + bias, 1e-4, 1e-5
    )
    assert layer(keras.Input((6,))).shape == (None, 5)


def test_a_sum_that_int32_does_not_hold_is_one_of_floats():
    layer = layers.Dense(1, kernel_initializer="ones", use_bias=False)
    x = np.ones((1, 140_000), "float32")
    layer(x)
    layer.quantize("int8")
    np.testing.assert_allclose(numbers(layer(x)), [[140_000]], 1e-3)


def test_groups_are_exact_in_half_precision():
    layer = layers.Dense(1, kernel_initializer="ones", dtype="mixed_bfloat16")
    layer.build((None, 600))
    signs = np.where(np.arange(600) < 599, 1, -64)  # a group that neither 598 nor 600 stands for
    layer.kernel.assign(signs[:, None])
    layer.quantize(config=Int4QuantizationConfig(block_size=1))
    np.testing.assert_allclose(numbers(layer(np.eye(600, dtype="float32")))[:, 0], signs, 0.01)


@pytest.mark.parametrize(("config", "scales"), [(CHANNELS, (5,)), (BLOCKS, (2, 5))])
def test_int4_has_two_weights_in_a_byte(config, scales):
    layer = dense()
    kernel = layer.kernel.numpy()
    layer.quantize(config=config)
    assert layer._kernel.shape == (6, 3) and layer._kernel.dtype == "int8"
    assert layer.kernel_scale.shape == scales
    integers = numbers(layer.kernel).astype("float32")
    assert integers.shape == (6, 5) and integers.min() >= -8 and integers.max() <= 7
    if config is CHANNELS:
        floats = integers / layer.kernel_scale.numpy()
    else:
        rows = layer.g_idx.numpy().astype(int)
        assert rows.tolist() == [0, 0, 0, 0, 1, 1]
        scale, zero = layer.kernel_scale.numpy()[rows], layer.kernel_zero.numpy()[rows]
        floats = (integers - zero) * scale
    assert np.abs(floats - kernel).max() < np.abs(kernel).max() / 7
    np.testing.assert_allclose(numbers(layer(X)), X @ floats, 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("dense", "int8"),
        ("dense", "blocks"),
        pytest.param("heads", "int8", marks=pytest.mark.thorough),
        ("last", "inputs"),
        ("sum", "int8"),
        ("reverse", "int8"),
        ("untied", "int8"),
    ],
)
def test_inputs_have_the_gradient_of_the_float_product(name, mode):
    make, x, options = CASES[name]
    layer = make()
    upstream = np.linspace(-1, 1, numbers(layer(x, **options)).size, dtype="float32")
    layer.quantize(config=CONFIGS[mode][0])
    part = layer._quantized_weights[next(reversed(layer._quantized_weights))]
    functions = (
        lambda x: layer(x, **options),
        lambda x: layer._product(x, part.dequantize()),
    )
    grads = []
    for function in functions:
        variable = keras.Variable(x)

        def total(function=function, variable=variable):
            return ops.sum(ops.multiply(ops.reshape(function(variable.value), (-1,)), upstream))

        _, (grad,) = keras.value_and_grad(total, [variable])()
        grads.append(numbers(grad))
    np.testing.assert_allclose(*grads, 1e-4, 1e-5)


def test_float8_rounds_products_and_learns_its_scales():
    layer = dense(dtype=keras.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32", 4))
    assert [v.name for v in layer.weights][:3] == ["inputs_scale", "inputs_amax_history"] + [
        "kernel_scale"
    ]

    def rounded(x: np.ndarray) -> np.ndarray:
        return x.astype(ml_dtypes.float8_e4m3fn).astype("float32")

    expected = rounded(X) @ rounded(layer._kernel.numpy())
    np.testing.assert_allclose(numbers(layer(X)), expected, 1e-4, 1e-5)
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :5], epochs=2, verbose=0)
    history = layer.inputs_amax_history.numpy()
    np.testing.assert_allclose(sorted(history)[-2:], [np.abs(X).max()] * 2, 1e-6)
    np.testing.assert_allclose(layer.inputs_scale.numpy(), np.abs(X).max() / 448, 1e-5)
    assert layer.outputs_grad_scale.numpy() != 1
    scale = layer.inputs_scale.numpy()
    model.predict(X, verbose=0)
    assert layer.inputs_scale.numpy() == scale


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_a_quantized_layer_can_be_adapted(mode):
    layer = dense()
    layer.quantize(mode)
    before = numbers(layer(X))
    layer.enable_lora(2, lora_alpha=4)
    layer.lora_kernel_b.assign(np.full((2, 5), 0.5))
    update = 2 * layer.lora_kernel_a.numpy() @ layer.lora_kernel_b.numpy()
    outputs = numbers(layer(X))
    np.testing.assert_allclose(outputs - before, X @ update, 1e-3, 1e-4)
    names = [v.name for v in layer.trainable_weights]
    assert "kernel" not in names and {"lora_kernel_a", "lora_kernel_b"} < {*names}
    store: dict[str, Any] = {}
    layer.save_own_variables(store)  # the sum, quantized
    again = layers.Dense.from_config(layer.get_config())
    again.build((None, 6))
    again.load_own_variables(store)
    error = {"int8": 0.03, "int4": 0.3, "float8": 0.2}[mode]
    assert np.abs(numbers(again(X)) - outputs).max() < error * np.abs(outputs).max()


def test_an_adapted_layer_can_be_quantized():
    layer = dense(lora_rank=2)
    layer.lora_kernel_b.assign(np.ones((2, 5)))
    before = numbers(layer(X))
    layer.quantize("int8")
    np.testing.assert_allclose(numbers(layer(X)), before, 0.05, 0.05)
    assert layer.lora_enabled and layer._kernel.dtype == "int8"


@pytest.mark.parametrize(
    ("name", "mode"), [("dense", "awq"), ("heads", "gptq"), ("output", "gptq"), ("last", "awq")]
)
def test_a_layer_that_waits_for_its_calibration_computes_with_floats(name, mode):
    make, x, _ = CASES[name]
    layer = make()
    expected = numbers(layer(x))
    cls = {"gptq": GPTQConfig, "awq": AWQConfig}[mode]
    layer.quantize(mode, config=cls(dataset=None, tokenizer=None, group_size=4))
    np.testing.assert_array_equal(numbers(layer(x)), expected)
    with pytest.raises(SpecError, match="calibrat"):
        layer.save_own_variables({})
    part = layer._quantized
    matrix = numbers(part.float_matrix())
    rows, columns = matrix.shape
    inputs = numbers(part.input_matrix(ops.convert_to_tensor(x)))
    biasless = expected.reshape(len(inputs), -1)
    np.testing.assert_allclose(inputs @ matrix, biasless, 1e-5, 1e-5)
    # Integers that represent the weights well.
    low, high = matrix.min(), matrix.max()
    scale = np.full((columns, 2), (high - low) / 15, "float32")
    zero = np.full((columns, 2), np.round(-low * 15 / (high - low)), "uint8")
    codes = np.clip(np.round(matrix.T / scale[:, :1]) + zero[:, :1], 0, 15).astype("uint8")
    groups = (np.arange(rows) // 4).astype("float32")
    extra = {"awq_scales": np.ones(rows, "float32")} if mode == "awq" else {}
    part.calibrate(codes, scale, zero, groups, **extra)
    assert part.is_calibrated and layer.is_awq_calibrated is (mode == "awq")
    np.testing.assert_array_equal(numbers(layer.kernel), codes)
    outputs = numbers(layer(x))
    assert 0 < np.abs(outputs - expected).max() < 0.3 * np.abs(expected).max()
    assert layer.dtype_policy.name == f"{mode}/4/4_from_float32"
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    again = type(layer).from_config(layer.get_config())
    again.build(x.shape)
    again.load_own_variables(store)
    np.testing.assert_allclose(numbers(again(x)), outputs, 1e-6, 1e-6)
    with pytest.raises(SpecError, match="low-rank"):
        layer.enable_lora(2)


def test_a_policy_asks_for_quantized_weights():
    layer = layers.Dense(5, dtype="int4/2_from_mixed_bfloat16")
    assert ops.dtype(layer(X)) == "bfloat16" and layer.kernel_scale.shape == (3, 5)
    by_path = DTypePolicyMap("float32", {"layer": "int8_from_float32"})
    assert dense(dtype=by_path).kernel.dtype == "int8"
    layer = dense()
    expected = numbers(layer(X))
    layer.dtype_policy = "int4/2_from_float32"
    assert layer.kernel_scale.shape == (3, 5)
    np.testing.assert_allclose(numbers(layer(X)), expected, 0.5, 0.5)
    for policy in ("int8_from_float32", "float32", "int4/4_from_float32"):
        with pytest.raises(SpecError, match=r"int4/2_from_\.\.\."):
            layer.dtype_policy = policy
    assert layer.dtype_policy.name == "int4/2_from_float32"


@pytest.mark.parametrize("dtype", ["float32", DTypePolicyMap("float32", {"layer": "float32"})])
def test_a_policy_that_cannot_be_is_taken_back(dtype):
    layer = dense(dtype=dtype)
    before = layer.dtype_policy.get_config()
    for policy in ("gptq/4/128_from_float32", "int8_from_float16"):
        with pytest.raises(SpecError, match=r"calibrate|float16"):
            layer.dtype_policy = policy
        assert layer.dtype_policy.get_config() == before and layer.quantization_mode is None


class Custom(layers.Dense):
    """A subclass."""


class Halved(keras.layers.Layer):
    """A layer that quantizes itself."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight((), "ones", name="factor")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        self.steps = self.add_weight((), "zeros", dtype="int8", trainable=False, name="steps")
        self.received = mode, type(config).__name__


def test_a_custom_layer_quantizes_itself():
    layer = Halved()
    layer(X)
    layer.quantize(config=Int8QuantizationConfig())
    assert layer.received == ("int8", "Int8QuantizationConfig")
    assert layer.steps.path == "halved/steps"
    with pytest.raises(SpecError, match="not quantized"):
        layer.quantize("int8")


def test_a_subclass_is_quantized_on_request():
    layer = Custom(5)
    layer(X)
    with pytest.raises(NotImplementedError, match="type_check=False"):
        layer.quantize("int8")
    layer.quantize("int8", type_check=False)
    assert layer.kernel.dtype == "int8"


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: layers.Dense(2).quantize("int8"), ValueError, "layer that is built"),
        (lambda: dense().quantize(), ValueError, "mode"),
        (lambda: dense().quantize("int3"), ValueError, "int3"),
        (lambda: dense().quantize("int8", config=BLOCKS), ValueError, "int8"),
        (lambda: dense().quantize("gptq"), ValueError, "GPTQConfig"),
        (lambda: dense(dtype="float16").quantize("int8"), ValueError, "float16"),
        (lambda: dense(dtype="int8_from_float32").quantize("int8"), ValueError, "not quantized"),
        (lambda: dense(quantization_config="int8"), ValueError, "quantization config"),
        (
            lambda: dense(dtype="gptq/4/4_from_float32", quantization_config=WEIGHTS_ONLY),
            ValueError,
            "of the mode 'gptq'",
        ),
        (lambda: layers.Dropout(0.5).quantize("int8"), NotImplementedError, "no weights"),
        (
            lambda: dense().quantize(
                config=Int8QuantizationConfig(weight_quantizer=AbsMaxQuantizer(axis=1))
            ),
            ValueError,
            r"the shape \(1, 5\)",
        ),
    ],
)
def test_what_cannot_be_quantized_is_refused(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_a_layer_that_refuses_is_as_it_was():
    layer = layers.Embedding(5, 6)
    expected = numbers(layer(IDS))
    with pytest.raises(NotImplementedError, match="float8"):
        layer.quantize("float8")
    np.testing.assert_array_equal(numbers(layer(IDS)), expected)
    assert not layer._is_quantized
    layer.quantize("int8")


def test_a_quantized_weight_has_one_of_the_modes():
    with pytest.raises(SpecError, match="mode: 'int8' or 'int4'"):
        layers.Dense(2).quantized_build((3, 2), "int7")
