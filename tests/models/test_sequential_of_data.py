"""Stacks without an Input: what the first data leave open, nested inputs, layers without shapes."""

import io

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops


def ones(*shape):
    return np.ones(shape, "float32")


def tokens(*shape):
    return np.ones(shape, "int32")


STACKS = {
    # layers, first data, the input shape that is kept, data that fit, data that do not
    "text": (
        lambda: [layers.Embedding(9, 3), layers.LSTM(2), layers.Dense(1)],
        tokens(2, 5), (None, None), [tokens(3, 7), tokens(1, 1)], [],
    ),
    "image": (
        lambda: [layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)],
        ones(1, 8, 8, 3), (None, None, None, 3), [ones(3, 9, 12, 3)], [ones(1, 8, 8, 4)],
    ),
    "flat": (
        lambda: [layers.Conv1D(2, 3), layers.Flatten(), layers.Dense(2)],
        ones(1, 8, 3), (None, 8, 3), [ones(4, 8, 3)], [ones(1, 9, 3)],
    ),
    "pooled and flat": (  # of 9 and of 8 steps four are left, of 16 eight
        lambda: [layers.MaxPooling1D(2), layers.Flatten(), layers.Dense(2)],
        ones(2, 9, 3), (None, 9, 3), [ones(1, 9, 3)], [ones(1, 16, 3)],
    ),
    "dense": (lambda: [layers.Dense(2)], ones(2, 3), (None, 3), [ones(5, 3)], [ones(2, 4)]),
    "dense over time": (
        lambda: [layers.Dense(2)], ones(2, 4, 3), (None, None, 3), [ones(1, 7, 3)], [ones(2, 3)],
    ),
    "no weights": (lambda: [layers.Activation("relu")], ones(2, 3), (None, None), [ones(1, 9)], []),
    "fixed": (
        lambda: [layers.Reshape((3, 2)), layers.Dense(2)], ones(2, 6), (None, 6), [ones(1, 6)],
        [ones(1, 8)],
    ),
    "multiples": (
        lambda: [layers.Reshape((-1, 8)), layers.Dense(2)], ones(1, 12, 2), (None, None, None),
        [ones(1, 20, 2)], [],
    ),
}  # fmt: skip


def by_call(model, x):
    model(x)


def by_predict(model, x):
    model.predict(x, verbose=0)


WAYS = [
    *((name, by_call) for name in STACKS),
    ("dense", by_predict),
    *(pytest.param(n, by_predict, marks=pytest.mark.thorough) for n in STACKS if n != "dense"),
]


@pytest.mark.parametrize(("name", "use"), WAYS)
def test_what_data_build_keeps_what_weights_depend_on(name, use):
    make, first, kept, fitting, others = STACKS[name]
    model = keras.Sequential(make())
    use(model, first)
    assert model.input_shape == kept
    shapes = [w.shape for w in model.weights]
    for x in (first, *fitting):
        wanted = x
        for layer in model.layers:
            wanted = layer(wanted)
        wanted = ops.convert_to_numpy(wanted)
        np.testing.assert_allclose(ops.convert_to_numpy(model(x)), wanted, rtol=1e-5)
        np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5)
    for x in others:
        with pytest.raises(ValueError, match=r"Sequential model .*\n  expected: .*shape"):
            model(x)
    assert [w.shape for w in model.weights] == shapes


@pytest.mark.parametrize("name", [pytest.param("text", marks=pytest.mark.thorough), "image"])
def test_it_is_open_after_saving_cloning_and_copying_too(name):
    make, first, kept, fitting, _ = STACKS[name]
    model = keras.Sequential(make())
    model(first)
    model.save(file := io.BytesIO())
    model.summary(print_fn=lambda text: None)
    again = keras.saving.load_model(file)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    config = keras.Sequential.from_config(model.get_config())
    config.set_weights(model.get_weights())
    for other in (again, clone, config):
        assert other.input_shape == kept
        for x in (first, *fitting):
            np.testing.assert_allclose(
                other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5
            )


