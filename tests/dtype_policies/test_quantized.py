"""Policies of quantized layers: as in Keras 3.15.1, whose values are noted here."""

import json
from pathlib import Path

import pytest

import keras_fn as keras
from keras_fn import dtype_policies
from keras_fn.dtype_policies import (
    AWQDTypePolicy,
    DTypePolicy,
    DTypePolicyMap,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)
from keras_fn.errors import DTypeError, SpecError

FILES = Path(__file__).parents[1] / "fixtures" / "keras_files"

F32, F16, BF16 = "float32", "float16", "bfloat16"


@pytest.fixture(autouse=True)
def as_before():
    before = dtype_policies.dtype_policy()
    yield
    dtype_policies.set_dtype_policy(before)


# name, class, quantization_mode, compute dtype, variable dtype, numbers
NOTED = [
    ("int8_from_float32", QuantizedDTypePolicy, "int8", F32, F32, {}),
    ("int8_from_bfloat16", QuantizedDTypePolicy, "int8", BF16, BF16, {}),
    ("int8_from_float64", QuantizedDTypePolicy, "int8", "float64", "float64", {}),
    ("int8_from_mixed_bfloat16", QuantizedDTypePolicy, "int8", BF16, F32, {}),
    ("int4_from_float16", QuantizedDTypePolicy, "int4", F16, F16, {}),
    ("int4_from_mixed_bfloat16", QuantizedDTypePolicy, "int4", BF16, F32, {}),
    ("int4/128_from_mixed_bfloat16", Int4DTypePolicy, "int4", BF16, F32, {"block_size": 128}),
    ("int4/8_from_float16", Int4DTypePolicy, "int4", F16, F16, {"block_size": 8}),
    ("int4/-1_from_float32", Int4DTypePolicy, "int4", F32, F32, {"block_size": -1}),
    *(
        (name, QuantizedFloat8DTypePolicy, "float8", *dtypes, {"amax_history_length": 1024})
        for name, *dtypes in [
            ("float8_from_float32", F32, F32),
            ("float8_from_float16", F16, F16),
            ("float8_from_mixed_float16", F16, F32),
            ("float8_from_mixed_bfloat16", BF16, F32),
        ]
    ),
    *(
        (name, cls, mode, *dtypes, {"weight_bits": bits, "group_size": size})
        for name, cls, mode, *dtypes, bits, size in [
            ("gptq/4/128_from_float32", GPTQDTypePolicy, "gptq", F32, F32, 4, 128),
            ("gptq/4/-1_from_float32", GPTQDTypePolicy, "gptq", F32, F32, 4, -1),
            ("gptq/8/64_from_mixed_bfloat16", GPTQDTypePolicy, "gptq", BF16, F32, 8, 64),
            ("gptq/2/32_from_float32", GPTQDTypePolicy, "gptq", F32, F32, 2, 32),
            ("gptq/3/32_from_float32", GPTQDTypePolicy, "gptq", F32, F32, 3, 32),
            ("gptq/4/64_from_mixed_float16", GPTQDTypePolicy, "gptq", F16, F32, 4, 64),
            ("awq/4/128_from_float32", AWQDTypePolicy, "awq", F32, F32, 4, 128),
            ("awq/4/-1_from_mixed_bfloat16", AWQDTypePolicy, "awq", BF16, F32, 4, -1),
            ("awq/4/64_from_float16", AWQDTypePolicy, "awq", F16, F16, 4, 64),
        ]
    ),
]


@pytest.mark.parametrize(("name", "cls", "mode", "compute", "variable", "numbers"), NOTED)
def test_a_name(name, cls, mode, compute, variable, numbers):
    policy = dtype_policies.get(name)
    assert type(policy) is cls and isinstance(policy, QuantizedDTypePolicy)
    assert repr(policy) == f'<{cls.__name__} "{name}">' and policy.name == name
    assert policy.quantization_mode == policy.mode == mode
    assert (policy.compute_dtype, policy.variable_dtype) == (compute, variable)
    assert {key: getattr(policy, key) for key in numbers} == numbers


