"""Quantizers, GPTQ, AWQ and distillation next to real Keras, given the same inputs.

`nox -s "parity(jax)"` runs it. Where Keras is another on purpose stands in `docs/differences.md`.
"""

import numpy as np
import pytest
from real_keras import keras

import keras_fn
from keras_fn.quantizers.awq import _quantize_scaled, awq_quantize
from keras_fn.quantizers.gptq import gptq_quantize

gptq = pytest.importorskip("keras.src.quantizers.gptq")
awq = pytest.importorskip("keras.src.quantizers.awq")
internal = pytest.importorskip("keras.src.quantizers.quantizers")

pytestmark = [  # Keras's own, on PyTorch
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Tensor.T is deprecated"),
    pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad"),
]
rng = np.random.default_rng(0)
MATRIX = rng.normal(size=(24, 10)).astype("float32")
MODULES = (keras_fn, keras)


def both(function):
    """The results of a function of the module, as arrays: ours, and those of Keras."""
    results = []
    for module in MODULES:
        result = keras.tree.flatten(function(module, module.ops.convert_to_tensor))
        values = [module.ops.convert_to_numpy(x) if hasattr(x, "shape") else x for x in result]
        results.append([np.asarray(value) for value in values])
    return zip(*results, strict=True)


def assert_equal(function, rtol=0.0):
    for ours, theirs in both(function):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours.astype("float64"), theirs.astype("float64"), rtol)


@pytest.mark.parametrize("to_numpy", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(
    ("axis", "value_range"), [(0, (-127, 127)), (-1, (-8, 7)), ((0, 1), (-127, 127))]
)
def test_absolute_maximum(axis, value_range, dtype, to_numpy):
    x = MATRIX.astype(dtype)
    assert_equal(
        lambda module, tensor: module.quantizers.abs_max_quantize(
            tensor(x), axis, value_range, to_numpy=to_numpy
        ),
        2e-7 if dtype == "float32" else 0,
    )


@pytest.mark.parametrize("to_numpy", [False, True])
@pytest.mark.parametrize("block_size", [8, 12, 9, 100])
def test_blocks_with_zero_points(block_size, to_numpy):
    x = MATRIX - MATRIX.mean(0)
    x[::4] *= -1  # each block has values of both signs
    assert_equal(
        lambda module, tensor: module.quantizers.abs_max_quantize_grouped_with_zero_point(
            tensor(x), block_size, to_numpy=to_numpy
        ),
        2e-7,
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_packing(axis, dtype):
    x = rng.integers(0 if dtype == "uint8" else -8, 16 if dtype == "uint8" else 8, (3, 4, 5))
    x = x.astype(dtype)
    assert_equal(lambda module, tensor: module.quantizers.pack_int4(tensor(x), axis, dtype))
    packed, _, size = keras.quantizers.pack_int4(x, axis, dtype)
    packed = keras.ops.convert_to_numpy(packed)
    assert_equal(
        lambda module, tensor: module.quantizers.unpack_int4(tensor(packed), size, axis, dtype)
    )


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_8_bit_floats(dtype):
    x = MATRIX * 200
    history = np.array([3.0, 900.0, 2.0], "float32")

    def run(module, tensor):
        q = module.quantizers
        scales = [
            q.compute_float8_scale(tensor(np.float32(amax)), tensor(np.float32(0.5)), 448.0, margin)
            for amax in (0.0, 3.0, np.inf)
            for margin in (0, 2)
        ]
        rounded = q.quantize_and_dequantize(tensor(x), tensor(np.float32(0.3)), dtype, "float32")
        return [*scales, q.compute_float8_amax_history(tensor(x), tensor(history)), rounded]

    assert_equal(run, 2e-7)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.5), (0.0, 2.0), (-1.3, 0.0)])
def test_fake_quantization(low, high, bits, narrow):
    for ours, theirs in both(
        lambda module, tensor: module.quantizers.fake_quant_with_min_max_vars(
            tensor(MATRIX), tensor(low), tensor(high), bits, narrow
        )
    ):
        # A value in the middle of two levels goes to one or the other.
        step = (high - low) / ((1 << bits) - 1 - narrow)
        close = np.isclose(ours, theirs, atol=1e-6)
        assert close.mean() > 0.98
        np.testing.assert_allclose(ours, theirs, atol=1.01 * step)


