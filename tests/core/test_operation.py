"""Custom operations, and functions of graphs."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import KerasTensor, Operation, ops
from keras_fn.core.scopes import SymbolicScope
from keras_fn.errors import SpecError


class Scale(Operation):
    """Multiplies by a factor."""

    def __init__(self, factor, *, name=None):
        super().__init__(name)
        self.factor = factor

    def call(self, x):
        return ops.multiply(x, self.factor)


class Both(Operation):
    """Sum and difference, as a dict that is not in alphabetical order."""

    def call(self, x, y):
        return {"sum": ops.add(x, y), "difference": ops.subtract(x, y)}


def numbers(x):
    return ops.convert_to_numpy(x).tolist()


def test_a_call_on_values_computes_and_on_symbols_records():
    scale = Scale(3.0)
    assert numbers(scale(ops.ones((2,)))) == [3.0, 3.0] and not scale._inbound_nodes
    x = KerasTensor((None, 2), "float16")
    y = scale(x)
    assert (y.shape, y.dtype, y._keras_history.operation) == ((None, 2), "float16", scale)
    assert (scale.input, scale.output) == (x, y)


def test_nothing_is_recorded_in_a_symbolic_scope():
    scale = Scale(3.0)
    with SymbolicScope():
        assert scale(KerasTensor((2,))).shape == (2,)
    assert not scale._inbound_nodes


def test_outputs_keep_their_names_in_the_order_given():
    x, y = KerasTensor((1,)), KerasTensor((1,))
    result = Both()(x, y)
    assert list(result) == ["sum", "difference"]
    value = keras.Function([x, y], result)([ops.ones((1,)) * 5.0, ops.ones((1,)) * 3.0])
    assert {key: numbers(v) for key, v in value.items()} == {"sum": [8.0], "difference": [2.0]}


def test_the_config_is_what_the_constructor_was_given():
    scale = Scale(3.0, name="triple")
    assert scale.get_config() == {"factor": 3.0, "name": "triple"}
    again = Scale.from_config(scale.get_config())
    assert (again.factor, again.name) == (3.0, "triple")


def test_the_config_has_an_automatic_name_too():
    class Power(Scale):
        def __init__(self, factor, exponent=2, **options):
            super().__init__(factor, **options)

    power = Power(3.0)
    assert power.get_config() == {"factor": 3.0, "name": power.name}
    assert Power.from_config(power.get_config()).name == power.name

    class Nameless(Operation):
        def __init__(self, factor):
            super().__init__()

    assert Nameless(2.0).get_config() == {"factor": 2.0}


def test_a_config_of_values_that_are_not_plain_is_refused():
    with pytest.raises(TypeError) as caught:
        Scale(np.ones(1), name="s").get_config()
    assert str(caught.value) == (
        "Scale 's'\n  expected: constructor arguments that are plain values, for its config\n"
        "  received: factor=array([1.])\n"
        "  fix:      define Scale.get_config(), which returns the constructor's arguments, and "
        "from_config(), which takes them"
    )


def test_an_operation_without_a_call_says_so():
    with pytest.raises(TypeError, match="a class with a method call"):
        type("Empty", (Operation,), {})()(ops.ones(1))


def test_input_and_output_need_exactly_one_call():
    scale = Scale(2.0, name="twice")
    with pytest.raises(AttributeError, match="'twice' was called 0 times in a graph"):
        _ = scale.output
    scale(KerasTensor((1,)))
    scale(KerasTensor((1,)))
    with pytest.raises(
        AttributeError, match="was called 2 times in a graph, so it does not have a single"
    ):
        _ = scale.input


def test_a_call_on_symbols_must_return_tensors():
    class Wrong(Operation):
        def call(self, x):
            return "text"

    with pytest.raises(TypeError, match=r"A call on KerasTensors\n.*\n  received: 'text'"):
        Wrong()(KerasTensor((1,)))


def test_an_error_of_the_users_code_is_not_hidden_by_the_second_try():
    class Broken(Operation):
        def call(self, x):
            raise KeyError("the reason")

    with pytest.raises(KeyError, match="the reason"):
        Broken()(KerasTensor((None, 2)))


# ---------------------------------------------------------------- Function


def test_a_function_runs_the_graph_and_can_be_called_on_symbols():
    x = KerasTensor((None, 2))
    double = keras.Function(x, x * 2.0, name="double")
    again = double(double(KerasTensor((3, 2))))
    assert again.shape == (3, 2)
    assert numbers(double(np.ones((1, 2), "float32"))) == [[2.0, 2.0]]


def test_a_function_binds_a_dict_by_name():
    a, b = KerasTensor((1,), name="x"), KerasTensor((1,), name="y")
    minus = keras.Function({"first": b, "second": a}, b - a)
    assert numbers(minus({"second": ops.ones((1,)), "first": ops.ones((1,)) * 3.0})) == [2.0]
    with pytest.raises(SpecError) as caught:
        minus({"first": ops.ones((1,)), "third": ops.ones((1,))})
    assert "third" in str(caught.value) and "second" in str(caught.value)


def test_a_function_refuses_another_number_of_inputs():
    a, b = KerasTensor((1,), name="a"), KerasTensor((1,), name="b")
    with pytest.raises(SpecError) as caught:
        keras.Function([a, b], a + b, name="f")([ops.ones((1,))])
    assert str(caught.value) == (
        "Function 'f'\n  expected: 2 inputs: a, b\n  received: 1\n"
        "  fix:      pass one tensor for each, as a list in this order or as a dict by name"
    )


def test_a_function_shows_its_graph_and_its_shapes():
    a, b = KerasTensor((None, 3)), KerasTensor((None, 3), "int32")
    total = a + b
    function = keras.Function({"x": a, "y": b}, (total, [total[:, 0]]))
    assert function.inputs == [a, b] and len(function.outputs) == 2
    assert [len(op._inbound_nodes) for op in function.operations] == [1, 1]
    assert function.operations[0] is total._keras_history.operation
    function.inputs.clear()
    assert len(function.inputs) == 2
    shapes = function.compute_output_shape({"y": (5, 3), "x": (5, 3)})
    assert shapes == ((5, 3), [(5,)])
    spec, _ = function.compute_output_spec({"x": a, "y": b})
    assert (spec.shape, spec.dtype) == ((None, 3), "float32")
    with_layers = keras.Function(x := keras.Input((3,)), keras.layers.Dense(2, name="d")(x))
    assert [op.name for op in with_layers.operations][-1] == "d"
    assert with_layers.compute_output_shape((None, 3)) == (None, 2)
    for shape in ((None, 3), {"x": (5, 3)}, {"x": (5, 3), "y": (5, 4)}):
        with pytest.raises(ValueError, match="Function"):
            function.compute_output_shape(shape)


@pytest.mark.parametrize(("inputs", "outputs"), [([], None), (None, []), (None, 3.0), (1.0, None)])
def test_a_function_is_of_keras_tensors(inputs, outputs):
    x = KerasTensor((None, 3))
    inputs, outputs = (x if inputs is None else inputs), (x * 2 if outputs is None else outputs)
    with pytest.raises(TypeError, match=r"Function 'f'\n  expected: (in|out)puts that are"):
        keras.Function(inputs, outputs, name="f")
