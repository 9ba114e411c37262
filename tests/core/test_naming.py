"""Automatic names, name scopes and what may be a name."""

import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.core.naming import auto_name, check_name, current_path, get_uid, to_snake_case


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


def test_layers_are_numbered_by_class():
    names = [layers.Dense(1).name, layers.Dense(1).name, layers.Dropout(0.1).name]
    assert names == ["dense", "dense_1", "dropout"]


def test_a_given_name_does_not_count():
    layers.Dense(1, name="mine")
    assert layers.Dense(1).name == "dense"


def test_clear_session_lets_names_begin_anew():
    layers.Dense(1)
    keras.utils.clear_session()
    assert layers.Dense(1).name == "dense"


# Names that Keras gives these classes.
@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("Conv2DTranspose", "conv2d_transpose"),
        ("GRUCell", "gru_cell"),
        ("InputLayer", "input_layer"),
        ("GlobalAveragePooling1D", "global_average_pooling1d"),
        ("MyVAE", "my_vae"),
        ("already_snake", "already_snake"),
    ],
)
def test_class_names_become_snake_case(name, snake):
    assert to_snake_case(name) == snake


def test_uids_count_from_one_for_each_prefix():
    assert [get_uid("a"), get_uid("a"), get_uid("b")] == [1, 2, 1]
    assert auto_name("a") == "a"  # another count


def test_scopes_nest_and_end():
    with keras.name_scope("a"), keras.name_scope("b"):
        assert current_path() == "a/b"
    assert current_path() == ""


def test_a_scope_can_be_entered_again_and_ends_after_an_error():
    scope = keras.name_scope("a")
    with pytest.raises(KeyError), scope:
        raise KeyError
    assert current_path() == ""
    with scope:
        assert current_path() == "a"
    assert current_path() == ""


def test_weights_are_named_by_the_layers_around_them():
    inner = layers.Dense(1, name="inner")
    model = keras.Sequential([keras.Input((2,)), inner], name="outer")
    assert next(iter(model.weights)).path.endswith("inner/kernel")


@pytest.mark.parametrize("wrong", ["", "a/b", "a\\b", "a\nb", ".", "..", "x" * 256, 3])
def test_a_name_that_cannot_be_a_key_of_a_file_is_refused(wrong):
    with pytest.raises(ValueError, match="name"):
        check_name(wrong, "Dense")
    with pytest.raises(ValueError, match="name"):
        layers.Dense(1, name=wrong)


@pytest.mark.parametrize("name", ["a", "dense 1", "größe", "x" * 255, "a.b", "..."])
def test_other_names_are_taken(name):
    assert layers.Dense(1, name=name).name == name


@pytest.mark.parametrize("wrong", [None, 3, "a/b"])
def test_a_scope_needs_a_string_without_a_slash(wrong):
    with pytest.raises(ValueError, match="name_scope\n  expected: a name without '/'"):
        keras.name_scope(wrong)