@pytest.mark.parametrize("name", [row[0] for row in NOTED])
def test_a_config(name):
    policy = dtype_policies.get(name)
    written, source = name.split("_from_")
    config = {"mode": written, "source_name": source}
    if written == "float8":
        config["amax_history_length"] = 1024
    assert policy.get_config() == config
    serialized = dtype_policies.serialize(policy)
    assert serialized == {
        "module": "keras.dtype_policies",
        "class_name": type(policy).__name__,
        "config": config,
        "registered_name": None,
    }
    alone = {key: serialized[key] for key in ("class_name", "config")}
    for again in (
        dtype_policies.deserialize(serialized),
        dtype_policies.get(json.loads(json.dumps(serialized))),
        dtype_policies.deserialize(alone),
        type(policy).from_config(config),
        type(policy)(written, source),
    ):
        assert again == policy and hash(again) == hash(policy)
        assert type(again) is type(policy) and again.get_config() == config


@pytest.mark.parametrize("mode", ["int8", "int4", "float8", "gptq", "awq"])
def test_the_class_of_all_modes(mode):
    policy = QuantizedDTypePolicy(mode, "float32")
    assert policy.name == f"{mode}_from_float32" and policy.quantization_mode == mode
    assert policy.get_config() == {"mode": mode, "source_name": "float32"}


@pytest.mark.parametrize(
    ("cls", "mode"),
    [
        (QuantizedDTypePolicy, "int8"),
        (QuantizedFloat8DTypePolicy, "float8"),
        (Int4DTypePolicy, "int4/128"),
        (GPTQDTypePolicy, "gptq/4/128"),
        (AWQDTypePolicy, "awq/4/128"),
    ],
)
def test_the_source_is_the_policy_of_the_process_by_default(cls, mode):
    assert cls(mode) == cls(mode, "float32") and cls(mode).name == f"{mode}_from_float32"
    dtype_policies.set_dtype_policy("mixed_bfloat16")
    assert cls(mode).get_config()["source_name"] == "mixed_bfloat16"
    assert cls(mode).name == f"{mode}_from_mixed_bfloat16"
    assert (cls(mode).compute_dtype, cls(mode).variable_dtype) == ("bfloat16", "float32")


def test_equality():
    assert QuantizedDTypePolicy("int8") != DTypePolicy("float32")
    assert DTypePolicy("float32") != QuantizedDTypePolicy("int8")
    assert QuantizedDTypePolicy("int4") == dtype_policies.get("int4_from_float32")
    assert QuantizedDTypePolicy("int4") != Int4DTypePolicy("int4/128")
    assert QuantizedDTypePolicy("float8") != QuantizedFloat8DTypePolicy("float8")
    assert AWQDTypePolicy("awq/4/128") != AWQDTypePolicy("awq/4/64")
    assert AWQDTypePolicy("awq/4/128") != GPTQDTypePolicy("gptq/4/128")
    eight = QuantizedFloat8DTypePolicy("float8")
    assert eight == QuantizedFloat8DTypePolicy("float8", None, 1024)
    assert eight != QuantizedFloat8DTypePolicy("float8", None, 3)
    again = dtype_policies.deserialize(
        dtype_policies.serialize(QuantizedFloat8DTypePolicy("float8", amax_history_length=3))
    )
    assert again.amax_history_length == 3


