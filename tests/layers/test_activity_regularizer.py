"""The activity regularizer: the penalty of a sample, on average over the batch."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.regularizers import L1, L2

ONES = {"kernel_initializer": "ones"}

# A layer whose outputs are all c, the shape of a sample of ones, and the L2 penalty of a sample.
CASES = {
    "dense": (lambda r: layers.Dense(2, activity_regularizer=r, **ONES), (1,), 2.0),
    "dense over time": (lambda r: layers.Dense(2, activity_regularizer=r, **ONES), (3, 1), 6.0),
    "conv": (lambda r: layers.Conv1D(2, 1, activity_regularizer=r, **ONES), (3, 1), 6.0),
    "depthwise": (
        lambda r: layers.DepthwiseConv1D(
            1, depthwise_initializer="ones", activity_regularizer=r
        ),
        (3, 1),
        3.0,
    ),
    "separable": (
        lambda r: layers.SeparableConv1D(
            2, 1, depthwise_initializer="ones", pointwise_initializer="ones",
            activity_regularizer=r,
        ),
        (3, 1),
        6.0,
    ),
    "transpose": (
        lambda r: layers.Conv1DTranspose(2, 1, activity_regularizer=r, **ONES), (3, 1), 6.0,
    ),
    "embedding": (
        lambda r: layers.Embedding(
            2, 2, embeddings_initializer="ones", activity_regularizer=r
        ),
        (3,),
        6.0,
    ),
    "rnn": (
        lambda r: layers.SimpleRNN(
            2, activation=None, recurrent_initializer="zeros", return_sequences=True,
            activity_regularizer=r, **ONES,
        ),
        (3, 1),
        6.0,
    ),
    "any layer": (lambda r: layers.Flatten(activity_regularizer=r), (2, 3), 6.0),
    "time distributed": (
        lambda r: layers.TimeDistributed(layers.Dense(2, activity_regularizer=r, **ONES)),
        (3, 1),
        6.0,
    ),
    "twice": (
        lambda r: layers.TimeDistributed(
            layers.TimeDistributed(layers.Dense(2, activity_regularizer=r, **ONES))
        ),
        (3, 2, 1),
        12.0,
    ),
    "time distributed itself": (
        lambda r: layers.TimeDistributed(layers.Dense(2, **ONES), activity_regularizer=r),
        (3, 1),
        6.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_penalty_is_that_of_one_sample(name):
    make, shape, penalty = CASES[name]
    layer = make(L2(1.0))
    for batch in (1, 4):
        layer(np.ones((batch, *shape), "float32"))
        assert [float(ops.convert_to_numpy(x)) for x in layer.losses] == [penalty]


def test_the_layer_activity_regularization():
    layer = layers.ActivityRegularization(l1=1.0, l2=0.5)
    layer(np.full((4, 2), 2.0, "float32"))
    assert [float(ops.convert_to_numpy(x)) for x in layer.losses] == [8.0]


def test_each_output_of_a_layer_is_counted():
    class Two(layers.Layer):
        def call(self, x):
            return x, ops.sum(x)  # the second has no batch axis

    layer = Two(activity_regularizer=L1(1.0))
    layer(np.ones((4, 3), "float32"))
    assert [float(ops.convert_to_numpy(x)) for x in layer.losses] == [3.0, 12.0]


def test_an_empty_batch_adds_nothing():
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(np.ones((0, 3), "float32"))
    assert [float(ops.convert_to_numpy(x)) for x in layer.losses] == [0.0]


def test_training_minimizes_the_penalty_of_a_sample():
    inputs = keras.Input((None, 1))
    outputs = layers.TimeDistributed(layers.Dense(2, activity_regularizer=L2(1.0), **ONES))(inputs)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(outputs))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.ones((6, 3, 1), "float32")
    history = model.fit(x, np.ones((6, 2), "float32"), batch_size=3, verbose=0)
    assert history.history["loss"] == [6.0]
    assert model.evaluate(x, np.ones((6, 2), "float32"), batch_size=2, verbose=0) == 6.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_overflows_neither_in_the_sum_nor_in_the_batch_size(dtype):
    layer = layers.Activation(None, activity_regularizer=L2(1.0), dtype=dtype)
    layer(np.full((70_000, 2), 50.0, "float32"))
    (loss,) = layer.losses
    np.testing.assert_allclose(float(ops.convert_to_numpy(loss)), 5000.0, rtol=1e-4)
