"""LoRA and quantization next to real Keras, in the same process: outputs, weights, configs, files.

`nox -s "parity(jax)"` runs it. Each layer has the same weights in both; the quantized numbers are
compared one by one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from real_keras import keras

import keras_fn
from keras_fn.core.naming import reset_names

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
BOTH = (keras_fn, keras)
RNG = np.random.default_rng(0)


class Case(NamedTuple):
    """A layer, its input, and arguments of its call."""

    cls: str
    arguments: dict[str, Any]
    x: np.ndarray
    options: Mapping[str, Any] = MappingProxyType({})

    def make(self, package: Any, **more: Any) -> Any:
        layer = getattr(package.layers, self.cls)(**self.arguments, **more, name="layer")
        layer.build(self.shape)
        return layer

    @property
    def shape(self) -> tuple[int, ...]:
        return self.x.shape

    def run(self, package: Any, layer: Any, **options: Any) -> np.ndarray:
        outputs = layer(self.x, **self.options, **options)
        return np.asarray(package.ops.convert_to_numpy(outputs))


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def mixed(*shape: int) -> np.ndarray:
    """Returns numbers of alternating signs: Keras clips those of blocks of one sign."""
    signs = np.where(np.indices(shape).sum(axis=0) % 2, 1.0, -1.0) if shape else 1.0
    return (signs * np.abs(floats(*shape))).astype("float32")


IDS = np.array([[1, 2, 6], [0, 3, 5]])
CASES = {
    "dense": Case("Dense", {"units": 5, "activation": "tanh"}, floats(3, 6)),
    "dense_3d": Case("Dense", {"units": 4, "use_bias": False}, floats(2, 3, 6)),
    "projection": Case(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (None, 3, 4), "bias_axes": "de"},
        floats(2, 5, 16),
    ),
    "attention_output": Case(
        "EinsumDense",
        {"equation": "abcd,cde->abe", "output_shape": (None, 16), "bias_axes": "e"},
        floats(2, 5, 3, 4),
    ),
    "matrix": Case("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 5}, floats(3, 6)),
    "embedding": Case("Embedding", {"input_dim": 7, "output_dim": 5}, IDS),
    "reversible": Case("ReversibleEmbedding", {"input_dim": 7, "output_dim": 5}, IDS),
    "reverse": Case(
        "ReversibleEmbedding",
        {"input_dim": 7, "output_dim": 5, "logit_soft_cap": 2.0},
        floats(2, 3, 5),
        {"reverse": True},
    ),
    "untied": Case(
        "ReversibleEmbedding",
        {"input_dim": 7, "output_dim": 6, "tie_weights": False},
        floats(2, 3, 6),
        {"reverse": True},
    ),
}
ADAPTED = {
    **{name: case for name, case in CASES.items() if name != "untied"},
    "conv1d": Case("Conv1D", {"filters": 4, "kernel_size": 3}, floats(2, 7, 3)),
    "conv2d": Case("Conv2D", {"filters": 4, "kernel_size": 2, "groups": 2}, floats(2, 5, 5, 4)),
    "conv3d": Case("Conv3D", {"filters": 2, "kernel_size": 2}, floats(1, 3, 3, 3, 2)),
}
MODES = {
    "int8": lambda q: q.Int8QuantizationConfig(),
    "int8_weights": lambda q: q.Int8QuantizationConfig(activation_quantizer=None),
    "int8_range": lambda q: q.Int8QuantizationConfig(
        activation_quantizer=q.AbsMaxQuantizer(value_range=(-63, 63))
    ),
    "int4_blocks": lambda q: q.Int4QuantizationConfig(block_size=4),
    "int4_default": lambda q: q.Int4QuantizationConfig(),
    "int4_channels": lambda q: q.Int4QuantizationConfig(block_size=None),
    "float8": lambda q: q.Float8QuantizationConfig(),
}


def pair(case: Case, **more: Any) -> tuple[Any, Any]:
    """Returns our layer and Keras's, with the same weights."""
    ours, theirs = (case.make(package, **more) for package in BOTH)
    values = [mixed(*v.shape) for v in theirs.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    return ours, theirs


def described(layer: Any) -> list[Any]:
    return [[v.path, tuple(v.shape), str(v.dtype), v.trainable] for v in layer.weights]


def config_of(layer: Any) -> dict[str, Any]:
    """Returns the config, without the modules that differ by how a class is exported."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            skipped = ("module", "registered_name")
            return {k: plain(v) for k, v in value.items() if k not in skipped}
        return list(map(plain, value)) if isinstance(value, (list, tuple)) else value

    return plain(layer.get_config())


def stored(layer: Any) -> dict[str, np.ndarray]:
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    package = keras if isinstance(layer, keras.Layer) else keras_fn
    return {
        key: np.asarray(v.numpy() if hasattr(v, "path") else package.ops.convert_to_numpy(v))
        for key, v in store.items()
    }


def assert_same_store(ours: Any, theirs: Any, tolerance: float = 1e-6) -> None:
    ours, theirs = stored(ours), stored(theirs)
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        assert ours[key].shape == value.shape and ours[key].dtype == value.dtype, key
        if value.dtype.kind == "f":
            np.testing.assert_allclose(ours[key], value, tolerance, tolerance, err_msg=key)
        else:
            np.testing.assert_array_equal(ours[key], value, key)


# ---------------------------------------------------------------- low-rank adaptation


@pytest.mark.parametrize("name", ADAPTED)
def test_lora_is_what_it_is_in_keras(name):
    case = ADAPTED[name]
    reset_names()
    layers = ours, theirs = pair(case)
    for layer in layers:
        layer.enable_lora(2, lora_alpha=3)
    assert described(ours) == described(theirs)
    values = [floats(*v.shape) for v in theirs.weights]
    for layer in layers:
        layer.set_weights(values)
    outputs = [case.run(package, layer) for package, layer in zip(BOTH, layers, strict=True)]
    np.testing.assert_allclose(*outputs, 2e-5, 2e-5)
    assert config_of(ours) == config_of(theirs)
    assert_same_store(ours, theirs, 1e-5)
    # A file of either is read by the other.
    for written, (package, read) in zip(
        (theirs, ours), zip(BOTH, layers, strict=True), strict=True
    ):
        again = type(read).from_config(read.get_config())
        again.build(case.shape)
        again.load_own_variables(stored(written))
        np.testing.assert_allclose(case.run(package, again), outputs[0], 2e-5, 2e-5)


@pytest.mark.parametrize("name", ["dense", "embedding", "conv2d"])
def test_the_argument_of_the_constructor_gives_the_same_weights(name):
    ours, theirs = pair(ADAPTED[name], lora_rank=2)
    assert described(ours) == described(theirs)
    assert config_of(ours) == config_of(theirs)


# ---------------------------------------------------------------- quantization


def quantized(case: Case, mode: str) -> tuple[Any, Any] | None:
    """Returns both layers quantized; None where Keras does not have the mode."""
    layers = ours, theirs = pair(case)
    try:
        theirs.quantize(config=MODES[mode](keras.quantizers))
    except NotImplementedError:
        with pytest.raises(NotImplementedError):
            ours.quantize(config=MODES[mode](keras_fn.quantizers))
        return None
    ours.quantize(config=MODES[mode](keras_fn.quantizers))
    return layers


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_a_quantized_layer_is_what_it_is_in_keras(name, mode):
    case = CASES[name]
    reset_names()
    layers = quantized(case, mode)
    if layers is None:
        return
    ours, theirs = layers
    assert described(ours) == described(theirs)
    assert ours.dtype_policy.name == theirs.dtype_policy.name
    assert config_of(ours) == config_of(theirs)
    assert_same_store(ours, theirs)
    outputs = [case.run(package, layer) for package, layer in zip(BOTH, layers, strict=True)]
    tolerance = 1e-2 if mode == "float8" else 1e-4  # there Keras rounds the bias to bfloat16
    np.testing.assert_allclose(*outputs, tolerance, tolerance)
    # A layer of the config and the weights of the other one is the same.
    for written, (package, read) in zip(
        (theirs, ours), zip(BOTH, layers, strict=True), strict=True
    ):
        again = type(read).from_config(read.get_config())
        again.build(case.shape)
        again.load_own_variables(stored(written))
        np.testing.assert_allclose(case.run(package, again), outputs[0], tolerance, tolerance)


@pytest.mark.parametrize("mode", ["int8", "int4_blocks", "int4_channels"])
@pytest.mark.parametrize("name", ["dense", "projection", "embedding", "reverse"])
def test_lora_on_a_quantized_layer_is_what_it_is_in_keras(name, mode):
    case = CASES[name]
    layers = quantized(case, mode)
    assert layers is not None
    factors = None
    for layer in layers:
        layer.enable_lora(2, lora_alpha=4)
        pair_of_factors = [v for v in layer.weights if v.name.startswith("lora")]
        factors = factors or [0.05 * floats(*v.shape) for v in pair_of_factors]
        for variable, value in zip(pair_of_factors, factors, strict=True):
            variable.assign(value)
    ours, theirs = layers
    assert described(ours) == described(theirs)
    if name != "reverse":  # Keras computes without the update
        outputs = [case.run(package, layer) for package, layer in zip(BOTH, layers, strict=True)]
        np.testing.assert_allclose(*outputs, 1e-4, 1e-4)
    if (name, mode) != ("projection", "int4_blocks"):  # the sum has blocks of one sign
        assert_same_store(ours, theirs, 1e-5)


# ---------------------------------------------------------------- whole models and files


def model(package: Any) -> Any:
    inputs = package.Input((4,), dtype="int32")
    x = package.layers.Embedding(9, 8, name="embedding")(inputs)
    x = package.layers.Dense(8, activation="relu", name="hidden")(x)
    x = package.layers.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d", name="product")(x)
    return package.Model(inputs, package.layers.Dense(3, name="head")(x), name="model")


@pytest.mark.parametrize("kind", ["lora", "int8", "int4", "float8"])
@pytest.mark.parametrize("writer", [0, 1])
def test_a_file_is_read_by_the_other(kind, writer, tmp_path):
    written, read = BOTH[writer], BOTH[1 - writer]
    one = model(written)
    x = np.random.default_rng(1).integers(0, 9, (5, 4)).astype("int32")
    if kind == "lora":
        for name in ("embedding", "hidden", "product"):
            layer = one.get_layer(name)
            layer.enable_lora(2)
            for variable in layer.weights:
                if variable.name.startswith("lora"):
                    variable.assign(floats(*variable.shape))
    else:
        one.quantize(kind)
    expected = one.predict(x, verbose=0)
    one.save(tmp_path / "model.keras")
    two = read.models.load_model(tmp_path / "model.keras")
    tolerance = 1e-2 if kind == "float8" else 1e-4
    np.testing.assert_allclose(two.predict(x, verbose=0), expected, tolerance, tolerance)
    one.save_weights(tmp_path / "model.weights.h5")
    three = read.models.load_model(tmp_path / "model.keras")
    three.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(three.predict(x, verbose=0), expected, tolerance, tolerance)


@pytest.mark.parametrize("mode", ["gptq", "awq"])
@pytest.mark.parametrize("writer", [0, 1])
def test_a_calibrated_model_is_read_by_the_other(mode, writer, tmp_path):
    written, read = BOTH[writer], BOTH[1 - writer]
    one = model(written)
    tokens = np.random.default_rng(2).integers(0, 9, (4, 4))
    cls = {"gptq": "GPTQConfig", "awq": "AWQConfig"}[mode]
    head = one.get_layer("head")
    config = getattr(written.quantizers, cls)(
        dataset=["a"] * 4,
        tokenizer=lambda text: tokens.reshape(1, -1),
        num_samples=4,
        sequence_length=4,
        group_size=4,
        quantization_layer_structure={
            "pre_block_layers": [one.get_layer("embedding")],
            "sequential_blocks": [one.get_layer("hidden"), one.get_layer("product"), head],
        },
    )
    if written is keras:  # whose blocks return tuples, and whose configs write the layers
        config.quantization_layer_structure = None
        for name in ("hidden", "product", "head"):
            one.get_layer(name).quantize(mode, config=config)
        calibrate_in_keras(config, one, mode)
    else:
        one.quantize(mode, config=config)
    x = tokens.astype("int32")
    expected = one.predict(x, verbose=0)
    one.save(tmp_path / "model.keras")
    if written is keras:  # its files lack the zero points
        with pytest.raises(ValueError, match=r"variables|kernel_zero"):
            keras.models.load_model(tmp_path / "model.keras")
        with pytest.raises(ValueError, match="kernel_zero"):
            keras_fn.models.load_model(tmp_path / "model.keras")
        return
    two = read.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(two.predict(x, verbose=0), expected, 1e-4, 1e-4)


def calibrate_in_keras(config: Any, one: Any, mode: str) -> None:
    """Calibrates three layers of a Keras model, each on inputs of random numbers."""
    from keras.src.quantizers.awq import AWQ
    from keras.src.quantizers.gptq import GPTQ

    for name in ("hidden", "product", "head"):
        layer = one.get_layer(name)
        inputs = keras.ops.convert_to_tensor(floats(32, layer.kernel.shape[0]))
        if mode == "gptq":
            calibration = GPTQ(layer, config)
            calibration.update_hessian_with_batch(inputs)
            calibration.quantize_and_correct_layer()
        else:
            calibration = AWQ(layer, config)
            calibration.update_activation_magnitudes(inputs)
            calibration.quantize_layer()
