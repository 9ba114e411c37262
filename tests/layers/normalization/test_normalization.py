"""Normalization: moments, moving statistics, masks, freezing, precision."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.layers import Input

RANDOM = np.random.default_rng(2)


def normal(*shape):
    return RANDOM.normal(2.0, 3.0, size=shape).astype("float32")


def as_numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


@pytest.mark.parametrize(("shape", "axis"), [((64, 5), -1), ((8, 3, 5), 1), ((4, 3, 5, 6), 3)])
def test_a_trained_batch_has_mean_0_and_variance_1(shape, axis):
    x = normal(*shape)
    layer = layers.BatchNormalization(axis, epsilon=1e-6, momentum=0.9)
    y = as_numpy(layer(x, training=True))
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    np.testing.assert_allclose(y.mean(others), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(others), 1, atol=1e-3)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(others), rtol=1e-4)
    expected = 0.9 + 0.1 * x.var(others)
    np.testing.assert_allclose(layer.moving_variance.numpy(), expected, rtol=1e-4)


def test_inference_takes_the_moving_statistics_and_leaves_them():
    layer = layers.BatchNormalization(epsilon=0.5)
    layer.build((None, 3))
    gamma, beta, mean, variance = normal(4, 3)
    variance = np.abs(variance)
    layer.set_weights([gamma, beta, mean, variance])
    x = normal(6, 3)
    expected = (x - mean) / np.sqrt(variance + 0.5) * gamma + beta
    for y in (layer(x), layer(x, training=False)):
        np.testing.assert_allclose(as_numpy(y), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), mean)


def test_a_frozen_layer_runs_as_in_inference():
    x = normal(6, 3)
    layer = layers.BatchNormalization()
    expected = as_numpy(layer(x))
    layer.trainable = False
    np.testing.assert_array_equal(as_numpy(layer(x, training=True)), expected)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))
    layer.trainable = True
    assert len(layer.trainable_weights) == 2 and len(layer.non_trainable_weights) == 2
    assert not np.allclose(as_numpy(layer(x, training=True)), expected)


def test_masked_steps_do_not_count():
    x = normal(2, 4, 3)
    mask = np.array([[True, True, False, False], [True, False, False, False]])
    x[~mask] = np.nan  # whatever stands there
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True, mask=mask)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x[mask].mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), x[mask].var(0), rtol=1e-5)


def test_the_mask_of_the_input_is_taken_and_passed_on():
    x = np.zeros((1, 3, 2), "float32")
    x[:, :2] = normal(1, 2, 2)
    masked = layers.Masking()(x)
    layer = layers.BatchNormalization(momentum=0.0)
    layer(masked, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x[0, :2].mean(0), rtol=1e-5)
    symbol = layer(layers.Masking()(Input((3, 2))))
    assert symbol._keras_mask.shape == (None, 3)


def test_a_pure_call_returns_the_moved_statistics():
    x = ops.convert_to_tensor(normal(6, 3))
    layer = layers.BatchNormalization(momentum=0.0)
    layer.build((None, 3))
    variables = [[v.value for v in vs] for vs in
                 (layer.trainable_variables, layer.non_trainable_variables)]  # fmt: skip
    _, (mean, _) = layer.stateless_call(*variables, x, training=True)
    np.testing.assert_allclose(as_numpy(mean), as_numpy(x).mean(0), rtol=1e-4)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))


def test_a_compiled_step_moves_the_statistics():
    x = ops.convert_to_tensor(normal(6, 3))
    layer = layers.BatchNormalization(momentum=0.0)
    layer.build((None, 3))
    step = current().compile(lambda x: layer(x, training=True), layer.variables)
    step(x)
    np.testing.assert_allclose(layer.moving_mean.numpy(), as_numpy(x).mean(0), rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_statistics_are_kept_in_single_precision(policy):
    x = normal(64, 3) * 100  # squares of it are beyond float16
    layer = layers.BatchNormalization(dtype=policy, momentum=0.0)
    y = layer(x, training=True)
    assert ops.dtype(y) == policy.removeprefix("mixed_")
    assert {v.dtype for v in layer.weights} == {"float32"}
    np.testing.assert_allclose(layer.moving_variance.numpy(), x.var(0), rtol=2e-2)
    assert np.isfinite(as_numpy(y)).all()


def test_batch_renormalization_agrees_with_inference():
    """Where nothing is clipped, training is normalized by the moving statistics."""
    layer = layers.BatchNormalization(renorm=True, epsilon=1e-3)
    layer.build((None, 2))
    layer.renorm_mean.assign([1.0, -1.0])
    layer.renorm_stddev.assign([2.0, 4.0])
    x = normal(16, 2)
    y = as_numpy(layer(x, training=True))
    np.testing.assert_allclose(y, (x - [1.0, -1.0]) / [2.0, 4.0], rtol=1e-3, atol=1e-4)
    variance = layer.moving_stddev.numpy() ** 2 - 1e-3
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-4)


def test_layer_normalization_normalises_each_sample():
    x = normal(4, 3, 5)
    y = as_numpy(layers.LayerNormalization(axis=[1, 2], epsilon=1e-6)(x))
    np.testing.assert_allclose(y.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var((1, 2)), 1, atol=1e-3)
    layer = layers.LayerNormalization(axis=[2, 1])
    layer.build((None, 3, 5))
    assert layer.gamma.shape == (3, 5)


def test_layer_normalization_does_not_round_its_input():
    x = (1e3 + np.arange(8, dtype="float32"))[None]  # all but alike in half precision
    y = layers.LayerNormalization(dtype="mixed_bfloat16")(x)
    assert ops.dtype(y) == "bfloat16"
    expected = (x - x.mean()) / x.std()
    np.testing.assert_allclose(as_numpy(y), expected, atol=2e-2)


@pytest.mark.parametrize(("groups", "axis"), [(1, -1), (2, -1), (-1, -1), (3, 1)])
def test_group_normalization_normalises_groups(groups, axis):
    x = normal(2, 6, 5, 4)
    y = as_numpy(layers.GroupNormalization(groups, axis, epsilon=1e-6)(x))
    y = np.moveaxis(y, axis, -1)
    count = y.shape[-1] if groups == -1 else groups
    y = y.reshape(2, -1, count, y.shape[-1] // count)
    np.testing.assert_allclose(y.mean((1, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var((1, 3)), 1, atol=1e-3)


def test_vectors_of_unit_norm():
    x = normal(3, 4)
    x[1] = 0
    y = as_numpy(layers.UnitNormalization()(x))
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), [1, 0, 1], atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.RMSNormalization(),
        layers.GroupNormalization(2),
        layers.UnitNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_open_sizes_stay_open(layer):
    assert layer(Input((None, 3, 4))).shape == (None, None, 3, 4)
    assert tuple(layer(normal(2, 5, 3, 4)).shape) == (2, 5, 3, 4)