def test_it_trains_on_batches_of_other_lengths():
    model = keras.Sequential([layers.Embedding(9, 3), layers.GlobalAveragePooling1D()])
    model.compile("sgd", "mse")
    for length in (5, 8):
        model.fit(tokens(2, length), ones(2, 3), verbose=0)
    assert model.count_params() == 9 * 3


def test_a_shape_that_was_given_is_kept_whole():
    model = keras.Sequential([layers.Conv1D(2, 3)])
    model.build((None, 8, 3))
    assert model.input_shape == (None, 8, 3) and model.output_shape == (None, 6, 2)
    with pytest.raises(ValueError, match="Sequential"):
        model(ones(1, 9, 3))


def test_the_sizes_of_an_input_are_kept_until_others_come():
    model = keras.Sequential([layers.Conv1D(2, 3)])
    model(keras.Input((8, 3)))
    assert model.output_shape == (None, 6, 2)
    assert model(keras.Input((9, 3))).shape == (None, 7, 2)
    assert model(ones(2, 5, 3)).shape == (2, 3, 2)
    with pytest.raises(ValueError, match="Sequential"):
        model(ones(2, 5, 4))
    other = keras.Sequential([layers.Conv1D(2, 3)])
    other(keras.Input((8, 3)))
    assert other.predict(ones(2, 9, 3), verbose=0).shape == (2, 7, 2)
    with pytest.raises(ValueError, match="Sequential"):
        other.predict(ones(2, 9, 4), verbose=0)


def test_a_stack_in_a_stack_is_open_too():
    inner = keras.Sequential([layers.Conv1D(2, 3), layers.GlobalAveragePooling1D()])
    model = keras.Sequential([inner, layers.Dense(1)])
    model.predict(ones(2, 8, 3), verbose=0)
    assert model.input_shape == inner.input_shape == (None, None, 3)
    assert model.predict(ones(1, 11, 3), verbose=0).shape == (1, 1)
    assert inner(ones(1, 4, 3)).shape == (1, 2)


def test_a_state_for_each_sample_keeps_the_batch():
    model = keras.Sequential([layers.LSTM(2, stateful=True)])
    model(ones(2, 4, 3))
    assert model.input_shape == (2, None, 3)
    assert model(ones(2, 7, 3)).shape == (2, 2)


def test_weights_of_a_size_that_the_call_does_not_need():
    class Bias(layers.Layer):
        def build(self, input_shape):
            self.bias = self.add_weight((input_shape[1],), initializer="ones")

        def call(self, x):
            return x + ops.mean(self.bias)

    model = keras.Sequential([Bias()])
    model(ones(1, 4))
    assert model(ones(2, 6)).shape == (2, 6)
    assert keras.models.clone_model(model).weights[0].shape == (4,)


# ---------------------------------------------------------------- layer by layer


@keras.saving.register_keras_serializable("stacks")
class Sum(layers.Layer):
    """A layer of several tensors."""

    def call(self, inputs):
        values = inputs.values() if isinstance(inputs, dict) else inputs
        return sum(values)


@keras.saving.register_keras_serializable("stacks")
class NoShape(layers.Layer):
    """A layer that cannot infer its output."""

    def compute_output_spec(self, *args, **kwargs):
        raise NotImplementedError

    def call(self, x):
        return x * 2


@keras.saving.register_keras_serializable("stacks")
class NeedsValues(NoShape):
    """Besides, one that cannot run on symbols."""

    def call(self, x):
        return ops.convert_to_tensor(ops.convert_to_numpy(x) * 2)


A, B = ones(2, 3), 2 * ones(2, 3)
NESTED = {"dict": {"a": A, "b": B}, "list": [A, B], "tuple": (A, B)}


