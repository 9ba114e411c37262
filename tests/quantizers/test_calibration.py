"""GPTQ and AWQ: the rounding of a kernel, the samples, and the calibration of a model."""

import itertools

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.quantizers import AWQConfig, GPTQConfig
from keras_fn.quantizers.awq import MagnitudeStatistics
from keras_fn.quantizers.calibration import calibrate, read_samples
from keras_fn.quantizers.gptq import HessianStatistics, gptq_quantize

rng = np.random.default_rng(0)
INPUTS, OUTPUTS = 40, 12
KERNEL = rng.normal(size=(INPUTS, OUTPUTS)).astype("float32") * 0.1
X = rng.normal(size=(300, 8)) @ rng.normal(size=(8, INPUTS))
X = ((X + 0.3 * rng.normal(size=X.shape)) * rng.uniform(0.1, 3, INPUTS)).astype("float32")


def gathered(cls):
    statistics = cls(INPUTS)
    for start in (0, 50, 200):
        end = {0: 50, 50: 200, 200: 300}[start]
        statistics.update(ops.convert_to_tensor(X[start:end]))
    return statistics


def error(quantized):
    """The squared error of the outputs, relative to their square."""
    expected = X @ KERNEL
    return np.mean((X @ quantized.dequantize().T - expected) ** 2) / np.mean(expected**2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation_order": True, "symmetric": True},
        {"group_size": -1},
        {"per_channel": False},
    ],
)
def test_gptq_has_a_smaller_error_than_rounding(options):
    config = GPTQConfig(None, None, **{"group_size": 16, **options})
    statistics = gathered(HessianStatistics)
    hessian = 2 * X.T @ X / len(X)
    np.testing.assert_allclose(2 * ops.convert_to_numpy(statistics.value), hessian, 1e-3, 1e-3)
    quantized = statistics.quantize(KERNEL, config)
    groups = 1 if config.group_size == -1 else 3
    assert quantized.codes.shape == (OUTPUTS, INPUTS) and quantized.codes.max() <= 15
    assert quantized.scale.shape == quantized.zero_point.shape == (OUTPUTS, groups)
    assert set(quantized.group_index) == set(range(groups))
    # With inputs that are not correlated, nothing can make up for an error.
    rounded = gptq_quantize(KERNEL, np.diag(np.diag(hessian)), config)
    assert error(quantized) < 0.5 * error(rounded)
    step = quantized.scale[:, quantized.group_index.astype(int)]
    assert np.all(np.abs(rounded.dequantize() - KERNEL.T) < 1.5 * step)


def test_gptq_rounds_in_the_best_way_where_one_weight_is_left():
    """Given all codes but the last one, GPTQ finds the best last one."""
    config = GPTQConfig(None, None, weight_bits=2, group_size=-1, hessian_damping=0.0)
    x = X[:, :3]
    quantized = gptq_quantize(KERNEL[:3, :1], 2 * x.T @ x / len(x), config)
    codes, found = quantized.codes[0].copy(), []
    for code in range(4):
        codes[-1] = code
        weights = quantized.scale[0, 0] * (codes - float(quantized.zero_point[0, 0]))
        found.append(np.sum((x @ (weights - KERNEL[:3, 0])) ** 2))
    assert np.argmin(found) == quantized.codes[0, -1]


def test_awq_has_a_smaller_error_than_rounding():
    statistics = gathered(MagnitudeStatistics)
    np.testing.assert_allclose(
        ops.convert_to_numpy(statistics.magnitudes), np.abs(X).mean(0), rtol=1e-5
    )
    errors = []
    for points in (1, 20):
        config = AWQConfig(None, None, group_size=16, num_grid_points=points)
        errors.append(error(statistics.quantize(KERNEL, config)))
    statistics.magnitudes = ops.ones((INPUTS,))
    rounded = error(statistics.quantize(KERNEL, AWQConfig(None, None, group_size=16)))
    assert errors[1] <= errors[0] <= rounded * 1.0001
    assert errors[1] < 0.8 * rounded


def test_a_hessian_that_cannot_be_inverted():
    config = GPTQConfig(None, None, hessian_damping=0.0)
    with pytest.raises(ValueError, match="use a larger hessian_damping"):
        gptq_quantize(KERNEL, np.ones((INPUTS, INPUTS)), config)


# ---------------------------------------------------------------- samples


class Words:
    def tokenize(self, text):
        return [len(word) for word in text.split()]


