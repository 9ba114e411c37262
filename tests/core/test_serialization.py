"""Configs: Keras's forms, round trips, roles, and everything that a config may not do."""

import json

import numpy as np
import pytest

from keras_fn import activations, dtype_policies, initializers, ops, regularizers
from keras_fn.core import registry
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.object_sharing import ObjectSharingScope
from keras_fn.core.registry import CustomObjectScope, register_keras_serializable
from keras_fn.core.serialization import (
    deserialize_as,
    deserialize_keras_object,
    serialize_keras_object,
)
from keras_fn.layers import Dense


class Pair:
    """An object of the program's own, with every hook."""

    def __init__(self, a, b=None):
        self.a, self.b = a, b
        self.built = False
        self.compiled_with = None

    def get_config(self):
        return {"a": self.a, "b": self.b}

    @classmethod
    def from_config(cls, config):
        return cls(**deserialize_keras_object(config))

    def get_build_config(self):
        return {"input_shape": (None, 3)}

    def build_from_config(self, config):
        self.build_config = config

    def get_compile_config(self):
        return {"optimizer": "adam"}

    def compile_from_config(self, config):
        self.compiled_with = config


def through_json(config):
    return json.loads(json.dumps(config))


FORMS = [  # noted from Keras 3.15
    (3, 3),
    ("text", "text"),
    (None, None),
    (True, True),
    ([1, [2.5]], [1, [2.5]]),
    ((1, (2, 3)), (1, (2, 3))),
    ({"a": (1,)}, {"a": (1,)}),
    (np.float32(3), 3.0),
    (np.int64(3), 3),
    (b"ab", {"class_name": "__bytes__", "config": {"value": "ab"}}),
    (..., {"class_name": "__ellipsis__", "config": {}}),
    (
        slice(1, None),
        {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": None}},
    ),
    (
        np.ones(2),
        {"class_name": "__numpy__", "config": {"value": [1.0, 1.0], "dtype": "float64"}},
    ),
]


@pytest.mark.parametrize(("obj", "form"), FORMS)
def test_forms_are_keras_own_and_come_back(obj, form):
    assert serialize_keras_object(obj) == form
    again = deserialize_keras_object(through_json(form))
    expected = through_json(form) if isinstance(obj, (list, tuple, dict)) else obj
    np.testing.assert_equal(again, expected)


def test_tensors():
    config = serialize_keras_object(ops.convert_to_tensor([1.0, 2.0], dtype="bfloat16"))
    assert config == {
        "class_name": "__tensor__",
        "config": {"value": [1.0, 2.0], "dtype": "bfloat16"},
    }
    again = deserialize_keras_object(through_json(config))
    assert ops.is_tensor(again) and ops.dtype(again) == "bfloat16"


def test_keras_tensors():
    config = serialize_keras_object(KerasTensor((None, 3)))
    assert config == {
        "class_name": "__keras_tensor__",
        "config": {"shape": (None, 3), "dtype": "float32", "keras_history": None},
    }
    again = deserialize_keras_object(through_json(config))
    assert isinstance(again, KerasTensor) and again.shape == (None, 3)


def test_tuples_of_keras_2():
    config = {"class_name": "__tuple__", "items": [1, {"class_name": "__tuple__", "items": []}]}
    assert deserialize_keras_object(config) == (1, ())


def function(x):
    return x


def test_functions():
    config = serialize_keras_object(function)
    assert config == {
        "module": "builtins",
        "class_name": "function",
        "config": "function",
        "registered_name": "function",
    }
    assert deserialize_keras_object(config, {"function": function}) is function
    built_in = serialize_keras_object(activations.relu)
    assert built_in["config"] == "relu"
    assert deserialize_keras_object(built_in) is activations.relu
    named = {"module": "keras.activations", "class_name": "function", "config": "gelu"}
    assert deserialize_keras_object(named) is activations.gelu


def test_objects_of_the_program_round_trip_with_their_hooks():
    config = serialize_keras_object(Pair(initializers.Ones(), slice(2)))
    assert config["module"] == Pair.__module__
    assert config["registered_name"] == config["class_name"] == "Pair"
    assert config["build_config"] == {"input_shape": (None, 3)}
    again = deserialize_keras_object(through_json(config), custom_objects={"Pair": Pair})
    assert isinstance(again.a, initializers.Ones) and again.b == slice(2)
    assert again.built and again.build_config == {"input_shape": [None, 3]}
    assert again.compiled_with == {"optimizer": "adam"}
    with CustomObjectScope({"Pair": Pair}):
        assert isinstance(deserialize_keras_object(config), Pair)


def test_nested_objects_see_the_custom_objects():
    config = serialize_keras_object(Pair(Pair(1)))
    again = deserialize_keras_object(config, custom_objects={"Pair": Pair})
    assert again.a.a == 1
    with pytest.raises(TypeError, match="Pair"):
        deserialize_keras_object(config)


def test_registered_objects():
    @register_keras_serializable("tests")
    class Noted(Pair):
        pass

    config = serialize_keras_object(Noted(1))
    assert config["registered_name"] == "tests>Noted"
    assert type(deserialize_keras_object(config)) is Noted
    registry.get_custom_objects().pop("tests>Noted")
    with pytest.raises(TypeError, match="tests>Noted"):
        deserialize_keras_object(config)


def test_an_object_written_twice_is_read_as_one():
    shared = initializers.Zeros()
    with ObjectSharingScope() as scope:
        config = serialize_keras_object([shared, initializers.Zeros(), shared])
    scope.finish(config)
    assert [c.get("shared_object_id") for c in config] == [1, None, 1]
    with ObjectSharingScope():
        first, other, again = deserialize_keras_object(through_json(config))
    assert first is again and first is not other
    first, _, again = deserialize_keras_object(config)
    assert first is not again
    with ObjectSharingScope():
        deserialize_keras_object({**config[0], "shared_object_id": [1]})


def test_a_custom_class_does_not_stand_in_for_a_built_in_one():
    class Zeros(Pair):
        def __init__(self):
            super().__init__(0)

    built_in = serialize_keras_object(initializers.Zeros())
    assert type(deserialize_keras_object(built_in, {"Zeros": Zeros})) is initializers.Zeros
    own = {**built_in, "module": "mine", "registered_name": "Zeros"}
    assert type(deserialize_keras_object(own, {"Zeros": Zeros})) is Zeros
    with pytest.raises(TypeError, match="Zeros"):
        deserialize_keras_object(own)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "os", "class_name": "function", "config": "system"},
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        {"module": "keras.src.saving", "class_name": "load_model", "config": {}},
        {"module": "keras.initializers", "class_name": "Dense", "config": {}},
        {"module": "not.there", "class_name": "Zeros", "config": {}},
        {"module": 5, "class_name": "Zeros", "config": {}},
        {"module": "keras.initializers", "class_name": "Zeros", "config": {},
         "registered_name": "mine>Zeros"},
        {"class_name": "Missing", "config": {}},
    ],
)  # fmt: skip
def test_names_outside_the_tables_are_unknown(config):
    with pytest.raises(TypeError, match=r"custom_objects=.*register_keras_serializable"):
        deserialize_keras_object({"registered_name": None, **config})


