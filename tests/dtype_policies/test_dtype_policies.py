"""Dtype policies: names, the one of the process, casts, maps."""

import numpy as np
import pytest

from keras_fn import dtype_policies, ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.dtype_policies import DTypePolicy, DTypePolicyMap, FloatDTypePolicy
from keras_fn.settings import set_floatx, settings


@pytest.fixture(autouse=True)
def as_before():
    before = settings.floatx
    yield
    set_floatx(before)


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
    ],
)
def test_dtypes(name, compute, variable):
    policy = dtype_policies.get(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, compute, variable)
    assert policy.quantization_mode is None
    again = dtype_policies.deserialize(dtype_policies.serialize(policy))
    assert again == policy and hash(again) == hash(policy)


def test_the_policy_of_the_process():
    assert DTypePolicy().name == "float32"
    dtype_policies.set_dtype_policy("mixed_bfloat16")
    assert dtype_policies.dtype_policy() == dtype_policies.get(None) == DTypePolicy()
    assert DTypePolicy().compute_dtype == "bfloat16"
    set_floatx("float16")
    assert dtype_policies.dtype_policy().name == "float16"
    dtype_policies.set_dtype_policy(DTypePolicy("float64"))
    assert dtype_policies.dtype_policy().name == "float64"


def test_equality():
    assert DTypePolicy("float32") == FloatDTypePolicy("float32")
    assert DTypePolicy("float32") != DTypePolicy("float16")
    assert DTypePolicy("float32") != DTypePolicyMap("float32")
    assert DTypePolicy("float32") != "float32"


@pytest.mark.parametrize("identifier", [np.float16, np.dtype("float16"), "float16"])
def test_get_takes_dtypes_in_any_form(identifier):
    assert dtype_policies.get(identifier).name == "float16"


@pytest.mark.parametrize("name", ["float31", "mixed_float8", 3])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"mixed_bfloat16|expected: a dtype"):
        dtype_policies.get(name)
    with pytest.raises(ValueError, match="mixed_bfloat16"):
        dtype_policies.set_dtype_policy(name)


def test_inputs_are_converted():
    policy = DTypePolicy("mixed_float16")
    for x in (np.ones(2, "float32"), ops.ones((2,)), Variable(np.ones(2, "float32"))):
        y = policy.convert_input(x, True, "float16")
        assert ops.is_tensor(y) and ops.dtype(y) == "float16"
        assert ops.dtype(policy.convert_input(x, False, "float16")) == "float32"
    integers = policy.convert_input(np.ones(2, "int32"), True, "float16")
    assert ops.is_tensor(integers) and ops.dtype(integers) == "int32"
    assert policy.convert_input(KerasTensor((2,)), True, "float16").dtype == "float16"
    assert policy.convert_input("text", True, "float16") == "text"


def test_a_map_goes_by_paths():
    policies = DTypePolicyMap("float32", {"encoder/dense": DTypePolicy("float16")})
    policies["decoder/.*"] = "mixed_bfloat16"
    assert policies["encoder/dense"].name == "float16"
    assert policies["decoder/dense_1"].name == "mixed_bfloat16"
    assert policies["other"].name == "float32"
    assert policies.name == "map_float32" and policies.compute_dtype == "float32"
    assert len(policies) == 2 and list(policies) == ["encoder/dense", "decoder/.*"]
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again == policies and again["decoder/x"].compute_dtype == "bfloat16"
    policies["dec.*"] = "float16"
    with pytest.raises(ValueError, match="one key"):
        policies["decoder/dense"]
    del policies["dec.*"]
    with pytest.raises(ValueError, match="each key once"):
        policies["decoder/.*"] = "float16"


def test_a_map_is_written_as_keras_does():
    policies = DTypePolicyMap("float32", {"a": DTypePolicy("mixed_float16")})
    assert dtype_policies.serialize(policies) == {
        "module": "keras.dtype_policies",
        "class_name": "DTypePolicyMap",
        "config": {
            "default_policy": "float32",
            "policy_map": {
                "a": {
                    "module": "keras",
                    "class_name": "DTypePolicy",
                    "config": {"name": "mixed_float16"},
                    "registered_name": None,
                }
            },
        },
        "registered_name": None,
    }


def test_maps_do_not_nest():
    with pytest.raises(ValueError, match="one policy"):
        DTypePolicyMap(DTypePolicyMap())
    with pytest.raises(TypeError, match="dict"):
        DTypePolicyMap(None, [])