@pytest.mark.parametrize(
    ("dataset", "tokenizer"),
    [
        (["a bb ccc", "dddd eeeee"], Words()),
        (["a bb ccc", "dddd eeeee"], Words().tokenize),
        (iter(["a bb ccc dddd eeeee"]), Words()),
        ([[1, 2, 3], np.array([[4], [5]])], None),
        (np.arange(1, 6), None),
    ],
)
def test_samples_are_windows_of_the_tokens(dataset, tokenizer):
    config = GPTQConfig(dataset, tokenizer, num_samples=3, sequence_length=2)
    samples = read_samples(config)
    assert samples.dtype == np.int32
    tokens = "".join(map(str, itertools.islice(itertools.cycle([1, 2, 3, 4, 5]), 12)))
    assert samples.shape == (3, 2)
    assert all("".join(map(str, sample)) in tokens for sample in samples)
    assert len({tuple(sample) for sample in samples}) == 3


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (None, "a data set"),
        ("text", "dataset: an iterable"),
        ([], "with tokens"),
        (["a"], "tokenizer"),
        ([[1, 2], [0.5, 3]], "token ids, as 0.5"),
    ],
)
def test_data_that_do_not_fit_are_refused(dataset, words):
    with pytest.raises((ValueError, TypeError), match=words):
        read_samples(AWQConfig(dataset, None))
    with pytest.raises(ValueError, match="the layers of the model in order"):
        calibrate(AWQConfig([[1]], None), {"pre_block_layers": []}, np.zeros((1, 1)))


# ---------------------------------------------------------------- models


class Block(layers.Layer):
    """Projections to heads and back, as attention has them, and a skip connection."""

    def __init__(self, **options):
        super().__init__(**options)
        self.heads = layers.EinsumDense("abc,cde->abde", (8, 2, 8), name="heads")
        self.output_layer = layers.EinsumDense("abde,dec->abc", (8, 16), name="output")

    def build(self, shape):
        self.heads.build(shape)
        self.output_layer.build((*shape[:-1], 2, 8))

    def call(self, x):
        return x + self.output_layer(self.heads(x))


def transformer():
    tokens = keras.Input((8,), dtype="int32")
    embedding = layers.Embedding(20, 16)
    x = embedding(tokens)
    graph = keras.Sequential([keras.Input((8, 16)), layers.Dense(16, "relu"), layers.Dense(16)])
    blocks = [Block(name="block"), graph]
    for block in blocks:
        x = block(x)
    model = keras.Model(tokens, layers.Dense(20, name="head")(x))
    values = np.random.default_rng(0)
    model.set_weights([values.normal(size=w.shape) * 0.4 for w in model.get_weights()])
    return model, {"pre_block_layers": [embedding], "sequential_blocks": blocks}


TOKENS = np.random.default_rng(1).integers(0, 20, (24, 8))


@pytest.mark.filterwarnings("ignore:.*these layers do not have")
@pytest.mark.parametrize("cls", [GPTQConfig, AWQConfig])
def test_the_layers_of_the_blocks_are_calibrated(cls):
    model, structure = transformer()
    expected = ops.convert_to_numpy(model(TOKENS))
    config = cls(
        TOKENS,
        None,
        num_samples=24,
        sequence_length=8,
        group_size=8,
        quantization_layer_structure=structure,
    )
    model.quantize(config=config)
    found = ops.convert_to_numpy(model(TOKENS))
    assert 0 < np.mean((found - expected) ** 2) < 0.01 * np.var(expected)
    block, graph = structure["sequential_blocks"]
    quantized = [block.heads, block.output_layer, *graph.layers]
    assert {layer.quantization_mode for layer in quantized} == {config.mode}
    assert model.get_layer("head").quantization_mode is None
    assert all("call" not in vars(layer) for layer in quantized)


class Experts(layers.Layer):
    """A layer whose second expert receives no samples in the first call."""

    def __init__(self):
        super().__init__()
        self.experts = [layers.Dense(2), layers.Dense(2)]
        self.starts = iter([8, 0])  # batches have 8 samples

    def build(self, shape):
        for expert in self.experts:
            expert.build(shape)

    def call(self, x):
        start = next(self.starts)
        return self.experts[0](x) + ops.sum(self.experts[1](x[start:]))


def test_an_expert_may_receive_no_samples():
    block = Experts()
    block.build((None, 4))
    for expert in block.experts:
        expert.quantize(config=AWQConfig(None, None))
    config = AWQConfig(None, None, num_samples=12, sequence_length=4)
    samples = np.ones((12, 4), "int32")
    calibrate(config, {"sequential_blocks": [block]}, samples)
    assert all(
        np.isfinite(ops.convert_to_numpy(expert._quantized.dequantize())).all()
        for expert in block.experts
    )