@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize(
    "class_name", ["__lambda__", "__typespec__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer"]
)
def test_code_is_refused_whatever_the_mode(class_name, safe_mode):
    config = {"module": "keras.layers", "class_name": class_name, "config": {"name": "evil"}}
    with pytest.raises(ValueError, match=r"(?s)evil.*custom_objects"):
        deserialize_keras_object({"a": [config]}, safe_mode=safe_mode)


def test_an_argument_accepts_its_own_kind_only():
    penalty = serialize_keras_object(regularizers.L2())
    with pytest.raises(ValueError, match="an object of kind initializer"):
        deserialize_as("initializer", penalty)
    with pytest.raises(ValueError, match="a known initializer"):
        deserialize_as("initializer", "l2")
    assert isinstance(deserialize_as(("initializer", "regularizer"), penalty), regularizers.L2)


def test_a_subclass_has_the_kind_of_its_base():
    class Mine(regularizers.L2):
        pass

    config = serialize_keras_object(Mine())
    assert isinstance(deserialize_as("regularizer", config, {"Mine": Mine}), Mine)
    with pytest.raises(ValueError, match="an object of kind initializer"):
        deserialize_as("initializer", config, {"Mine": Mine})


def test_names_alone():
    assert isinstance(deserialize_as("initializer", "zeros"), initializers.Zeros)
    legacy = {"class_name": "Constant", "config": {"value": 2.0}}
    assert deserialize_as("initializer", legacy).value == 2.0
    assert deserialize_keras_object("zeros") == "zeros"
    assert deserialize_keras_object("f", module_objects={"f": function}, kind="loss") is function


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "__numpy__", "config": {"value": ["1"], "dtype": "float32"}},
        {"class_name": "__numpy__", "config": {"value": [1, [2]], "dtype": "float32"}},
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}},
        {"class_name": "__numpy__", "config": {"value": [10**40], "dtype": "float32"}},
        {"class_name": "__numpy__", "config": {"value": [None], "dtype": "float32"}},
        {"class_name": "__tensor__", "config": {"value": ["1"], "dtype": "string"}},
        {"class_name": "__tensor__", "config": {}},
        {"class_name": "__tensor__", "config": [1]},
        {"class_name": "__bytes__", "config": {"value": 3}},
        {"class_name": "__slice__", "config": {}},
        {"class_name": "__keras_tensor__", "config": {"shape": "x", "dtype": "float32"}},
        {"class_name": ["Zeros"], "config": {}},
        {"module": "keras.initializers", "class_name": "Zeros", "config": 3},
        {"module": "keras.initializers", "class_name": "Zeros", "config": {"unknown": 3}},
        {"module": "builtins", "class_name": "function", "config": {"name": "relu"}},
    ],
)
def test_malformed_configs_are_told(config):
    with pytest.raises(ValueError, match="expected:"):
        deserialize_keras_object(config)


