"""Dropout and noise: what they keep, when they act, and the state that they hold."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.layers import Input
from keras_fn.models import Model

ONES = np.ones((400, 50), "float32")


def trained(layer, x):
    return ops.convert_to_numpy(layer(x, training=True))


RANDOM_LAYERS = {
    "Dropout": lambda seed: layers.Dropout(0.3, seed=seed),
    "AlphaDropout": lambda seed: layers.AlphaDropout(0.3, seed=seed),
    "GaussianNoise": lambda seed: layers.GaussianNoise(0.3, seed=seed),
    "GaussianDropout": lambda seed: layers.GaussianDropout(0.3, seed=seed),
}


@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_a_seed_says_what_is_drawn(name):
    make = RANDOM_LAYERS[name]
    layer, again, other = make(1), make(1), make(2)
    first, second = trained(layer, ONES), trained(layer, ONES)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, trained(again, ONES))
    assert not np.array_equal(first, trained(other, ONES))


@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_nothing_happens_but_in_training(name):
    layer = RANDOM_LAYERS[name](1)
    before = layer.seed_generator.state.numpy()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ONES)), ONES)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ONES, training=False)), ONES)
    np.testing.assert_array_equal(layer.seed_generator.state.numpy(), before)
    assert layer.weights == [] and layer.variables == [layer.seed_generator.state]


@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_building_a_graph_draws_nothing(name):
    layer = RANDOM_LAYERS[name](1)
    before = layer.seed_generator.state.numpy()
    x = Input((50,))
    model = Model(x, layer(x, training=True))
    np.testing.assert_array_equal(layer.seed_generator.state.numpy(), before)
    assert not np.array_equal(ops.convert_to_numpy(model(ONES)), ONES)


@pytest.mark.parametrize("cls", ["Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout"])
def test_without_a_rate_there_is_no_state(cls):
    layer = getattr(layers, cls)(0)
    assert layer.variables == [] and not hasattr(layer, "seed_generator")
    np.testing.assert_array_equal(trained(layer, ONES), ONES)


def test_dropout_keeps_the_mean():
    y = trained(layers.Dropout(0.3, seed=0), ONES)
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], rtol=1e-6)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.02)


def test_a_noise_shape_shares_the_mask():
    y = trained(layers.Dropout(0.5, noise_shape=(None, 1), seed=0), ONES)
    assert (y == y[:, :1]).all() and 0.3 < (y[:, 0] == 0).mean() < 0.7


@pytest.mark.parametrize(
    ("cls", "data_format", "shape", "axes"),
    [
        ("SpatialDropout1D", None, (20, 5, 8), 1),
        ("SpatialDropout2D", "channels_last", (20, 3, 4, 8), (1, 2)),
        ("SpatialDropout2D", "channels_first", (20, 8, 3, 4), (2, 3)),
        ("SpatialDropout3D", "channels_first", (20, 8, 2, 3, 2), (2, 3, 4)),
    ],
)
def test_spatial_dropout_drops_whole_channels(cls, data_format, shape, axes):
    more = {"data_format": data_format} if data_format else {}
    y = trained(getattr(layers, cls)(0.4, seed=0, **more), np.ones(shape, "float32"))
    assert (y.min(axes) == y.max(axes)).all()
    assert (y.max(axes) == 0).mean() == pytest.approx(0.4, abs=0.15)


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).normal(size=(400, 100)).astype("float32")
    y = trained(layers.AlphaDropout(0.3, seed=0), x)
    assert y.mean() == pytest.approx(0, abs=0.03)
    assert y.std() == pytest.approx(1, abs=0.03)


def test_noise_has_the_deviation_that_was_asked_for():
    added = trained(layers.GaussianNoise(0.3, seed=0), ONES) - 1
    factor = trained(layers.GaussianDropout(0.2, seed=0), ONES)
    assert added.std() == pytest.approx(0.3, abs=0.01)
    assert factor.mean() == pytest.approx(1, abs=0.01)
    assert factor.std() == pytest.approx(np.sqrt(0.2 / 0.8), abs=0.01)


@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_a_policy_says_in_what_noise_comes(name):
    layer = RANDOM_LAYERS[name](1)
    half = type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})
    assert ops.dtype(half(ONES, training=True)) == "bfloat16"
    assert half(Input((50,)), training=True).dtype == "bfloat16"


def test_activity_costs_what_the_regularizer_says():
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    layer(np.array([[1.0, -3.0]], "float32"))
    (loss,) = layer.losses
    assert float(loss) == pytest.approx(0.5 * 4 + 0.25 * 10)


def test_masks_go_through():
    x = layers.Masking()(Input((4, 3)))
    for layer in (layers.Dropout(0.5), layers.GaussianNoise(0.1), layers.SpatialDropout1D(0.5)):
        assert layer(x)._keras_mask.shape == (None, 4)
