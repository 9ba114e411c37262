"""`Model.diff`: which layers, arguments, wiring and weights differ."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers

HAS_64_BIT_INTEGERS = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has 32-bit integers by default"
)


def build(units=4, training=None, swap=False, extra=False, factor=2.0):
    x, z = keras.Input((3,), name="x"), keras.Input((3,), name="z")
    h = layers.Dense(units, kernel_initializer="ones")(x)
    h = layers.Dropout(0.5)(h) if extra else h
    stack = [layers.Dense(4, kernel_initializer="ones"), layers.BatchNormalization()]
    a = keras.Sequential(stack, name="encoder")(h, training=training)
    b = layers.Dense(4, kernel_initializer="ones")(z)
    y = layers.Subtract()([b, a] if swap else [a, b]) * factor
    return keras.Model([x, z], layers.Dense(1, name="head", kernel_initializer="ones")(y))


def facts(diff):
    return [(d.path.rstrip("_0123456789"), d.aspect, d.model, d.other) for d in diff]


@pytest.fixture(scope="module")
def model():
    return build()


def test_models_that_are_alike_do_not_differ(model, tmp_path):
    other = build()  # with other automatic names
    assert not model.diff(other)
    assert str(model.diff(other)).startswith("No differences between 'functional")
    model.save(tmp_path / "model.keras")
    assert not model.diff(keras.models.load_model(tmp_path / "model.keras"))
    assert not model.diff(model)


def test_a_loaded_model_does_not_differ_where_inner_layers_have_other_paths(tmp_path):
    model = keras.Sequential([keras.Input((5, 4)), layers.Bidirectional(layers.GRU(3))])
    model.save(tmp_path / "model.keras")
    other = keras.models.load_model(tmp_path / "model.keras")
    assert not model.diff(other)
    other.layers[0].backward_layer.cell.bias.assign_add(np.ones((2, 9)))
    assert [d.aspect for d in model.diff(other)] == ["backward_gru/gru_cell/bias"]


def test_arguments_and_shapes(model):
    shapes = [
        ("dense", "units", "4", "8"),
        ("dense", "kernel", "float32 (3, 4)", "float32 (3, 8)"),
        ("dense", "bias", "float32 (4,)", "float32 (8,)"),
        ("encoder/input_layer", "batch_shape", "(None, 4)", "(None, 8)"),
        ("encoder/dense", "kernel", "float32 (4, 4)", "float32 (8, 4)"),
    ]
    assert facts(model.diff(build(units=8))) == shapes


def test_wiring(model):
    ((path, aspect, ours, theirs),) = model.diff(build(swap=True))
    assert path.startswith("subtract")
    assert aspect == "inputs"
    assert ours.startswith("[encoder, dense")
    assert theirs.endswith(", encoder]")
    ((path, aspect, ours, theirs),) = model.diff(build(training=False))
    assert (path, aspect) == ("encoder", "inputs")
    assert (ours[:5], theirs[:5], theirs[-16:]) == ("dense", "dense", ", training=False")
    ((path, aspect, ours, theirs),) = model.diff(build(factor=3.0))
    assert path.startswith("multiply")
    assert (ours[-3:], theirs[-3:]) == ("2.0", "3.0")


def test_a_layer_that_only_one_model_has(model):
    added = facts(model.diff(build(extra=True)))
    assert added[-1] == ("dropout", "layer", "-", "Dropout(rate=0.5)")
    assert [fact[:2] for fact in added] == [("encoder", "inputs"), ("dropout", "layer")]
    lost = facts(build(extra=True).diff(model))
    assert ("dropout", "layer", "Dropout(rate=0.5)", "-") in lost
    assert len(lost) == 2


def test_values_of_weights(model):
    other = keras.models.clone_model(model)
    other.get_layer("head").kernel.assign(3 * np.ones((4, 1)))
    ((path, aspect, ours, theirs),) = model.diff(other)
    assert (path, aspect, ours) == ("head", "kernel", "mean 1, std 0")
    assert theirs == "mean 3, std 0; largest difference 2"
    assert not model.diff(other, weights=False)


def test_names_that_the_user_gave():
    first, second = (
        keras.Sequential([keras.Input((2,)), layers.Dense(2, "relu", name=name, dtype=dtype)])
        for name, dtype in (("one", "float32"), ("two", "mixed_bfloat16"))
    )
    found = facts(first.diff(second, weights=False))
    policies = [f"DTypePolicy(name='{name}')" for name in ("float32", "mixed_bfloat16")]
    assert found == [("one", "name", "one", "two"), ("one", "dtype", *policies)]
    second = keras.Sequential([keras.Input((2,)), layers.Dropout(0.5, name="one")])
    found = facts(first.diff(second))
    assert found[0] == ("one", "layer", "Dense(units=2)", "Dropout(rate=0.5)")


def test_outputs_of_the_model(model):
    x = keras.Input((3,))
    first, second = layers.Dense(2, name="a"), layers.Dense(2, name="b")
    y = [first(x), second(x)]
    one, other = keras.Model(x, {"out": y[0], "rest": y[1]}), keras.Model(x, y)
    (difference,) = one.diff(other)
    assert difference[1:] == ("outputs", "{out: a, rest: b}", "[a, b]")


def test_a_subclassed_model_is_compared_layer_by_layer():
    class Pair(keras.Model):
        def __init__(self, rate):
            super().__init__()
            self.first, self.second = layers.Dense(2), layers.Dropout(rate)

        def call(self, x):
            return self.second(self.first(x))

    assert facts(Pair(0.1).diff(Pair(0.2))) == [("dropout", "rate", "0.1", "0.2")]


def test_the_table(model):
    diff = model.diff(build(units=8))
    text = str(diff)
    assert text.count("dense") == 2  # a layer is named once
    assert "units" in text
    assert "<pre>" in diff._repr_html_()
    assert repr(diff).endswith("5 differences>")
    assert diff[0].aspect == "units"
    assert [d.aspect for d in diff[1:3]] == ["kernel", "bias"]


def test_another_object_is_refused(model):
    with pytest.raises(TypeError, match="a model to compare it with"):
        model.diff("model.keras")


@pytest.mark.parametrize(
    "dtype, ours, theirs, largest",
    [
        pytest.param("int64", 2**53, 2**53 + 1, "1", marks=HAS_64_BIT_INTEGERS),
        ("complex64", 1 + 1j, 1 + 3j, "2"),
        ("float32", np.inf, -np.inf, "inf"),
        ("float32", np.nan, 1.0, "nan"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_values_of_any_kind_are_compared_exactly(dtype, ours, theirs, largest):
    models = []
    for value in (ours, theirs):
        x, layer = keras.Input((1,)), layers.Dense(1, use_bias=False)
        models.append(keras.Model(x, layer(x)))
        layer.value = layer.add_weight(shape=(), dtype=dtype, initializer="zeros", name="value")
        layer.value.assign(np.asarray(value, dtype))
        layer.kernel.assign([[1.0]])
    (difference,) = models[0].diff(models[1])
    assert difference.aspect == "value"
    assert difference.other.endswith(f"largest difference {largest}")
