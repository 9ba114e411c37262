"""`layers.serialize` and `layers.deserialize`."""

import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.errors import KerasError


def test_a_layer_or_a_model_comes_back_from_its_config():
    layer = layers.deserialize(layers.serialize(layers.Dense(3, activation="relu", name="out")))
    assert (layer.name, layer.units, layer.activation) == ("out", 3, keras.activations.relu)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    again = layers.deserialize(layers.serialize(model))
    assert isinstance(again, keras.Sequential) and again.output_shape == (None, 3)


def test_custom_layers_are_passed_by_name():
    class Double(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    config = layers.serialize(Double())
    assert isinstance(layers.deserialize(config, {"Double": Double}), Double)
    with pytest.raises(KerasError, match="custom_objects"):
        layers.deserialize(config)


@pytest.mark.parametrize("config", [None, 3, "Nope", {"class_name": "Adam", "config": {}}], ids=str)
def test_what_is_not_a_layer_is_refused(config):
    with pytest.raises(KerasError, match="layer"):
        layers.deserialize(config)
    with pytest.raises(KerasError, match="kind layer"):
        layers.deserialize(keras.losses.serialize(keras.losses.Huber()))