def test_what_cannot_be_written():
    with pytest.raises(ValueError, match="def"):
        serialize_keras_object(lambda x: x)
    for obj in (object(), Pair, {1, 2}):
        with pytest.raises(TypeError, match="get_config"):
            serialize_keras_object(obj)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="safemode"):
        deserialize_keras_object(3, safemode=True)


def test_reading_imports_nothing():
    import sys

    before = set(sys.modules)
    config = {"module": "wave", "class_name": "Wave_read", "config": {}, "registered_name": None}
    with pytest.raises(TypeError):
        deserialize_keras_object(config)
    assert set(sys.modules) == before


def test_dtype_policies_are_written_as_keras_does():
    policy = dtype_policies.DTypePolicy("mixed_bfloat16")
    assert serialize_keras_object(policy) == {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "mixed_bfloat16"},
        "registered_name": None,
    }


def test_names_are_found_among_module_objects():
    config = deserialize_keras_object(
        "zeros", module_objects={"zeros": initializers.Zeros}, printable_module_name="initializer"
    )
    assert isinstance(config, initializers.Zeros)
    assert deserialize_keras_object("ones", module_objects={"zeros": initializers.Zeros}) == "ones"


def test_functions_of_keras_3_6_have_no_package():
    @register_keras_serializable("old_files")
    def halve_it(x):
        return x / 2

    config = {
        "module": "builtins",
        "class_name": "function",
        "config": "halve_it",
        "registered_name": "function",
    }
    assert deserialize_keras_object(config) is halve_it
    register_keras_serializable("other_files", "halve_it")(lambda x: x / 4)
    with pytest.raises(ValueError, match="old_files>halve_it"):
        deserialize_keras_object(config)


def test_an_empty_registered_name_is_none():
    config = {"class_name": "Dense", "module": "keras.layers", "registered_name": ""}
    layer = deserialize_keras_object({**config, "config": {"units": 1}})
    assert type(layer) is Dense