@pytest.mark.parametrize("kind", NESTED)
def test_the_first_layer_may_take_several_tensors(kind):
    x = NESTED[kind]
    model = keras.Sequential([Sum(), layers.Dense(2)])
    result = ops.convert_to_numpy(model(x))
    wanted = 3 * A @ model.layers[1].get_weights()[0]
    np.testing.assert_allclose(result, wanted, rtol=1e-5)
    assert model.built and model.count_params() == 8
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5)
    model.compile("sgd", "mse")
    before = model.get_weights()[0].copy()
    model.fit(x, ones(2, 2), verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0
    model.summary(print_fn=(lines := []).append)
    assert "dense" in "".join(lines).lower()
    model.save(file := io.BytesIO())
    for other in (keras.saving.load_model(file), keras.models.clone_model(model)):
        other.set_weights(model.get_weights())
        np.testing.assert_allclose(
            other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5
        )
    fresh = keras.Sequential([Sum(), layers.Dense(2)])
    shapes = {"dict": {"a": (None, 3), "b": (None, 3)}}.get(kind, [(None, 3), (None, 3)])
    fresh.build(shapes)
    assert fresh.built and fresh.count_params() == 8


@pytest.mark.parametrize("layer", [NoShape, NeedsValues])
@pytest.mark.parametrize("start", [[], [keras.Input((3,))]], ids=["data", "Input"])
def test_a_layer_without_shapes_runs_layer_by_layer(layer, start):
    if layer is NeedsValues and keras.config.backend() == "tensorflow" and start:
        pytest.skip("the same as without an Input")
    model = keras.Sequential([*start, layers.Dense(3), layer(), layers.Dense(2)])
    wanted = ops.convert_to_numpy(model(A))
    hidden = 2 * (A @ model.layers[0].get_weights()[0])
    np.testing.assert_allclose(wanted, hidden @ model.layers[2].get_weights()[0], rtol=1e-5)
    assert model.built and len(model.weights) == 4
    with pytest.raises(AttributeError, match="runs layer by layer, so its output_shape"):
        _ = model.output_shape
    model.save(file := io.BytesIO())
    again = keras.saving.load_model(file)
    np.testing.assert_allclose(ops.convert_to_numpy(again(A)), wanted, rtol=1e-5)
    if layer is NoShape:
        model.compile("sgd", "mse")
        model.fit(A, ones(2, 2), verbose=0)
        np.testing.assert_allclose(model.predict(A, verbose=0), model.predict_on_batch(A))
        assert ops.convert_to_numpy(model(A, training=True)).shape == (2, 2)


def test_masks_pass_from_layer_to_layer():
    x = np.array([[1, 2, 0, 0]], "int32")
    steps = [layers.Embedding(4, 2, mask_zero=True), NoShape(), layers.GlobalAveragePooling1D()]
    steps[1].supports_masking = True
    model = keras.Sequential(steps)
    short = steps[2](steps[0](x[:, :2]) * 2)
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(x)), ops.convert_to_numpy(short), rtol=1e-5
    )


def test_adding_a_layer_afterwards_starts_anew():
    model = keras.Sequential([NoShape()])
    model(A)
    model.add(layers.Dense(2))
    assert model(A).shape == (2, 2) and model.count_params() == 8
    model.pop()
    assert model(A).shape == (2, 3)
    shaped = keras.Sequential([layers.Conv1D(2, 3)])
    shaped(ones(1, 8, 3))
    shaped.add(layers.Flatten())
    shaped.add(layers.Dense(4))
    assert shaped.built and shaped.output_shape == (None, 4)
    assert shaped.input_shape == (None, 8, 3)
    shaped.pop()
    assert shaped.input_shape == (None, None, 3) and shaped(ones(1, 5, 3)).shape == (1, 6)
    shaped.add(layers.Dense(2))  # it has no weights for this yet: data tell
    assert shaped(ones(1, 8, 3)).shape == (1, 2)
