"""How a graph binds what it is called on: in order, or by name, never by sorted position."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import SpecError

A = np.arange(6, dtype="float32").reshape(2, 3)
B = np.arange(4, dtype="float32").reshape(2, 2) + 10


def numpy(x):
    return ops.convert_to_numpy(x)


def sums(x):
    return ops.sum(x, axis=-1, keepdims=True)


def two_inputs(structure):
    """A model of a (3 wide) and b (2 wide) that gives 1 * sum(a) + 100 * sum(b)."""
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    return keras.Model(structure(a, b), sums(a) + 100.0 * sums(b))


EXPECTED = A.sum(-1, keepdims=True) + 100 * B.sum(-1, keepdims=True)

STRUCTURES = {
    "list": lambda a, b: [a, b],
    "list, b first": lambda a, b: [b, a],
    "tuple": lambda a, b: (a, b),
    "dict": lambda a, b: {"a": a, "b": b},
    "dict, b first": lambda a, b: {"b": b, "a": a},
    "dict of other keys": lambda a, b: {"z": a, "y": b},
    "dict in a list": lambda a, b: [{"b": b}, a],
    "list in a dict": lambda a, b: {"pair": [b, a]},
    "dict in a dict": lambda a, b: {"outer": {"b": b, "a": a}},
}


@pytest.mark.parametrize("kind", STRUCTURES)
def test_inputs_keep_their_structure(kind):
    structure = STRUCTURES[kind]
    model, data = two_inputs(structure), structure(A, B)
    for _ in range(3):  # the third call is a compiled one
        np.testing.assert_array_equal(numpy(model(data)), EXPECTED)
    np.testing.assert_array_equal(model.predict(data, verbose=0), EXPECTED)


@pytest.mark.parametrize("kind", ["dict", "dict, b first"])
@pytest.mark.parametrize("keys", ["ab", "ba"])
def test_the_order_of_the_keys_does_not_matter(kind, keys):
    model, values = two_inputs(STRUCTURES[kind]), {"a": A, "b": B}
    data = {key: values[key] for key in keys}
    np.testing.assert_array_equal(numpy(model(data)), EXPECTED)
    np.testing.assert_array_equal(model.predict(data, verbose=0), EXPECTED)


def test_keys_of_a_dict_inside_a_list_are_bound_by_name():
    a, b, c = (keras.Input((1,), name=name) for name in "abc")
    model = keras.Model([{"b": b, "a": a}, c], a + 10.0 * b + 100.0 * c)
    one, two, three = (np.full((1, 1), float(n), "float32") for n in (1, 2, 3))
    data = [{"a": one, "b": two}, three]
    assert numpy(model(data)).item() == 321.0
    assert model.predict(data, verbose=0).item() == 321.0


@pytest.mark.parametrize("kind", ["list", "list, b first"])
def test_a_model_of_a_list_takes_a_dict_by_name(kind):
    model = two_inputs(STRUCTURES[kind])
    for data in ({"a": A, "b": B}, {"b": B, "a": A}):
        np.testing.assert_array_equal(numpy(model(data)), EXPECTED)
        np.testing.assert_array_equal(model.predict(data, verbose=0), EXPECTED)


def test_a_single_input_is_taken_bare_in_a_list_and_by_name():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, x * 2.0)
    for data in (A, [A], {"x": A}):
        np.testing.assert_array_equal(numpy(model(data)), A * 2)
        np.testing.assert_array_equal(model.predict(data, verbose=0), A * 2)


def test_outputs_come_in_the_structure_and_order_in_which_they_were_declared():
    x = keras.Input((3,))
    model = keras.Model(x, {"z": x + 1.0, "a": [x + 2.0, x + 3.0], "m": (x + 4.0,)})
    for result in (model(A), model.predict(A, verbose=0), model.predict_on_batch(A)):
        assert list(result) == ["z", "a", "m"]
        assert isinstance(result["a"], list)
        assert isinstance(result["m"], tuple)
        found = [result["z"], *result["a"], *result["m"]]
        for i, value in enumerate(found):
            np.testing.assert_array_equal(numpy(value), A + 1 + i)


def test_an_output_may_stand_in_the_outputs_twice():
    x = keras.Input((3,))
    y = x * 2.0
    first, again = keras.Model(x, [y, y])(A)
    np.testing.assert_array_equal(numpy(first), numpy(again))


def test_a_missing_key_is_named():
    model = two_inputs(STRUCTURES["dict"])
    expected = (
        f"Functional model {model.name!r}\n"
        "  expected: inputs named a, b\n"
        "  received: inputs named a\n"
        "  fix:      add b"
    )
    for call in (model, lambda x: model.predict(x, verbose=0)):
        with pytest.raises(SpecError) as caught:
            call({"a": A})
        assert expected in str(caught.value).replace(f"Functional model {model.name!r}, in ", "")


def test_an_unexpected_key_is_named():
    model = two_inputs(STRUCTURES["list"])
    with pytest.raises(SpecError) as caught:
        model.predict({"a": A, "b": B, "c": B}, verbose=0)
    assert str(caught.value) == (
        f"Functional model {model.name!r}\n"
        "  expected: inputs named a, b\n"
        "  received: inputs named a, b, c\n"
        "  fix:      drop c"
    )


def test_a_misspelt_key_is_both_missing_and_unexpected():
    model = two_inputs(STRUCTURES["list"])
    with pytest.raises(SpecError, match="fix:      add b; drop B"):
        model.predict({"a": A, "B": B}, verbose=0)


def test_too_few_inputs_are_counted():
    model = two_inputs(STRUCTURES["list"])
    with pytest.raises(SpecError) as caught:
        model.predict([A], verbose=0)
    assert str(caught.value) == (
        f"Functional model {model.name!r}\n"
        "  expected: 2 inputs: a, b\n"
        "  received: 1\n"
        "  fix:      pass one tensor for each, as a list in this order or as a dict by name"
    )


def test_inputs_in_the_wrong_order_are_refused_by_their_shape():
    model = two_inputs(STRUCTURES["list"])
    with pytest.raises(SpecError, match="input 'a' of shape"):
        model([B, A])


def test_an_optional_input_may_be_none_or_left_out():
    class AddIfThere(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape):
            return x_shape

    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y", optional=True)
    model = keras.Model({"x": x, "y": y}, AddIfThere()(x, y))
    for data, expected in [
        ({"x": A, "y": A}, A * 2),
        ({"x": A, "y": None}, A),
        ({"x": A}, A),
    ]:
        np.testing.assert_array_equal(numpy(model(data)), expected)
        np.testing.assert_array_equal(model.predict(data, verbose=0), expected)


def test_an_input_that_is_not_optional_refuses_none():
    model = two_inputs(STRUCTURES["list"])
    with pytest.raises(SpecError, match="create it as Input"):
        model([A, None])


@pytest.mark.parametrize("given", ["int32", "float64", "uint8", "bool"])
def test_data_is_cast_to_the_dtype_of_the_input(given):
    x = keras.Input((3,))
    model = keras.Model(x, x / 2.0)
    data = np.ones((2, 3), given)
    for result in (model(data), model.predict(data, verbose=0)):
        assert str(numpy(result).dtype) == "float32"
        np.testing.assert_array_equal(numpy(result), np.full((2, 3), 0.5))


def test_whole_floats_are_cast_to_an_integer_input():
    x = keras.Input((2,), dtype="int32")
    model = keras.Model(x, layers.Embedding(5, 3)(x))
    ids = np.array([[0, 4]])
    np.testing.assert_array_equal(numpy(model(ids.astype("float32"))), numpy(model(ids)))


def test_a_missing_last_axis_of_size_one_is_added_and_a_spare_one_dropped():
    x = keras.Input((1,))
    model = keras.Model(x, x * 2.0)
    for predict in (model, lambda x: model.predict(x, verbose=0)):
        assert numpy(predict(np.ones(4, "float32"))).shape == (4, 1)
        assert numpy(predict(np.ones((4, 1, 1), "float32"))).shape == (4, 1)


def test_a_missing_batch_axis_is_told():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, x * 2.0)
    with pytest.raises(SpecError) as caught:
        model(np.ones(3, "float32"))
    assert "expected: input 'x' of shape (None, 3)" in str(caught.value)
    assert "received: shape (3,)" in str(caught.value)
    assert "add the batch axis, for example x[None]" in str(caught.value)


@pytest.mark.parametrize(
    ("structure", "shapes"),
    [
        (lambda a, b: a, (None, 2)),
        (lambda a, b: [a], (None, 2)),
        (lambda a, b: {"one": a}, (None, 2)),
        (lambda a, b: {"one": a, "two": b}, [(None, 2), (None, 3)]),
        (lambda a, b: [a, {"two": b}], [(None, 2), (None, 3)]),
    ],
)
def test_shapes_of_inputs_and_outputs_are_flat_as_in_keras(structure, shapes):
    a, b = keras.Input((2,)), keras.Input((3,))
    model = keras.Model(structure(a, b), structure(a * 2, b * 2))
    assert model.input_shape == model.output_shape == shapes