@pytest.mark.parametrize(
    "make",
    [
        lambda q: q.AbsMaxQuantizer(axis=0, value_range=(-8, 7)),
        lambda q: q.Int8QuantizationConfig(q.AbsMaxQuantizer(axis=0), None),
        lambda q: q.Int4QuantizationConfig(block_size=64),
        lambda q: q.Float8QuantizationConfig(),
        lambda q: q.GPTQConfig(None, None, weight_bits=3, group_size=-1),
        lambda q: q.AWQConfig(None, None, num_grid_points=5),
    ],
)
def test_configs_are_read_both_ways(make):
    ours, theirs = (
        module.saving.serialize_keras_object(make(module.quantizers)) for module in MODULES
    )
    assert ours == theirs
    for module in MODULES:
        config = module.saving.serialize_keras_object(module.saving.deserialize_keras_object(ours))
        assert config == ours


INPUTS, OUTPUTS = 48, 32
KERNEL = rng.normal(size=(INPUTS, OUTPUTS)).astype("float32") * 0.05
SAMPLES = rng.normal(size=(500, 16)) @ rng.normal(size=(16, INPUTS))
SAMPLES = ((SAMPLES + 0.3 * rng.normal(size=SAMPLES.shape)) * rng.uniform(0.2, 2, INPUTS)).astype(
    "f"
)


def error(weights):
    """The squared error of the outputs, relative to their square."""
    expected = SAMPLES @ KERNEL
    return float(np.mean((SAMPLES @ weights.T - expected) ** 2) / np.mean(expected**2))


@pytest.mark.parametrize("group_size", [16, -1, 20])
def test_awq_rounds_as_keras_and_finds_a_better_scale(group_size):
    config = keras_fn.quantizers.AWQConfig(None, None, group_size=group_size)
    tensor = keras.ops.convert_to_tensor
    theirs = awq.awq_quantize_matrix(
        tensor(KERNEL.T.copy()), tensor(np.abs(SAMPLES).max(0)), group_size=group_size
    )
    codes, scale, zero_point, input_scale, groups = map(keras.ops.convert_to_numpy, theirs)
    same = _quantize_scaled(KERNEL.T, input_scale, config)
    found = (same.codes, same.scale, same.zero_point, same.group_index)
    for ours_, theirs_ in zip(found, (codes, scale, zero_point, groups), strict=True):
        np.testing.assert_allclose(ours_, theirs_, 1e-5, 1e-6)
    moments = SAMPLES.T @ SAMPLES / len(SAMPLES)
    ours = awq_quantize(KERNEL, np.abs(SAMPLES).mean(0), moments, config)
    assert error(ours.dequantize()) <= error(same.dequantize())


def _language_model(module):
    tokens = module.Input((8,), dtype="int32")
    embedding = module.layers.Embedding(20, 16)
    dense = [module.layers.Dense(32, activation="relu"), module.layers.Dense(16)]
    block = module.Sequential([module.Input((8, 16)), *dense])
    model = module.Model(tokens, block(embedding(tokens)))
    values = np.random.default_rng(0)
    model.set_weights([values.normal(size=w.shape) * 0.4 for w in model.get_weights()])
    return model, {"pre_block_layers": [embedding], "sequential_blocks": [block]}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["GPTQConfig", "AWQConfig"])
def test_a_calibrated_model_is_closer_to_its_floats_than_that_of_keras(name):
    tokens = np.random.default_rng(1).integers(0, 20, (24, 8))
    errors, outputs = [], []
    for module in MODULES:
        model, structure = _language_model(module)
        before = model.predict(tokens, verbose=0)
        config = getattr(module.quantizers, name)(
            tokens,
            "tokenizer",
            num_samples=8,
            sequence_length=8,
            group_size=8,
            quantization_layer_structure=structure,
        )
        model.quantize(config.mode, config=config)
        outputs.append(before)
        errors.append(np.mean((model.predict(tokens, verbose=0) - before) ** 2))
    np.testing.assert_allclose(*outputs, 1e-4, 1e-5)
    assert errors[0] < errors[1]


