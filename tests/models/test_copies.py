"""Copies and pickles of models, also of trained ones; and that tensors are not shared by state."""

import copy
import pickle

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops, optimizers
from keras_fn.core.operators import OPS


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(16, 5)).astype("float32"), rng.normal(size=(16, 1)).astype("float32")


def optimizer(kind):
    if kind == "adam":
        made = optimizers.Adam(weight_decay=0.1, use_ema=True)
        made.exclude_from_weight_decay(var_names=["bias"])
        return made
    if kind == "scaled":
        return optimizers.LossScaleOptimizer(optimizers.SGD(momentum=0.9))
    found = optimizers.OptimizerMap(optimizers.SGD(), {".*kernel": optimizers.Adam()})
    return optimizers.MultiOptimizer(found)


def trained(kind):
    x = keras.Input((5,))
    y = keras.layers.LSTM(3)(keras.layers.Reshape((5, 1))(x))
    y = keras.layers.Dropout(0.1)(keras.layers.BatchNormalization()(y))
    model = keras.Model(x, keras.layers.Dense(1)(y))
    model.compile(optimizer(kind), "mse", metrics=["mae"])
    model.fit(*data(), verbose=0)
    model.predict(data()[0], verbose=0)
    return model


WAYS = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("kind", ["adam", "scaled", "multi"])
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_a_trained_model_trains_on_as_the_model_does(kind, way):
    model = trained(kind)
    other = WAYS[way](model)
    x, y = data()
    np.testing.assert_array_equal(model.predict(x, verbose=0), other.predict(x, verbose=0))
    before = other.get_weights()
    model.fit(x, y, batch_size=4, verbose=0, shuffle=False)
    for one, same in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, same)
    other.fit(x, y, batch_size=4, verbose=0, shuffle=False)
    for one, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, same, rtol=1e-5, atol=1e-6)


def test_a_history_can_be_pickled():
    model = trained("adam")
    again = pickle.loads(pickle.dumps(model.history))
    assert again.history == model.history.history


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "uint32", "bool"])
@pytest.mark.parametrize("way", WAYS)
def test_a_variable_keeps_what_it_is(way, dtype):
    variable = keras.Variable(np.array([1, 0]), dtype=dtype, trainable=False, name="pair")
    other = WAYS[way](variable)
    assert (other.path, other.dtype, other.trainable) == (variable.path, dtype, False)
    variable.assign(np.array([0, 1]))
    np.testing.assert_array_equal(other.numpy().astype("float32"), [1.0, 0.0])


def test_fit_goes_on_after_averages_were_taken_over():
    model = trained("adam")  # it ends with its averages as weights
    weights = model.get_weights()
    model.fit(*data(), verbose=0)
    assert any((a != b).any() for a, b in zip(weights, model.get_weights(), strict=True))


def test_a_tensor_that_was_assigned_stays_the_users():
    x, y = data()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    tensor = ops.ones((5, 1))
    other = keras.Variable(np.zeros((5, 1), "float32"))
    model.layers[0].kernel.assign(tensor)
    other.assign(model.layers[0].kernel)
    model.fit(x, y, verbose=0)
    assert float(ops.sum(tensor)) == 5.0
    assert float(other.numpy().sum()) == 5.0


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_has_no_losses_of_calls_that_it_did_not_make(way):
    layer = keras.layers.Dense(2, activity_regularizer="l2")
    model = keras.Sequential([keras.Input((3,)), layer])
    model(np.ones((2, 3), "float32"))
    copied = WAYS[way](model)
    assert len(model.losses) == 1 and copied.losses == []
    copied(np.ones((2, 3), "float32"))
    mine, its = (keras.ops.convert_to_numpy(m.losses[0]) for m in (model, copied))
    np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("way", WAYS)
def test_a_model_with_einsum_can_be_copied(way):
    x = keras.Input((3,))
    model = keras.Model(x, ops.einsum("bi,bj->bij", x, x))
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(
        *(ops.convert_to_numpy(m(data)) for m in (model, WAYS[way](model)))
    )


def test_each_op_of_a_graph_can_be_pickled():
    functions = [getattr(ops, name) for name in dir(ops) if name in OPS]
    assert len(functions) > 200
    for function in functions:
        assert pickle.loads(pickle.dumps(OPS[function.__name__])) is OPS[function.__name__]
