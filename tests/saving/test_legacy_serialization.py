"""legacy.saving and utils.legacy: configs in the form of Keras 2."""

import pytest

import keras_fn as keras
from keras_fn.legacy.saving import deserialize_keras_object, serialize_keras_object

NAMES = {
    "Dense": keras.layers.Dense,
    "L2": keras.regularizers.L2,
    "Lambda": keras.layers.Lambda,
    "Sequential": keras.Sequential,
    "relu": keras.activations.relu,
    "print": print,
    "list": list,
}


def double(x):
    return 2 * x


class Pair:
    """An object of a program that holds another one."""

    def __init__(self, first, function=None):
        self.first, self.function = first, function

    def get_config(self):
        return {"first": self.first, "function": self.function, "name": "double"}

    @classmethod
    def from_config(cls, config):
        assert config.pop("name") == "double"  # a name stays a name
        return cls(**config)


def test_objects_become_names_and_configs():
    assert serialize_keras_object(None) is None
    assert serialize_keras_object(double) == "double"
    assert serialize_keras_object(keras.activations.relu) == "relu"
    expected = {"class_name": "L2", "config": {"l2": 0.5}}
    assert serialize_keras_object(keras.regularizers.L2(0.5)) == expected
    assert serialize_keras_object(Pair(keras.regularizers.L2(0.5), double))["config"] == {
        "first": {**expected, "__passive_serialization__": True},
        "function": "double",
        "name": "double",
    }
    for invalid in (3, "word", [double]):
        with pytest.raises(ValueError, match="get_config"):
            serialize_keras_object(invalid)


def test_a_layer_is_read_back():
    layer = keras.layers.Dense(2, "relu", kernel_regularizer="l2", name="head")
    config = serialize_keras_object(layer)
    again = deserialize_keras_object(config, NAMES)
    assert again.get_config() == layer.get_config()
    assert config["config"]["activation"] == "relu"  # nothing was changed


def test_inner_objects_and_functions_are_read():
    config = serialize_keras_object(Pair(keras.regularizers.L2(0.5), double))
    pair = deserialize_keras_object(config, NAMES, {"Pair": Pair, "double": double})
    assert isinstance(pair.first, keras.regularizers.L2) and pair.function is double
    layer = {"class_name": "Dense", "config": {"units": 1, "activation": "double"}}
    assert deserialize_keras_object(layer, NAMES, {"double": double}).activation is double


def test_names_stand_for_functions_and_new_instances():
    assert deserialize_keras_object("relu", NAMES) is keras.activations.relu
    assert deserialize_keras_object("relu", NAMES, {"relu": double}) is double
    assert isinstance(deserialize_keras_object("L2", NAMES), keras.regularizers.L2)
    assert deserialize_keras_object(double) is double
    assert deserialize_keras_object(None) is None
    with keras.utils.custom_object_scope({"scoped": double}):
        assert deserialize_keras_object("scoped") is double


def test_a_list_of_layers_is_a_sequential_model():
    config = {
        "class_name": "Sequential",
        "config": [{"class_name": "Dense", "config": {"units": 3, "name": "head"}}],
    }
    assert [layer.name for layer in deserialize_keras_object(config, NAMES).layers] == ["head"]


@pytest.mark.parametrize(
    ("identifier", "match"),
    [
        ("Dens", "did you mean 'Dense'"),
        ({"class_name": "Other", "config": {}}, "known layer"),
        ({"class_name": "Dense"}, "class_name and config"),
        ({"class_name": "print", "config": {"sep": "code"}}, "from_config"),
        ("list", "from_config"),
        (3, "a name"),
    ],
)
def test_an_unknown_name_or_form_is_refused(identifier, match):
    with pytest.raises(ValueError, match=match):
        deserialize_keras_object(identifier, NAMES, printable_module_name="layer")


def test_code_in_a_config_is_never_run():
    code = {"function": ["4wEAAAAAAAAA", None, None], "function_type": "lambda"}
    with pytest.raises(ValueError, match="holds code"):
        deserialize_keras_object({"class_name": "Lambda", "config": code}, NAMES)


def test_a_function_of_the_program_may_make_the_object():
    config = {"class_name": "make", "config": {"units": 3}}
    made = deserialize_keras_object(config, custom_objects={"make": keras.layers.Dense})
    assert made.units == 3
    assert deserialize_keras_object(config, custom_objects={"make": dict}) == {"units": 3}


def test_both_namespaces_have_the_same_functions():
    assert keras.utils.legacy.serialize_keras_object is keras.legacy.saving.serialize_keras_object
    assert dir(keras.utils.legacy) == dir(keras.legacy.saving)
    assert dir(keras.legacy) == ["saving"]
