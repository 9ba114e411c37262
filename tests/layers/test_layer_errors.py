"""What layers and models refuse while they are built, word by word, alike on every backend."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import DTypeError, SpecError


def message(error: type[Exception], function, *args, **kwargs) -> str:
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def text(source: str, expected: str, given: str, fix: str) -> str:
    return f"{source}\n  expected: {expected}\n  received: {given}\n  fix:      {fix}"


def test_an_input_of_the_wrong_rank():
    for inputs in (keras.Input((4,)), np.ones((2, 4), "float32")):
        shape = tuple(inputs.shape)
        assert message(SpecError, layers.Conv2D(2, 3, name="conv"), inputs) == text(
            "Conv2D layer 'conv'", "an input of rank 4", f"shape {shape}",
            "name all axes but the batch in Input(shape=...), or reshape the input",
        )  # fmt: skip


def test_an_input_of_too_many_axes():
    assert message(SpecError, layers.LSTM(2, name="rnn"), keras.Input((4, 5, 6))) == text(
        "LSTM layer 'rnn'", "an input of rank 3", "shape (None, 4, 5, 6)",
        "drop or join axes, for example with Flatten() or Reshape(...)",
    )  # fmt: skip


def test_a_last_axis_of_another_size_than_the_layer_was_built_for():
    dense = layers.Dense(2, name="out")
    dense(keras.Input((4,)))
    for inputs in (keras.Input((5,)), np.ones((2, 5), "float32")):
        assert message(SpecError, dense, inputs) == text(
            "Dense layer 'out'", "size 4 at axis -1", f"shape {tuple(inputs.shape)}",
            "feed size 4 there, or create another layer for this input",
        )  # fmt: skip


def test_an_input_of_the_wrong_dtype():
    layer = layers.Activation("linear", name="ids")
    layer.input_spec = keras.InputSpec(dtype="int32")
    for inputs in (keras.Input((4,)), np.ones((2, 4), "float32")):
        assert message(DTypeError, layer, inputs) == text(
            "Activation layer 'ids'", "dtype int32", "dtype float32",
            "cast the input, for example ops.cast(x, 'int32')",
        )  # fmt: skip


def test_outputs_that_hang_on_another_input():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    y = layers.Add()([a, b])
    assert message(SpecError, keras.Model, a, y, name="m") == text(
        "Functional model 'm'", "outputs that can be computed from the inputs 'a'",
        "a path that begins at the tensor of 'b' (shape (None, 2)), not an input",
        "add that tensor to inputs=, or build the outputs from 'a' alone",
    )  # fmt: skip


def test_an_input_that_is_not_in_the_graph():
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    y = layers.Dense(1)(a)
    assert message(SpecError, keras.Model, b, y, name="m") == text(
        "Functional model 'm'", "outputs that can be computed from the inputs 'b'",
        "a path that begins at the tensor of 'a' (shape (None, 2)), not an input",
        "add that tensor to inputs=, or build the outputs from 'b' alone",
    )  # fmt: skip


def test_two_layers_of_one_name():
    x = keras.Input((2,))
    y = layers.Dropout(0.1, name="same")(layers.Dense(2, name="same")(x))
    assert message(SpecError, keras.Model, x, y, name="m") == text(
        "Functional model 'm'", "layers whose names are all different",
        "two layers named 'same' (Dense and Dropout)", "give one of them another name=",
    )  # fmt: skip


@pytest.mark.parametrize("what", ["inputs", "outputs"])
def test_a_value_in_the_place_of_a_keras_tensor(what):
    x = keras.Input((2,))
    y = layers.Dense(1)(x)
    args = (np.ones(2), y) if what == "inputs" else (x, np.ones(2))
    assert message(TypeError, keras.Model, *args, name="m") == text(
        "Functional model 'm'",
        f"{what} that are KerasTensors, from keras_fn.Input or a layer's call on one",
        "ndarray array([1., 1.])", f"build {what} from Input(shape=...)",
    )  # fmt: skip


def test_a_framework_function_on_a_keras_tensor_outside_a_layer():
    name = keras.config.backend()
    framework = __import__(name)
    sine = framework.numpy.asarray if name == "jax" else framework.sin
    assert message(TypeError, sine, keras.Input((2,))) == (
        "A KerasTensor has no value, so functions of NumPy, JAX, PyTorch and TensorFlow cannot "
        "take it.\n  fix: use the function of that name in keras.ops, or call the framework's "
        "function "
        "in the call of a custom layer"
    )


@pytest.mark.parametrize("name", ["dense", "out"])
def test_a_call_without_arguments(name):
    layer = layers.Dense(2, name=name)
    expected = text(
        f"Dense layer {name!r}",
        "inputs: KerasTensors, tensors or arrays",
        "a call without arguments",
        f"call it on a tensor, for example layer({name}_inputs)",
    )  # fmt: skip
    assert message(SpecError, layer) == expected
    assert message(SpecError, layer, training=True) == expected
    assert not layer.built


@pytest.mark.parametrize("nothing", [None, [], "words", 3.0])
def test_a_call_on_what_is_no_tensor_says_so(nothing):
    layer = layers.Dense(2, name="d")
    with pytest.raises(SpecError) as caught:
        layer(nothing)
    assert str(caught.value).startswith("Dense layer 'd'\n  expected: ")
    assert not layer.built


def test_too_many_arguments():
    a = keras.Input((2,))
    assert message(TypeError, layers.Flatten(name="f"), a, a) == (
        "Flatten layer 'f'\n"
        "  expected: at most 1 arguments (inputs)\n"
        "  received: 2 arguments\n"
        "  fix:      pass several inputs of one layer as a list: layer([a, b])"
    )


@pytest.mark.parametrize("second", [keras.Input((2,)), np.ones((1, 2), "float32")])
def test_a_second_input_is_not_the_training_mode(second):
    found = message(TypeError, layers.Dense(1, name="d"), np.ones((1, 2), "float32"), second)
    assert found.startswith("Dense layer 'd'\n  expected: training: True or False\n")
    assert found.endswith("pass several inputs of one layer as a list: layer([a, b])")


def test_an_argument_that_call_does_not_take():
    assert message(TypeError, layers.Dense(1, name="d"), keras.Input((2,)), color=1) == (
        "Dense layer 'd'\n"
        "  expected: arguments of call: inputs, training\n"
        "  received: color=\n"
        "  fix:      remove it, or add color to the parameters of call"
    )


def test_an_error_inside_a_layer_names_the_layer_once():
    class Product(layers.Layer):
        def call(self, inputs):
            return ops.matmul(inputs, np.ones((5, 2), "float32"))

    class Outer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = Product(name="inner")

        def call(self, inputs):
            return self.inner(inputs)

    found = message(SpecError, Outer(name="outer"), keras.Input((4,)))
    assert found.splitlines()[0] == "Product layer 'inner', in ops.matmul"


def test_an_unknown_size_where_a_weight_needs_one():
    found = message(SpecError, layers.Dense(2, name="d"), keras.Input((None,)))
    assert found.startswith("Dense layer 'd'\n  expected: ") and "(None, None)" in found


def test_an_unknown_argument_of_the_constructor():
    assert message(TypeError, layers.Dense, 1, color=2) == (
        "Dense\n"
        "  expected: arguments of its signature\n"
        "  received: color=\n"
        "  fix:      remove what it does not take"
    )


def unconstructed(base: type) -> type:
    """Returns a subclass whose constructor forgets that of its base class."""

    def forget(self):
        self.units = 3

    return type("Forgetful", (base,), {"__init__": forget, "call": lambda self, *x: x[0]})


@pytest.mark.parametrize(
    "use",
    [
        lambda: unconstructed(layers.Layer)()(np.ones((1, 2))),
        lambda: unconstructed(layers.Layer)()(keras.Input((2,))),
        lambda: unconstructed(layers.Layer)().add_weight((2,)),
        lambda: unconstructed(layers.Layer)().weights,
        lambda: keras.Sequential([unconstructed(layers.Layer)()]),
        lambda: unconstructed(keras.Model)()(np.ones((1, 2))),
        lambda: unconstructed(keras.Model)().compile("sgd", "mse"),
        lambda: unconstructed(keras.Model)().fit(np.ones((1, 2)), np.ones((1, 2))),
        lambda: unconstructed(keras.losses.Loss)()(np.ones(1), np.ones(1)),
        lambda: unconstructed(keras.metrics.Metric)().add_weight(shape=()),
    ],
)
def test_a_constructor_that_forgets_the_one_of_its_base_class(use):
    assert message(RuntimeError, use) == (
        "Forgetful was used before it was constructed.\n"
        "  fix: call super().__init__() first in Forgetful.__init__()"
    )


@pytest.mark.parametrize("layer", [layers.Dense(2), keras.Sequential([layers.Dense(1)])])
def test_the_parameters_of_what_is_not_built_are_not_counted(layer):
    assert "one that is not built" in message(SpecError, layer.count_params)
    layer.build((None, 3))
    assert layer.count_params() == (8 if layer.name.startswith("dense") else 4)


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_a_recurrent_layer_names_itself_for_an_input_without_steps(cls):
    found = message(SpecError, cls(2, name="r"), keras.Input((3,)))
    assert found.startswith(
        f"{cls.__name__} layer 'r'\n  expected: sequences of shape (batch, time, ...)\n"
    )
    inside = message(SpecError, layers.Bidirectional(cls(2), name="b"), keras.Input((3,)))
    assert inside.startswith(
        "Bidirectional layer 'b'\n  expected: sequences of shape (batch, time, ...)\n"
    )


def test_training_passed_by_position_takes_precedence_over_the_mode_of_the_caller():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dropout = layers.Dropout(0.5)

        def call(self, x):
            return self.dropout(x, False)

    x = np.ones((8, 8), "float32")
    assert ops.convert_to_numpy(Outer()(x, training=True)).tolist() == x.tolist()
