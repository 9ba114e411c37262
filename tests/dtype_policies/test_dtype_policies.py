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


@pytest.mark.parametrize(
    "form", [np.float16, np.dtype("float16"), "float16", DTypePolicy("float16")]
)
def test_a_map_takes_dtypes_in_any_form(form):
    policies = DTypePolicyMap(form, {"a": form})
    policies["b"] = form
    assert {policies[path].name for path in "abc"} == {"float16"}
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again == policies and again.default_policy.name == "float16"
    for wrong in (123, "foo", object(), [1]):
        with pytest.raises(ValueError, match=r"DTypePolicy|dtype"):
            policies["n"] = wrong
    assert "n" not in policies


def test_a_map_keeps_the_default_that_it_was_created_with():
    policies = DTypePolicyMap()
    policies["a"] = "float16"
    dtype_policies.set_dtype_policy("bfloat16")
    assert policies.default_policy.name == "float32" and policies["z"].name == "float32"
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again.default_policy.name == "bfloat16" and again["a"].name == "float16"


def test_a_map_is_a_mutable_mapping():
    policies = DTypePolicyMap("float32", {"a/b": DTypePolicy("float16"), "c/.*": "bfloat16"})
    assert "c/d" not in policies and "a/b" in policies
    assert policies.get("c/d", None).name == "bfloat16" and policies.get("z").name == "float32"
    assert policies.pop("a/b").name == "float16" and policies["a/b"].name == "float32"
    with pytest.raises(KeyError):
        del policies["a/b"]
    policies.update({"u": "float64"})
    assert [(path, policy.name) for path, policy in policies.items()] == [
        ("c/.*", "bfloat16"), ("u", "float64")]  # fmt: skip
    text = (
        "<DTypePolicyMap default_policy=float32, mapping=[('c/.*', 'bfloat16'), ('u', 'float64')]>"
    )
    assert repr(policies) == text


def test_a_name_is_deserialized_and_none_is_no_global_policy():
    assert dtype_policies.deserialize("mixed_float16") == DTypePolicy("mixed_float16")
    assert dtype_policies.deserialize("DTypePolicy").name == "float32"
    dtype_policies.set_dtype_policy(np.float16)
    assert dtype_policies.dtype_policy().name == "float16"
    for wrong in (None, 3, "foo"):
        with pytest.raises(ValueError, match=r"DTypePolicy|dtype"):
            dtype_policies.set_dtype_policy(wrong)
