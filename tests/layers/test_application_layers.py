"""Layers inside models of `keras.applications`, which no namespace has but files name."""

import numpy as np
import pytest

from keras_fn import layers, ops, saving
from keras_fn.layers.core.layer_scale import LayerScale
from keras_fn.layers.merging.custom_scale_layer import CustomScaleLayer
from keras_fn.layers.regularization.stochastic_depth import StochasticDepth
from keras_fn.models import Model
from keras_fn.optimizers import SGD

ONES = np.ones((300, 2, 3), "float32")
NAMES = {  # what real Keras writes
    LayerScale: ("keras.src.applications.convnext", {"init_values": 0.5, "projection_dim": 3}),
    StochasticDepth: ("keras.src.applications.convnext", {"drop_path_rate": 0.25}),
    CustomScaleLayer: ("keras.src.applications.inception_resnet_v2", {"scale": 0.1}),
}


@pytest.mark.parametrize("cls", NAMES)
def test_files_name_a_layer_as_those_of_keras_do(cls):
    module, arguments = NAMES[cls]
    layer = cls(**arguments, name="inner")
    written = saving.serialize_keras_object(layer)
    assert written["module"] == module
    assert written["class_name"] == written["registered_name"] == cls.__name__
    assert set(written["config"]) == {"name", "trainable", "dtype", *arguments}
    again = saving.deserialize_keras_object(written)
    assert type(again) is cls and again.get_config() == layer.get_config()
    assert type(layers.deserialize({"class_name": cls.__name__, "config": arguments})) is cls


def test_stochastic_depth_drops_whole_samples():
    layer = StochasticDepth(0.25)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ONES)), ONES)
    dropped = ops.convert_to_numpy(layer(ONES, training=True))
    assert set(np.unique(dropped.round(4))) == {0.0, np.float32(1.3333)}
    assert np.ptp(dropped, axis=(1, 2)).max() == 0  # a sample is dropped as a whole
    assert 0.15 < (dropped[:, 0, 0] == 0).mean() < 0.35


def test_stochastic_depth_draws_anew_in_each_compiled_step():
    x = layers.Input((3,))
    model = Model(x, StochasticDepth(0.5)(LayerScale(1.0, 3)(x)))
    model.compile(SGD(0.0), "mae")  # the loss tells which samples were dropped
    data = 2.0 ** np.arange(12, dtype="float32")[:, None] * np.ones(3), np.zeros((12, 3), "float32")
    whole = model.evaluate(*data, verbose=0)
    assert whole == data[0].mean()
    losses = {float(model.train_on_batch(*data)) for _ in range(8)}
    assert len(losses) == 8


def test_layer_scale_multiplies_channels():
    layer = LayerScale(0.5, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ONES)), ONES * 0.5)
    layer.gamma.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ONES)), ONES * [1.0, 2.0, 3.0])
    assert [(w.path, w.shape) for w in layer.trainable_weights] == [
        (f"{layer.name}/{layer.gamma.name}", (3,))
    ]


def test_a_scaled_residual_is_added():
    layer = CustomScaleLayer(0.1)
    np.testing.assert_allclose(ops.convert_to_numpy(layer([ONES, 2 * ONES])), ONES * 1.2, rtol=1e-6)
    assert layer([layers.Input((2, 3)), layers.Input((2, 3))]).shape == (None, 2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: LayerScale(0.5, 4)(ONES), ("4 channels", "projection_dim=3")),
        (lambda: LayerScale(0.5, 4)(layers.Input((None,))), ("4 channels", "a known number")),
        (lambda: LayerScale(0.5, 4)(np.float32(1)), ("rank",)),
        (lambda: LayerScale("half", 3), ("init_values", "a number")),
        (lambda: LayerScale(0.5, 0), ("projection_dim", "a positive integer")),
        (lambda: StochasticDepth(2), ("drop_path_rate", "from 0 to 1")),
        (lambda: CustomScaleLayer("half"), ("scale", "a number")),
        (lambda: CustomScaleLayer(1)([ONES]), ("a list of 2 inputs",)),
    ],
)
def test_wrong_arguments_and_inputs_are_refused(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert all(word in str(error.value) for word in words)
