"""Spectral normalization."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import KerasError

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((4, 3)).astype("float32")
KERNEL = RANDOM.standard_normal((3, 2)).astype("float32")
START = RANDOM.standard_normal((1, 2)).astype("float32")


def step(kernel, u, iterations=1):
    """The power iteration in float64."""
    w = kernel.reshape(-1, kernel.shape[-1]).astype("float64")
    for _ in range(iterations):
        v = u @ w.T
        v /= np.linalg.norm(v)
        u = v @ w
        u /= np.linalg.norm(u)
    return kernel / float((v @ w @ u.T).item()), u


@pytest.mark.parametrize("iterations", [1, 3])
def test_the_kernel_is_divided_by_its_norm_in_training(iterations):
    layer = layers.SpectralNormalization(layers.Dense(2, use_bias=False), iterations)
    layer.build(X.shape)
    layer.set_weights([KERNEL, START])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), X @ KERNEL, 1e-4, 1e-5)
    y = layer(X, training=True)
    kernel, u = step(KERNEL, START, iterations)
    np.testing.assert_allclose(ops.convert_to_numpy(y), X @ kernel, 1e-4, 1e-5)
    np.testing.assert_allclose(layer.layer.kernel.numpy(), kernel, 1e-4, 1e-6)
    np.testing.assert_allclose(layer.vector_u.numpy(), u, 1e-4, 1e-6)
    assert [v.path.split("/")[-1] for v in layer.weights] == ["kernel", "vector_u"]


def test_a_train_step_updates_the_normalized_kernel():
    inputs = keras.Input((3,))
    layer = layers.SpectralNormalization(layers.Dense(2, use_bias=False))
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([KERNEL, START])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    target = RANDOM.standard_normal((4, 2)).astype("float32")
    model.train_on_batch(X, target)
    kernel, u = step(KERNEL, START)
    gradient = 2 * X.T @ (X @ kernel - target) / target.size
    np.testing.assert_allclose(layer.layer.kernel.numpy(), kernel - 0.1 * gradient, 1e-4, 1e-5)
    np.testing.assert_allclose(layer.vector_u.numpy(), u, 1e-4, 1e-6)


def test_a_kernel_of_zeros_stays():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    layer.build(X.shape)
    start = layer.vector_u.numpy()
    assert not ops.convert_to_numpy(layer(X, training=True)).any()
    np.testing.assert_array_equal(layer.vector_u.numpy(), start)


def test_other_layers(tmp_path):
    conv = layers.SpectralNormalization(layers.Conv2D(2, 2), power_iterations=30)
    images = RANDOM.standard_normal((1, 4, 4, 3)).astype("float32")
    conv(images, training=True)
    matrix = conv.layer.kernel.numpy().reshape(-1, 2)
    np.testing.assert_allclose(np.linalg.norm(matrix, 2), 1.0, 1e-3)
    table = layers.SpectralNormalization(layers.Embedding(5, 3))
    y = table(np.array([[0, 1]]), training=True)
    assert ops.dtype(y) == "float32"  # not the dtype of the integers
    with pytest.raises(KerasError, match="a layer with a kernel or embeddings"):
        layers.SpectralNormalization(layers.Flatten())(X)
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, conv(inputs))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.layers[1].vector_u.numpy(), conv.vector_u.numpy())
    found, expected = (ops.convert_to_numpy(m(images)) for m in (again, model))
    np.testing.assert_allclose(found, expected, 1e-5, 1e-6)


def test_half_precision_is_normalized_in_float32():
    layer = layers.SpectralNormalization(
        layers.Dense(2, use_bias=False, dtype="mixed_float16"), dtype="mixed_float16"
    )
    layer.build(X.shape)
    layer.set_weights([KERNEL, START])
    assert ops.dtype(layer(X, training=True)) == "float16"
    np.testing.assert_allclose(layer.layer.kernel.numpy(), step(KERNEL, START)[0], 1e-5, 1e-6)
