"""Sparse gradients, as those of embeddings, update variables like dense ones."""

import numpy as np
import pytest
import scipy.sparse

import keras_fn as keras
from keras_fn import layers, ops, optimizers

rng = np.random.default_rng(0)
GRADIENTS = [scipy.sparse.random(5, 3, 0.4, "csr", "float32", rng) for _ in range(2)]
OPTIMIZERS = {
    name: cls
    for name, cls in vars(optimizers).items()
    if isinstance(cls, type)
    and issubclass(cls, optimizers.Optimizer)
    and name not in ("Optimizer", "LossScaleOptimizer", "MultiOptimizer")
}
OPTIMIZERS["clipped momentum"] = lambda rate: optimizers.SGD(rate, momentum=0.9, clipnorm=0.1)
OPTIMIZERS["LossScaleOptimizer"] = lambda rate: optimizers.LossScaleOptimizer(optimizers.SGD(rate))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_takes_sparse_gradients(name):
    results = []
    for convert in (lambda g: ops.convert_to_tensor(g.toarray()), ops.convert_to_tensor):
        variable = keras.Variable(np.ones((5, 3), "float32"))
        optimizer = OPTIMIZERS[name](0.1)
        for gradient in GRADIENTS:
            optimizer.apply([convert(gradient)], [variable])
        results.append(variable.numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="tf.IndexedSlices")
def test_the_gradient_of_a_tape_for_an_embedding():
    import tensorflow as tf

    table = layers.Embedding(5, 2, embeddings_initializer="ones")
    table.build()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(table(tf.constant([[1, 3], [3, 3]])))
    (gradient,) = tape.gradient(loss, [table.embeddings.value])
    assert isinstance(gradient, tf.IndexedSlices)
    optimizers.SGD(0.25).apply([gradient], [table.embeddings])
    assert table.embeddings.numpy()[:, 0].tolist() == [1, 0.75, 1, 0.25, 1]


@pytest.mark.skipif(keras.config.backend() != "torch", reason="sparse gradients of PyTorch")
def test_the_sparse_gradient_of_a_table_in_a_custom_layer():
    import torch

    class Table(layers.Layer):
        def build(self, input_shape):
            self.table = self.add_weight((5, 2), "ones")

        def call(self, x):
            return torch.nn.functional.embedding(x, self.table.value, sparse=True)

    x = np.array([[1, 3], [3, 3]])
    model = keras.Sequential([keras.Input((2,), dtype="int32"), Table(), layers.Flatten()])
    model.compile(optimizers.Adam(0.1), "mse")
    model.fit(x, np.zeros((2, 4)), verbose=0)
    assert np.allclose(model.get_weights()[0][:, 0], [1, 0.9, 1, 0.9, 1])