MALFORMED = [
    "int4/0", "int4/-2", "int4/None", "int4/abc", "int4/128/4", "int4/", "int4/1.5", "int4/1\n",
    "int8/128", "float8/3", "gptq/5/32", "gptq/1/32", "gptq/4/0", "gptq/4/-2", "gptq/4", "gptq",
    "gptq/a/b", "gptq/4/128/3", "awq/8/128", "awq/4/0", "awq/4/-2", "awq", "awq/4", "awq/a/b",
    "int2", "foo", "", "INT8", " int8", "int4/" + "9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("mode", MALFORMED)
def test_malformed_modes_are_refused(mode):
    with pytest.raises(SpecError, match="mode"):
        dtype_policies.get(f"{mode}_from_float32")
    with pytest.raises(ValueError, match="expected:"):
        dtype_policies.set_dtype_policy(f"{mode}_from_float32")


@pytest.mark.parametrize(
    "name",
    [
        "int8_from_", "int8_from", "int8_from_float31", "int8_from_int8_from_float32", "int4",
        "_from_float32", "float8", "gptq", "int8_x", "int8from_float32",
    ],
)  # fmt: skip
def test_malformed_names_are_refused(name):
    with pytest.raises(ValueError, match="expected:"):
        dtype_policies.get(name)


@pytest.mark.parametrize("mode", ["int8", "float8", "int4/128", "gptq/4/128", "awq/4/128", 3, None])
@pytest.mark.parametrize(
    ("cls", "own"),
    [(Int4DTypePolicy, "int4/"), (GPTQDTypePolicy, "gptq/"), (AWQDTypePolicy, "awq/")],
)
def test_a_class_takes_its_own_modes_only(cls, own, mode):
    if str(mode).startswith(own):
        assert cls(mode, "float32").get_config()["mode"] == mode
    else:
        with pytest.raises(SpecError, match=f"{cls.__name__}\n  expected: mode to be {own}"):
            cls(mode, "float32")


def test_sources_are_policies_without_quantization():
    with pytest.raises(TypeError, match="expected:"):
        QuantizedDTypePolicy("int8", 3)
    with pytest.raises(ValueError, match="expected:"):
        QuantizedDTypePolicy("int8", "int8_from_float32")
    dtype_policies.set_dtype_policy("int8_from_float32")
    with pytest.raises(ValueError, match="expected:"):
        QuantizedDTypePolicy("int8")


@pytest.mark.parametrize("source", ["float16", "mixed_float16"])
def test_int8_is_not_computed_in_float16(source):
    with pytest.raises(SpecError, match="range of float16"):
        dtype_policies.get(f"int8_from_{source}")


def test_the_length_of_the_history():
    for length in ("x", 1.5, None):
        with pytest.raises(DTypeError, match="amax_history_length"):
            QuantizedFloat8DTypePolicy("float8", None, length)
    with pytest.raises(SpecError, match="positive"):
        QuantizedFloat8DTypePolicy("float8", None, 0)


def test_the_policy_of_the_process():
    keras.config.set_dtype_policy("int4/128_from_float32")
    assert keras.config.dtype_policy() == Int4DTypePolicy("int4/128", "float32")
    with pytest.raises(SpecError, match="not quantized"):
        keras.layers.Flatten()
    assert keras.layers.Flatten(dtype="float32").compute_dtype == "float32"


def test_maps():
    policies = DTypePolicyMap("int8_from_float32", {"a": "int4/128_from_mixed_bfloat16"})
    assert policies.quantization_mode == "int8" and policies.name == "map_int8_from_float32"
    assert policies["a"] == Int4DTypePolicy("int4/128", "mixed_bfloat16")
    assert policies["b"] == QuantizedDTypePolicy("int8", "float32")
    assert DTypePolicyMap("float32", {"a": "int8_from_float32"}).quantization_mode is None
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again == policies and again["a"].block_size == 128


@pytest.mark.parametrize("name", ["int8_from_float32", "float8_from_mixed_float16"])
def test_layers_without_such_weights_refuse_quantized_policies(name):
    policy = dtype_policies.get(name)
    for dtype in (name, policy, dtype_policies.serialize(policy), DTypePolicyMap(name)):
        with pytest.raises(SpecError) as caught:
            keras.layers.Dropout(0.5, dtype=dtype, name="dropout")
        error = caught.value
        assert error.source == "Dropout layer 'dropout'"
        assert "no weights in this mode" in error.expected
        assert name in error.received and '"float32"' in error.fix
    chosen = DTypePolicyMap("float32", {"dropout": policy})
    layer = keras.layers.Dropout(0.5, dtype=chosen, name="dropout")
    with pytest.raises(SpecError, match="no weights in this mode"):
        layer(keras.Input((2,)))


def test_a_layer_has_some_modes():
    with pytest.raises(SpecError, match="or int8, or int4: the layer"):
        keras.layers.Embedding(3, 2, dtype="float8_from_float32")
