"""Quantization configs, their serialization, and the arguments of `quantize` that they resolve."""

import json

import pytest

from keras_fn.quantizers import (
    AbsMaxQuantizer,
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
    Quantizer,
    deserialize,
    get,
    serialize,
)
from keras_fn.quantizers.quantization_config import resolve_config

INT4 = AbsMaxQuantizer(axis=0, value_range=(-8, 7))
CONFIGS = [
    Quantizer("uint8"),
    AbsMaxQuantizer(axis=(0, 1), value_range=(-8, 7), epsilon=1e-3),
    QuantizationConfig(INT4),
    Int8QuantizationConfig(),
    Int8QuantizationConfig(AbsMaxQuantizer(0), None),
    Int4QuantizationConfig(),
    Int4QuantizationConfig(INT4, AbsMaxQuantizer(), block_size=None),
    Float8QuantizationConfig(),
    GPTQConfig(["text"], None, weight_bits=3, group_size=-1, activation_order=True),
    AWQConfig(["text"], None, num_grid_points=3),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_comes_back_from_json(config):
    written = serialize(config)
    again = deserialize(json.loads(json.dumps(written)))
    assert type(again) is type(config)
    assert json.dumps(serialize(again)) == json.dumps(written)


def test_data_and_layers_are_not_in_the_config():
    structure = {"sequential_blocks": [object()]}
    for cls in (GPTQConfig, AWQConfig):
        config = cls(["text"], len, quantization_layer_structure=structure)
        again = cls.from_config(config.get_config())
        assert again.dataset is again.tokenizer is again.quantization_layer_structure is None
        assert config.quantization_layer_structure is structure


def test_configs_of_earlier_versions_are_read():
    assert Int4QuantizationConfig.from_config({}).block_size is None
    assert isinstance(
        Float8QuantizationConfig.from_config({"weight_quantizer": None}), Float8QuantizationConfig
    )


def test_defaults():
    assert isinstance(Int8QuantizationConfig().activation_quantizer, AbsMaxQuantizer)
    assert Int4QuantizationConfig().activation_quantizer is None
    config = Int8QuantizationConfig(activation_quantizer=None)
    assert QuantizationConfig.weight_quantizer_or_default(config, INT4) is INT4
    assert QuantizationConfig.weight_quantizer_or_default(None, INT4) is INT4
    assert QuantizationConfig.activation_quantizer_or_default(config, INT4) is None
    assert QuantizationConfig.activation_quantizer_or_default(None, INT4) is INT4
    assert GPTQConfig(None, None, group_size=64).dtype_policy_string() == "gptq/4/64"


def test_get():
    assert get(None) is None
    assert get(INT4) is INT4
    assert get("abs_max_quantizer", axis=1).axis == (1,)
    assert get(AbsMaxQuantizer, value_range=(-8, 7)).value_range == (-8, 7)
    assert get(serialize(INT4)).get_config() == INT4.get_config()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("int8", None), Int8QuantizationConfig),
        (("int4", None), Int4QuantizationConfig),
        ((None, "float8"), Float8QuantizationConfig),
        ((None, Int8QuantizationConfig()), Int8QuantizationConfig),
        (("awq", AWQConfig(None, None)), AWQConfig),
    ],
)
def test_mode_and_config_are_resolved(arguments, kind):
    assert type(resolve_config(*arguments)) is kind


class NoMode(QuantizationConfig):
    pass


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Int8QuantizationConfig(INT4.__class__), "a quantizer"),
        (lambda: Int8QuantizationConfig(Quantizer("uint8")), "output_dtype='int8'"),
        (lambda: Int8QuantizationConfig(activation_quantizer="max"), "activation_quantizer"),
        (lambda: Int4QuantizationConfig(block_size=0), "block_size as a positive integer"),
        (lambda: Int4QuantizationConfig(INT4), "block_size=None or -1 with quantizers"),
        (lambda: Int4QuantizationConfig(AbsMaxQuantizer(), block_size=-1), "value_range="),
        (lambda: QuantizationConfig(3), "weight_quantizer"),
        (lambda: NoMode().mode, "mode"),
        (lambda: GPTQConfig(None, None, weight_bits=5), "weight_bits: 2 or 3 or 4 or 8"),
        (lambda: GPTQConfig(None, None, num_samples=0), "num_samples"),
        (lambda: GPTQConfig(None, None, sequence_length=-1), "sequence_length"),
        (lambda: GPTQConfig(None, None, hessian_damping=1.1), "hessian_damping"),
        (lambda: GPTQConfig(None, None, group_size=0), "group_size"),
        (lambda: GPTQConfig(None, None, symmetric="yes"), "symmetric"),
        (lambda: AWQConfig(None, None, weight_bits=8), "weight_bits: 4"),
        (lambda: AWQConfig(None, None, group_size=-2), "group_size"),
        (lambda: AWQConfig(None, None, num_grid_points=0), "num_grid_points"),
        (lambda: get("mistake"), "abs_max_quantizer"),
        (lambda: get(INT4, axis=1), "axis="),
        (lambda: resolve_config(None, None), "one of the modes"),
        (lambda: resolve_config("int5", None), "mode: 'int8'"),
        (lambda: resolve_config("gptq", None), "GPTQConfig"),
        (lambda: resolve_config("int8", Int4QuantizationConfig()), "config.mode: 'int8'"),
        (lambda: resolve_config(None, {"mode": "int8"}), "QuantizationConfig"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()
