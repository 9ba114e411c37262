"""What a graph computes: shared layers, nested models, inner tensors, compiled calls."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.arange(12, dtype="float32").reshape(4, 3) / 10


def numpy(x):
    return ops.convert_to_numpy(x)


def dense(x, layer):
    return x @ numpy(layer.kernel) + numpy(layer.bias)


def test_a_shared_layer_has_one_set_of_weights():
    a, b = keras.Input((3,)), keras.Input((3,))
    shared = layers.Dense(2, bias_initializer="ones")
    model = keras.Model([a, b], shared(a) - shared(b))
    assert len(model.weights) == 2
    expected = X @ numpy(shared.kernel) - (X * 2) @ numpy(shared.kernel)
    np.testing.assert_allclose(numpy(model([X, X * 2])), expected, atol=1e-6)


def test_models_nest_three_deep_and_keep_their_weights():
    def wrap(inner, units):
        x = keras.Input((3,))
        return keras.Model(x, layers.Dense(units)(inner(x)))

    x = keras.Input((3,))
    first = keras.Model(x, layers.Dense(3)(x))
    second = wrap(first, 4)
    third = wrap(second, 5)
    assert len(third.weights) == 6
    assert third.count_params() == 12 + 16 + 25
    result = dense(X, first.layers[-1])
    result = dense(result, second.layers[-1])
    result = dense(result, third.layers[-1])
    for _ in range(3):
        np.testing.assert_allclose(numpy(third(X)), result, atol=1e-6)
    np.testing.assert_allclose(third.predict(X, verbose=0), result, atol=1e-6)


def test_a_nested_model_called_twice_is_shared():
    x = keras.Input((3,))
    inner = keras.Model(x, layers.Dense(3)(x))
    outer = keras.Model(x, inner(inner(x)))
    expected = dense(dense(X, inner.layers[-1]), inner.layers[-1])
    np.testing.assert_allclose(numpy(outer(X)), expected, atol=1e-6)
    assert len(outer.weights) == 2


def test_inner_tensors_are_features():
    x = keras.Input((3,))
    hidden = layers.Dense(4, activation="relu", name="hidden")(x)
    model = keras.Model(x, layers.Dense(2)(hidden))
    extractor = keras.Model(model.inputs, [layer.output for layer in model.layers])
    entrance, features, result = extractor(X)
    np.testing.assert_array_equal(numpy(entrance), X)
    expected = np.maximum(dense(X, model.get_layer("hidden")), 0)
    np.testing.assert_allclose(numpy(features), expected, atol=1e-6)
    np.testing.assert_allclose(numpy(result), numpy(model(X)), atol=1e-6)
    assert extractor.layers[1] is model.get_layer("hidden")


def test_a_model_may_begin_at_an_inner_tensor():
    x = keras.Input((3,))
    hidden = layers.Dense(4)(x)
    out = layers.Dense(2)(hidden)
    whole, head = keras.Model(x, out), keras.Model(hidden, out)
    features = keras.Model(x, hidden)(X)
    np.testing.assert_allclose(numpy(head(features)), numpy(whole(X)), atol=1e-6)
    assert [type(layer).__name__ for layer in head.layers] == ["InputLayer", "Dense"]
    assert len(head.weights) == 2


def test_layers_inside_a_path_not_taken_are_left_out():
    x = keras.Input((3,))
    layers.Dense(9, name="unused")(x)
    model = keras.Model(x, layers.Dense(2)(x))
    assert "unused" not in [layer.name for layer in model.layers]


@pytest.mark.parametrize("given, in_inference, in_training", [
    (None, False, True), (True, True, True), (False, False, False),
])  # fmt: skip
def test_training_given_in_the_graph_wins(given, in_inference, in_training):
    class ReportsTraining(layers.Layer):
        def call(self, x, training=False):
            return x + (1.0 if training else 0.0)

    x = keras.Input((3,))
    model = keras.Model(
        x, ReportsTraining()(x) if given is None else ReportsTraining()(x, training=given)
    )
    reported = lambda **kwargs: bool(numpy(model(np.zeros((1, 3)), **kwargs))[0, 0])  # noqa: E731
    assert reported() is in_inference
    assert reported(training=False) is in_inference
    assert reported(training=True) is in_training


def test_dropout_that_is_told_training_false_stays_off_in_fit():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dropout(0.5)(x, training=False))
    model.compile("sgd", "mse")
    history = model.fit(X, X, verbose=0)
    assert history.history["loss"] == [0.0]


def test_later_calls_equal_the_first():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2, activation="tanh")(layers.Dense(4)(x)))
    first = numpy(model(X))
    for _ in range(3):
        np.testing.assert_allclose(numpy(model(X)), first, atol=1e-6)
    model.layers[1].kernel.assign(np.zeros((3, 4), "float32"))
    expected = np.tanh(np.broadcast_to(numpy(model.layers[2].bias), (4, 2)))
    np.testing.assert_allclose(numpy(model(X)), expected, atol=1e-6)


def test_gradients_flow_through_every_call():
    x = keras.Input((3,))
    layer = layers.Dense(2)
    model = keras.Model(x, layer(x))
    expected = np.repeat(X.sum(0)[:, None], 2, axis=1)
    for _ in range(4):
        _, (kernel, bias) = keras.value_and_grad(
            lambda: ops.sum(model(X)), model.trainable_variables
        )()
        np.testing.assert_allclose(numpy(kernel), expected, rtol=1e-6)
        np.testing.assert_allclose(numpy(bias), [4.0, 4.0])
        model(X)


def test_a_function_of_the_user_runs_at_every_call():
    calls = []

    def note(x):
        calls.append(1)
        return x * 2.0

    x = keras.Input((3,))
    wrapped = keras.Model(x, layers.Lambda(note, output_shape=(3,))(x))
    before = len(calls)
    for _ in range(4):
        wrapped(X)
    assert len(calls) == before + 4


def test_two_layers_of_one_name_are_refused():
    x = keras.Input((3,), name="x")
    y = layers.Dense(2, name="twin")(layers.Dense(2, name="twin")(x))
    with pytest.raises(ValueError) as caught:
        keras.Model(x, y, name="m")
    assert str(caught.value) == (
        "Functional model 'm'\n"
        "  expected: layers whose names are all different\n"
        "  received: two layers named 'twin' (Dense and Dense)\n"
        "  fix:      give one of them another name="
    )


def test_an_input_that_is_not_in_the_graph_is_told():
    x, other = keras.Input((3,), name="x"), keras.Input((3,), name="other")
    with pytest.raises(ValueError) as caught:
        keras.Model(x, layers.add([x, other]), name="m")
    assert str(caught.value) == (
        "Functional model 'm'\n"
        "  expected: outputs that can be computed from the inputs 'x'\n"
        "  received: a path that begins at the tensor of 'other' (shape (None, 3)), "
        "not an input\n"
        "  fix:      add that tensor to inputs=, or build the outputs from 'x' alone"
    )


def test_an_input_that_nothing_uses_is_allowed():
    x, unused = keras.Input((3,), name="x"), keras.Input((2,), name="unused")
    model = keras.Model([x, unused], x * 2.0)
    np.testing.assert_array_equal(numpy(model([X, np.zeros((4, 2))])), X * 2)


def test_things_that_are_no_symbolic_tensors_are_refused():
    x = keras.Input((3,))
    with pytest.raises(TypeError, match="outputs that are KerasTensors"):
        keras.Model(x, X)
    with pytest.raises(TypeError, match="inputs that are KerasTensors"):
        keras.Model(X, x)


def test_one_tensor_cannot_be_two_inputs():
    x = keras.Input((3,))
    with pytest.raises(ValueError, match="the same tensor twice"):
        keras.Model([x, x], x * 2.0)


def test_a_model_is_a_layer_of_another_graph_with_structures():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    inner = keras.Model({"b": b, "a": a}, {"minus": a - b, "add": a + b})
    x, y = keras.Input((3,)), keras.Input((3,))
    result = inner({"a": x, "b": y})
    outer = keras.Model([x, y], [result["add"], result["minus"]])
    add, minus = outer([X, X * 3])
    np.testing.assert_allclose(numpy(add), X * 4, rtol=1e-6)
    np.testing.assert_allclose(numpy(minus), X * -2, rtol=1e-6)


def test_a_model_from_the_middle_leaves_the_layers_of_the_first_unambiguous():
    x = keras.Input((2,))
    a = layers.Dense(3, name="a")(x)
    b = layers.Dense(3, name="b")(a)
    whole = keras.Model(x, layers.Dense(1, name="c")(b))
    half = keras.Model(a, whole.output)
    again = keras.Model(half.input, half.output)  # a part of a part
    for _ in range(2):
        assert whole.get_layer("b").input is a and whole.get_layer("b").output is b
        assert half.get_layer("b").output is b
        features = keras.Model(whole.input, whole.get_layer("b").output)
        assert features.output_shape == (None, 3)
        keras.models.clone_model(again)
    data = np.ones((2, 2), "float32")
    inner = whole.get_layer("a")(data)
    found = ops.convert_to_numpy(half(inner))
    np.testing.assert_allclose(found, ops.convert_to_numpy(whole(data)), rtol=1e-6)
    z = keras.Input((2,))
    whole.get_layer("b")(keras.Input((3,)))  # another call by the user is one
    with pytest.raises(AttributeError, match="called 2 times"):
        _ = whole.get_layer("b").output
    assert half(whole.get_layer("a")(z)).shape == (None, 1)


def test_the_layers_of_a_stack_have_the_tensors_of_its_newest_graph():
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    for name in "abc":
        model.add(layers.Dense(3, name=name))
    model.pop()
    features = keras.Model(model.inputs, model.get_layer("a").output)
    assert features(np.ones((1, 2))).shape == (1, 3)
    assert model.get_layer("b").output is model.output
    other = keras.Sequential([keras.Input((2,)), *model.layers, layers.Dense(1)])
    assert model.get_layer("b").output is model.output
    assert other(np.ones((1, 2))).shape == (1, 1)
