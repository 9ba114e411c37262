"""Every argument of every layer's constructor, with values of other types."""

import inspect

import numpy as np
import pytest
from layer_cases import LAYERS
from layer_cases.interop import OTHER_BACKENDS

import keras_fn as keras
from keras_fn import layers
from keras_fn.core.registry import builtin_qualified_name
from keras_fn.errors import KerasError

CLASSES = {
    builtin_qualified_name(cls)[1]: cls
    for cls in (getattr(layers, name) for name in dir(layers))
    if isinstance(cls, type) and issubclass(cls, layers.Layer)
}
CLASSES = {name: cls for name, cls in CLASSES.items() if name not in OTHER_BACKENDS}
REQUIRED = {  # without a row, or one of several that must be given
    "InputLayer": {"shape": (2,)},
    "Wrapper": {"layer": layers.Dense(2)},
    "CategoryEncoding": {"num_tokens": 4},
    "Discretization": {"bin_boundaries": [0.5]},
    "JaxLayer": {"params": np.ones((3, 2))},
}
SHARED = ("activity_regularizer", "autocast", "dtype", "trainable")


class Thing:
    def __repr__(self):
        return "Thing"


INVALID = ("bogus", b"x", 2.5, -7, Thing(), [1, "a"], {"a": 1})
# What fits after all: values by their repr, and the names of the arguments.
FITS = {
    "'bogus'": {"mask_token", "mask_value", "name", "oov_token"},
    "{'a': 1}": {"arguments", "mask_value", "offset", "output_shape", "scale"},
    "2.5": {
        "alpha", "epsilon", "l1", "l2", "logit_soft_cap", "mask_value", "max_value", "momentum",
        "negative_slope", "offset", "renorm_momentum", "scale", "stddev", "threshold",
        "clip_limit", "fill_value", "mag_exp", "max_freq", "min_freq", "min_power", "ref_power",
        "sigma", "top_db",
    },
    "-7": {
        "mask_token", "oov_token", "ref_power", "salt",
        "alpha", "attention_axes", "axes", "axis", "epsilon", "mask_value", "momentum", "offset",
        "fill_value", "renorm_momentum", "scale", "seed", "shared_axes",
    },
}  # fmt: skip
NAMED_SIZES_FIT = {("InputLayer", "shape"), ("InputLayer", "batch_shape")}  # [1, "a"]
ANYTHING_FITS = {  # what the function takes
    ("JaxLayer", "params"),
    ("JaxLayer", "state"),
    ("FlaxLayer", "variables"),
}
SAID_OTHERWISE = {("InputLayer", "batch_size"), ("InputLayer", "input_tensor")}


def arguments_of(name):
    """The parameters of a class, and values for those that must be given."""
    cls = CLASSES[name]
    parameters = inspect.signature(cls.__init__).parameters
    names = [p.name for p in list(parameters.values())[1:] if p.kind is not p.VAR_KEYWORD]
    values = REQUIRED.get(name, {})
    if name in LAYERS:  # what its row gives where the constructor must be given something
        row = LAYERS[name].arguments
        row = row(layers) if callable(row) else row
        required = {n for n, p in parameters.items() if p.default is p.empty}
        values = {**values, **{n: v for n, v in row.items() if n in required}}
    takes_more = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    more = [n for n in SHARED if takes_more and name != "ActivityRegularization"]
    return dict.fromkeys([*names, *more]), values


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_an_argument_of_another_type_is_refused_by_name(name):
    names, given = arguments_of(name)
    for argument in names:
        for value in INVALID:
            try:
                layer = CLASSES[name](**{**given, argument: value})
            except KerasError as error:
                text = str(error)
                assert text.startswith(CLASSES[name].__name__), text  # the layer
                assert argument in text or (name, argument) in SAID_OTHERWISE, text
                assert error.expected and error.received and error.fix
            else:
                fits = argument in FITS.get(repr(value), ()) or (name, argument) in ANYTHING_FITS
                fits |= value == [1, "a"] and (name, argument) in NAMED_SIZES_FIT
                assert fits, f"{name}({argument}={value!r}) made {layer}"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_numbers_and_booleans_of_numpy_are_numbers_and_booleans(name):
    _, given = arguments_of(name)

    def numpy_like(x):
        if isinstance(x, (bool, int, float)):
            return np.asarray(x)[()]
        return type(x)(map(numpy_like, x)) if isinstance(x, (list, tuple)) else x

    parameters = inspect.signature(CLASSES[name].__init__).parameters
    defaults = {
        n: p.default
        for n, p in parameters.items()
        if isinstance(p.default, (bool, int, float, tuple)) and n not in ("self",)
    }
    plain = CLASSES[name](**{**defaults, **given, "name": "one"})
    ours = CLASSES[name](**numpy_values({**defaults, **given}, numpy_like), name="one")
    if name != "Layer" and not holds_layers(given):
        assert ours.get_config() == plain.get_config()


def numpy_values(arguments, numpy_like):
    return {n: v if holds_layers({n: v}) else numpy_like(v) for n, v in arguments.items()}


def holds_layers(arguments):
    return any(isinstance(x, layers.Layer) for x in keras.tree.flatten(list(arguments.values())))


# ---------------------------------------------------------------- one of a few words

WORDS = {
    "padding": (lambda w: layers.MaxPooling1D(3, padding=w), ("valid", "same")),
    "padding of a convolution": (lambda w: layers.Conv2D(2, 3, padding=w), ("valid", "same")),
    "causal padding": (lambda w: layers.Conv1D(2, 3, padding=w), ("valid", "same", "causal")),
    "data_format": (lambda w: layers.Flatten(data_format=w), ("channels_last", "channels_first")),
    "interpolation": (
        lambda w: layers.UpSampling2D(2, interpolation=w),
        ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
    ),
    "merge_mode": (
        lambda w: layers.Bidirectional(layers.LSTM(2), merge_mode=w),
        ("concat", "sum", "mul", "ave"),
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_is_no_choice_is_refused_and_the_choices_are_named(name):
    make, words = WORDS[name]
    for word in words:
        make(word)
    with pytest.raises(ValueError) as caught:
        make("bogus")
    assert all(repr(word) in str(caught.value) for word in words)


@pytest.mark.parametrize("padding", ["SAME", "Valid", "same"])
def test_words_in_capitals_are_the_same_words(padding):
    x = np.ones((1, 7, 3), "float32")
    for layer in (
        layers.MaxPooling1D(3, padding=padding),
        layers.AveragePooling1D(3, strides=2, padding=padding),
        layers.Conv1D(2, 3, strides=2, padding=padding),
    ):
        lower = type(layer).from_config({**layer.get_config(), "padding": padding.lower()})
        expected = lower.compute_output_shape((1, 7, 3))
        assert layer(keras.Input(batch_shape=(1, 7, 3))).shape == expected
        assert tuple(layer(x).shape) == expected
