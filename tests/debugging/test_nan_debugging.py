"""Where NaN begins: planted at a known place, found there, and the model left alone."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.debugging.layer_hooks import hook_layers
from keras_fn.debugging.nan_debugging import TensorStats, find_non_finite
from keras_fn.training.snapshot import restore_on_exit

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.ones((8, 1), "float32")


def chain(middle=None):
    """Input, inner model (two layers), middle, out."""
    keras.utils.set_random_seed(1)
    a = keras.Input((3,), name="a")
    b = keras.layers.Dense(4, activation="sigmoid", name="second")(
        keras.layers.Dense(4, name="first")(a)
    )
    inner = keras.Model(a, b, name="inner")
    x = keras.Input((3,), name="x")
    y = inner(x)
    y = middle(y) if middle else y
    model = keras.Model(x, keras.layers.Dense(1, name="out")(y))
    model.compile("sgd", "mse")
    return model


def found(model, *args, **kwargs):
    result = find_non_finite(model, *args, **kwargs)
    return None if result is None else (result.source, result.layer, result.class_name)


def test_a_finite_model_has_no_report():
    model = chain()
    assert find_non_finite(model, X, Y) is None
    assert find_non_finite(model, X) is None
    assert find_non_finite(model) is None


def test_data_is_checked_first():
    bad = X.copy()
    bad[2, 1] = np.inf
    result = find_non_finite(chain(), bad, Y)
    assert (result.source, result.layer) == ("data", "")
    assert result.tensors[0].name == "x" and result.tensors[0].num_infs == 1
    assert found(chain(), X, Y * np.nan) == ("data", "", "")
    assert found(chain(), X, Y, sample_weight=np.full(8, np.nan)) == ("data", "", "")


@pytest.mark.parametrize("with_data", [True, False])
def test_a_weight_is_named_with_its_layer(with_data):
    model = chain()
    for layer, value in (("out", np.nan), ("first", np.inf)):
        owner = model.get_layer("inner").get_layer("first") if layer == "first" else (
            model.get_layer(layer)
        )  # fmt: skip
        kernel = owner.kernel.numpy().copy()
        kernel[0, 0] = value
        owner.kernel.assign(kernel)
        result = find_non_finite(model, *((X, Y) if with_data else ()))
        path = "inner/first" if layer == "first" and with_data else layer
        if layer == "first" or with_data:
            assert (result.source, result.layer, result.class_name) == ("weight", path, "Dense")
            assert [t.name for t in result.tensors] == ["kernel"]


def test_the_first_output_is_reported_of_ops_too():
    model = chain(lambda y: ops.log(y - 2.0))
    result = find_non_finite(model, X, Y)
    assert (result.source, result.class_name) == ("output", "Log")
    entering, leaving = result.tensors
    assert entering.name == "input" and entering.is_finite and entering.max < 0
    assert leaving.name == "output" and leaving.num_nans == 32
    assert "output of Log" in str(result) and "(8, 4): 32 NaN" in str(result)


def test_the_first_output_inside_a_nested_model_is_found():
    class Overflow(keras.layers.Layer):
        def call(self, x):
            return x * 3e38 * 10

    x = keras.Input((3,))
    inner = keras.Sequential(
        [keras.Input((3,)), Overflow(name="over"), keras.layers.Dense(1, name="later")], name="seq"
    )
    model = keras.Model(x, inner(x))
    assert found(model, X) == ("output", "seq/over", "Overflow")


def test_a_non_finite_loss_is_reported():
    model = chain()
    model.compile("sgd", lambda y, p: ops.log(p * 0 - 1.0))
    result = find_non_finite(model, X, Y)
    assert (result.source, result.layer) == ("loss", "")
    assert result.tensors[0].num_nans == 1


def test_a_non_finite_gradient_is_reported():
    # The square root has a slope of infinity at 0, and 0 times that is NaN.
    x = keras.Input((3,))
    y = keras.layers.Dense(2, kernel_initializer="zeros", name="zero")(x)
    model = keras.Model(x, keras.layers.Dense(1, name="out")(ops.sqrt(y)))
    model.compile("sgd", "mse")
    result = find_non_finite(model, X, Y)
    assert (result.source, result.layer, result.class_name) == ("gradient", "zero", "Dense")


def test_the_model_is_restored():
    x = keras.Input((3,))
    y = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    model = keras.Model(x, keras.layers.Dense(1)(y))
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    attributes, of_optimizer = set(vars(model)), set(vars(model.optimizer))
    plan = model.execution_plan
    find_non_finite(model, X, Y)
    after = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    assert all(map(np.array_equal, before, after))
    assert set(vars(model)) == attributes and set(vars(model.optimizer)) == of_optimizer
    assert model.execution_plan is plan
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.trainable_variables[-1].numpy(), before[-1])


def test_a_scaled_loss_is_checked_without_its_scale():
    model = chain()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), 1e38), "mse")
    model.fit(X, Y, verbose=0)
    assert find_non_finite(model, X, Y * 1e3) is None


def test_a_subclassed_model_is_one_layer():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return ops.log(self.dense(x) * 0.0 - 1.0)

    model = Own()
    model(X)
    assert found(model, X) == ("output", "own", "Own")


def test_stats_of_a_tensor():
    stats = TensorStats.from_tensor("a", np.array([[np.nan, np.inf, -np.inf], [1.0, 2.0, 6.0]]))
    assert stats == TensorStats("a", (2, 3), 1, 2, 1.0, 6.0, 3.0)
    assert not stats.is_finite
    assert TensorStats.from_tensor("b", np.arange(3)).is_finite


def test_a_nested_model_in_inference_is_hooked_too():
    model, seen = chain(), []
    model.get_layer("inner")(X)
    model.get_layer("inner")(X)  # it would be a compiled call by now, on some backends

    def around(path, layer, args, kwargs):
        seen.append(path)
        return layer(*args, **kwargs)

    with hook_layers(model, around) as call:
        y = call(X, training=False)
    assert seen == ["inner/first", "inner/second", "out"]
    np.testing.assert_allclose(
        ops.convert_to_numpy(y), ops.convert_to_numpy(model(X)), rtol=1e-5, atol=1e-6
    )
    assert seen == ["inner/first", "inner/second", "out"]


# -------------------------------------------------------------------- TerminateOnNaN


def exploding():
    """Overflows in its layer `middle` as soon as its weights have taken one large step."""
    model = chain(keras.layers.Dense(4, name="middle"))
    model.compile(keras.optimizers.SGD(1e25), "mse")
    return model


def test_terminate_on_nan_reports_the_source():
    model = exploding()
    callback = keras.callbacks.TerminateOnNaN(raise_error=True, data=(X, Y))
    with pytest.raises(
        RuntimeError, match=r"Batch 1: .*\nThe first .* output of Dense '"
    ) as caught:
        model.fit(X, Y, batch_size=4, epochs=1, verbose=0, callbacks=[callback])
    assert "input (8, " in str(caught.value)


def test_terminate_on_nan_without_data_checks_the_weights(capsys):
    model = chain()
    model.get_layer("out").kernel.assign(np.full((4, 1), np.nan))
    model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    printed = capsys.readouterr().out
    assert "Batch 0: the loss is nan" in printed
    assert "the weight of Dense" in printed


def test_terminate_on_nan_uses_the_weights_from_before_the_batch():
    model = chain(lambda y: ops.log(y * 0.0 + keras.layers.Dense(1, name="scale")(y)))
    model.get_layer("scale").set_weights([np.zeros((4, 1)), np.ones(1)])
    with restore_on_exit(model):
        assert find_non_finite(model, X, Y) is None
    bad = X.copy()
    bad[7] = 1e38  # finite, but not what comes of it

    model.get_layer("scale").set_weights([np.full((4, 1), -0.5), np.ones(1)])
    callback = keras.callbacks.TerminateOnNaN(raise_error=True, data=(bad, Y))
    with pytest.raises(RuntimeError, match="output of Log"):
        model.fit(bad, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
