"""Every argument of every layer's constructor, with values of other types."""

import inspect

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.core.registry import builtin_qualified_name
from keras_fn.errors import KerasError

REQUIRED = {
    "Activation": ("relu",), "AlphaDropout": (0.1,), "AveragePooling1D": (2,),
    "AveragePooling2D": (2,), "AveragePooling3D": (2,), "Conv1D": (2, 1), "Conv1DTranspose": (2, 1),
    "Conv2D": (2, 1), "Conv2DTranspose": (2, 1), "Conv3D": (2, 1), "Conv3DTranspose": (2, 1),
    "Dense": (2,), "DepthwiseConv1D": (1,), "DepthwiseConv2D": (1,), "Dot": (1,), "Dropout": (0.1,),
    "EinsumDense": ("ab,bc->ac", 2), "GroupQueryAttention": (2, 2, 1), "MultiHeadAttention": (2, 2),
    "ReversibleEmbedding": (3, 2),
    "Embedding": (3, 2), "GRU": (2,), "GRUCell": (2,), "GaussianDropout": (0.1,),
    "GaussianNoise": (0.1,), "GroupNormalization": (1,), "HashedCrossing": (3,), "Hashing": (3,),
    "InputLayer": ((2,),), "LSTM": (2,),
    "LSTMCell": (2,), "Lambda": (abs,), "Permute": ((1,),), "RepeatVector": (2,),
    "Rescaling": (1.0,), "Reshape": ((2,),), "SeparableConv1D": (2, 1), "SeparableConv2D": (2, 1),
    "SimpleRNN": (2,), "SimpleRNNCell": (2,), "SpatialDropout1D": (0.1,),
    "SpatialDropout2D": (0.1,), "SpatialDropout3D": (0.1,),
}  # fmt: skip
WRAPPED = {
    "Bidirectional": lambda: layers.LSTM(2),
    "RNN": lambda: layers.LSTMCell(2),
    "SpectralNormalization": lambda: layers.Dense(2),
    "StackedRNNCells": lambda: [layers.LSTMCell(2)],
    "TimeDistributed": lambda: layers.Dense(2),
    "Wrapper": lambda: layers.Dense(2),
}
CLASSES = {
    builtin_qualified_name(cls)[1]: cls
    for cls in vars(layers).values()
    if isinstance(cls, type) and issubclass(cls, layers.Layer)
}
SHARED = ("activity_regularizer", "autocast", "dtype", "trainable")


class Thing:
    def __repr__(self):
        return "Thing"


INVALID = ("bogus", b"x", 2.5, -7, Thing(), [1, "a"], {"a": 1})
# What fits after all, by the name of the argument.
FITS = {
    "bogus": {"mask_token", "mask_value", "name", "oov_token"},
    "dict": {"arguments", "mask_value", "offset", "output_shape", "scale"},
    2.5: {
        "alpha", "epsilon", "l1", "l2", "logit_soft_cap", "mask_value", "max_value", "momentum",
        "negative_slope", "offset", "renorm_momentum", "scale", "stddev", "threshold",
    },
    -7: {
        "mask_token", "oov_token", "salt",
        "alpha", "attention_axes", "axes", "axis", "epsilon", "mask_value", "momentum", "offset",
        "renorm_momentum", "scale", "seed", "shared_axes",
    },
}  # fmt: skip
SAID_OTHERWISE = {("InputLayer", "batch_size"), ("InputLayer", "input_tensor")}


def arguments_of(name):
    """The parameters of a class, and values for those that must be given."""
    cls = CLASSES[name]
    parameters = inspect.signature(cls.__init__).parameters
    names = [p.name for p in list(parameters.values())[1:] if p.kind is not p.VAR_KEYWORD]
    values = (WRAPPED[name](),) if name in WRAPPED else REQUIRED.get(name, ())
    takes_more = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    more = [n for n in SHARED if takes_more and name != "ActivityRegularization"]
    return dict.fromkeys([*names, *more]), dict(zip(names, values, strict=False))


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
                fits = FITS.get(value if isinstance(value, (str, float, int)) else "dict", ())
                assert argument in fits, f"{name}({argument}={value!r}) made {layer}"


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
    if name not in (*WRAPPED, "Layer"):
        assert ours.get_config() == plain.get_config()


def numpy_values(arguments, numpy_like):
    return {n: numpy_like(v) if n != "layer" else v for n, v in arguments.items()}


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
