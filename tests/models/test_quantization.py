"""`Model.quantize`: which layers, files that Keras wrote, compiled functions, calibration."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import SpecError
from keras_fn.quantizers import AWQConfig, GPTQConfig, Int4QuantizationConfig

FILES = Path(__file__).parents[1] / "fixtures" / "keras_quantized"
IDS = np.arange(12).reshape(3, 4) % 7


@pytest.fixture(autouse=True)
def _same_weights():
    keras.utils.set_random_seed(0)


def model() -> Any:
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(7, 6, name="embedding")(inputs)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    return keras.Model(inputs, layers.Dense(4, name="head")(x), name="net")


def modes(net: Any) -> dict[str, str | None]:
    return {layer.name: layer.quantization_mode for layer in net._flatten_layers() if layer.weights}


def test_a_file_of_keras_computes_what_it_did_there():
    net = keras.models.load_model(FILES / "quantized.keras")
    x = np.arange(20).reshape(5, 4) % 9
    expected = np.load(FILES / "outputs.npy")
    np.testing.assert_allclose(net.predict(x, verbose=0), expected, 1e-4, 1e-3)
    assert net.get_layer("head").lora_enabled
    found = {name: mode for name, mode in modes(net).items() if mode}
    assert found == {"embedding": "int8", "hidden": "int4", "product": "int8", "float8": "float8"}
    assert net.get_layer("hidden").quantization_config.block_size == 4


def test_a_quantized_model_is_compiled_anew():
    net = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    x = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    expected = net.predict(x, verbose=0)
    for _ in range(3):
        net(ops.convert_to_tensor(x))
    net.quantize("int8")
    outputs = net.predict(x, verbose=0)
    np.testing.assert_allclose(ops.convert_to_numpy(net(x)), outputs, 1e-5, 1e-6)
    assert 0 < np.abs(outputs - expected).max() < 0.1


def test_a_quantized_model_is_read_again(tmp_path):
    net = model()
    expected = net.predict(IDS, verbose=0)
    with pytest.warns(UserWarning, match=r"norm \(LayerNormalization\)"):
        net.quantize("int8")
    outputs = net.predict(IDS, verbose=0)
    assert 0 < np.abs(outputs - expected).max() < 0.1
    assert {m for name, m in modes(net).items() if name in ("embedding", "query", "head")} == {
        "int8"
    }
    net.save(tmp_path / "net.keras")  # with a policy for each layer inside of the attention
    again = keras.models.load_model(tmp_path / "net.keras")
    assert modes(again) == modes(net)
    np.testing.assert_allclose(again.predict(IDS, verbose=0), outputs, 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ("^head$", {"head"}),
        (["emb", "key"], {"embedding", "key"}),
        (
            lambda layer: isinstance(layer, layers.EinsumDense),
            {"query", "key", "value", "attention_output"},
        ),
    ],
)
def test_filters_choose_layers(filters, chosen):
    net = model()
    net.quantize(config=Int4QuantizationConfig(block_size=2), filters=filters)
    assert {name for name, mode in modes(net).items() if mode} == chosen


def test_no_layer_changes_where_one_cannot():
    net = model()
    net.quantize("int8", filters="head")
    with pytest.raises(SpecError, match="Dense layer 'head'"):
        net.quantize("int4")
    assert modes(net)["embedding"] is None


def test_no_layer_waits_for_data_that_are_missing():
    net = model()
    blocks = {"sequential_blocks": [net.get_layer("attention"), net.get_layer("head")]}
    with pytest.raises(ValueError, match="a data set"):
        net.quantize(config=GPTQConfig(None, None, quantization_layer_structure=blocks))
    net.get_layer("head").enable_lora(2)
    with pytest.raises(ValueError, match="low-rank"):
        net.quantize(config=GPTQConfig([[1]], None, quantization_layer_structure=blocks))
    assert {*modes(net).values()} == {None}


@pytest.mark.parametrize("cls", [GPTQConfig, AWQConfig])
def test_layers_of_blocks_are_calibrated(cls, tmp_path):
    table, norm, head = layers.Embedding(7, 6), layers.LayerNormalization(), layers.Dense(4)
    net = keras.Sequential([keras.Input((4,), dtype="int32"), table, norm, head])
    expected = ops.convert_to_numpy(net(IDS))
    structure = {"pre_block_layers": [table, norm], "sequential_blocks": [head]}
    config = cls(
        dataset=[[1, 2, 3, 4, 5, 6, 0, 1]],
        tokenizer=None,
        num_samples=2,
        sequence_length=4,
        group_size=3,
        quantization_layer_structure=structure,
    )
    net.quantize(config=config)
    assert {name: mode for name, mode in modes(net).items() if mode} == {head.name: config.mode}
    outputs = ops.convert_to_numpy(net(IDS))
    assert 0 < np.abs(outputs - expected).max() < 0.3 * np.abs(expected).max()
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(ops.convert_to_numpy(again(IDS)), outputs, 1e-5, 1e-6)


class WithStructure(keras.Model):
    """A model that names its blocks."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.table, self.block = layers.Embedding(7, 6), layers.Dense(6)

    def call(self, inputs: Any) -> Any:
        return self.block(self.table(inputs))

    def get_quantization_layer_structure(self, mode: str | None = None) -> dict[str, Any]:
        return {"pre_block_layers": [self.table], "sequential_blocks": [self.block]}


def test_a_model_names_its_blocks():
    net = WithStructure()
    net(IDS)
    config = GPTQConfig(["ab"], lambda text: [1, 2, 3, 4], num_samples=1, sequence_length=4)
    net.quantize("gptq", config=config)
    assert net.block.is_gptq_calibrated and net.table.quantization_mode is None
    with pytest.raises(SpecError, match="sequential_blocks"):
        model().quantize("gptq", config=config)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "int2"}, ValueError, "int2"),
        ({"mode": "int8", "filters": 3}, TypeError, "filters"),
        ({"mode": "int8", "filters": "("}, ValueError, "regular expression"),
        ({"mode": "int8", "typecheck": False}, TypeError, "type_check"),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        model().quantize(**options)


def test_a_model_without_such_layers_says_so():
    net = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 2)])
    with pytest.warns(UserWarning, match=r"no layer was quantized to int8. conv2d"):
        net.quantize("int8")