@pytest.mark.parametrize("order", [False, True])
@pytest.mark.parametrize(("bits", "group_size"), [(4, 16), (3, 24), (8, -1)])
def test_gptq_has_a_smaller_error_than_that_of_keras(bits, group_size, order):
    hessian = 2 / len(SAMPLES) * SAMPLES.T @ SAMPLES
    config = keras_fn.quantizers.GPTQConfig(
        None, None, weight_bits=bits, group_size=group_size, activation_order=order
    )
    ours = gptq_quantize(KERNEL, hessian, config)
    damped = hessian + 0.01 * np.diag(hessian).mean() * np.eye(INPUTS, dtype="f")
    tensor = keras.ops.convert_to_tensor
    quantized, scale, zero, groups = gptq.gptq_quantize_matrix(
        tensor(KERNEL.T.copy()),
        keras.ops.linalg.inv(tensor(damped)),
        group_size=group_size,
        activation_order=order,
        order_metric=tensor(np.diag(damped).copy()),
        compute_scale_zero=lambda x: internal.compute_quantization_parameters(
            x, bits=bits, per_channel=True, group_size=group_size
        ),
    )
    theirs = internal.dequantize_with_sz_map(quantized, scale, zero, groups)
    assert error(ours.dequantize()) < 0.7 * error(keras.ops.convert_to_numpy(theirs))
    # Without a correlation of inputs there is nothing to make up for: both round alike.
    alone = gptq_quantize(KERNEL, np.diag(np.diag(hessian)), config)
    quantized, scale, zero, groups = gptq.gptq_quantize_matrix(
        tensor(KERNEL.T.copy()),
        tensor(np.diag(1 / np.diag(damped))),
        group_size=group_size,
        activation_order=order,
        order_metric=tensor(np.diag(damped).copy()),
        compute_scale_zero=lambda x: internal.compute_quantization_parameters(
            x, bits=bits, per_channel=True, group_size=group_size
        ),
    )
    found = (alone.codes, alone.scale, alone.zero_point, alone.group_index)
    for ours_, theirs_ in zip(found, (quantized, scale, zero, groups), strict=True):
        expected = keras.ops.convert_to_numpy(theirs_)
        expected = expected if theirs_ is not groups else expected.astype("int32")
        np.testing.assert_allclose(ours_, expected, 1e-5)


def _model(module, scale):
    layers = [module.Input((4,)), module.layers.Dense(8, activation="relu", name="hidden")]
    model = module.Sequential([*layers, module.layers.Dense(3)])
    values = np.random.default_rng(7)
    model.set_weights(
        [values.normal(size=w.shape).astype("f") * scale for w in model.get_weights()]
    )
    return model


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_distillers_train_alike(share):
    x = np.random.default_rng(1).normal(size=(12, 4)).astype("float32")
    histories = []
    for module in MODULES:
        d = module.distillation
        losses = [
            d.LogitsDistillation(3.0, module.losses.KLDivergence()),
            d.LogitsDistillation(2.0, "mse"),
            d.FeatureDistillation("mae", "hidden", "hidden"),
        ]
        weights = [1.0, 0.5, 0.25]
        distiller = d.Distiller(_model(module, 0.5), _model(module, 0.3), losses, weights, share)
        loss = module.losses.SparseCategoricalCrossentropy(from_logits=True)
        distiller.compile(module.optimizers.SGD(0.1), loss, metrics=["accuracy"])
        fit = distiller.fit(x, np.arange(12) % 3, 4, epochs=3, shuffle=False, verbose=0)
        results = distiller.evaluate(x, np.arange(12) % 3, verbose=0, return_dict=True)
        histories.append({**fit.history, **{f"test_{name}": [v] for name, v in results.items()}})
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], 1e-4, 1e-6, err_msg=name)


@pytest.mark.parametrize("writer", MODULES, ids=["ours", "keras"])
@pytest.mark.filterwarnings("ignore:.*compile:UserWarning")
def test_files_of_distillers_are_read_both_ways(tmp_path, writer):
    reader = keras if writer is keras_fn else keras_fn
    d = writer.distillation
    losses = [d.FeatureDistillation("mae", "hidden", "hidden"), d.LogitsDistillation()]
    distiller = d.Distiller(_model(writer, 0.5), _model(writer, 0.3), losses, [1.0, 2.0], 0.25)
    distiller.compile("sgd", "mse")
    x = MATRIX[:, :4]
    distiller.fit(x, np.ones((24, 3), "f"), verbose=0)
    distiller.save(tmp_path / "distiller.keras")
    again = reader.saving.load_model(tmp_path / "distiller.keras")
    for model, other in ((again, distiller), (again.teacher, distiller.teacher)):
        np.testing.assert_allclose(
            model.predict(x, verbose=0), other.predict(x, verbose=0), 1e-5, 1e-6
        )
    assert again.distillation_loss_weights == [1.0, 2.0]
    assert again.distillation_losses[0].teacher_layer_name == "hidden"
