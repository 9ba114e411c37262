"""What a layer says about its inputs, word by word."""

import pytest

from keras_fn import InputSpec, KerasTensor
from keras_fn.core.input_spec import check_inputs
from keras_fn.errors import DTypeError, SpecError


def message(spec, inputs) -> str:
    with pytest.raises(SpecError) as caught:
        check_inputs(spec, inputs, "L")
    return str(caught.value)


def text(expected: str, given: str, fix: str) -> str:
    return f"L\n  expected: {expected}\n  received: {given}\n  fix:      {fix}"


DROP = "drop or join axes, for example with Flatten() or Reshape(...)"
NAME_ALL = "name all axes but the batch in Input(shape=...), or reshape the input"


@pytest.mark.parametrize(
    ("spec", "shape", "expected", "fix"),
    [
        (InputSpec(ndim=3), (None, 2), "an input of rank 3", NAME_ALL),
        (InputSpec(ndim=2), (None, 2, 2), "an input of rank 2", DROP),
        (InputSpec(max_ndim=2), (1, 2, 3), "an input of rank 2 at most", "drop or join axes"),
        (InputSpec(min_ndim=2), (None,), "an input of rank 2 at least", NAME_ALL),
        (
            InputSpec(axes={-1: 8}), (None, 7), "size 8 at axis -1",
            "feed size 8 there, or create another layer for this input",
        ),
        (InputSpec(shape=(None, 3)), (2, 4), "shape (None, 3)", "reshape the input"),
        (InputSpec(shape=(None, 3)), (2, 3, 1), "an input of rank 2", DROP),
    ],
)  # fmt: skip
def test_a_shape_that_does_not_fit_is_named(spec, shape, expected, fix):
    assert message(spec, KerasTensor(shape)) == text(expected, f"shape {shape}", fix)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (InputSpec(), ()),
        (InputSpec(ndim=2), (None, None)),
        (InputSpec(axes={-1: 8, 1: None}), (2, 5, None)),
        (InputSpec(shape=(None, 3)), (7, None)),
        (InputSpec(shape=(None, 1), allow_last_axis_squeeze=True), (7,)),
        (InputSpec(shape=(None,), allow_last_axis_squeeze=True), (7, 1)),
    ],
)
def test_a_shape_that_fits_or_may_fit_passes(spec, shape):
    check_inputs(spec, KerasTensor(shape), "L")


def test_a_squeezed_shape_still_has_to_fit_elsewhere():
    spec = InputSpec(shape=(None, 3, 1), allow_last_axis_squeeze=True)
    check_inputs(spec, KerasTensor((None, 3)), "L")
    assert "shape (None, 3, 1)" in message(spec, KerasTensor((None, 4)))


def test_an_axis_that_the_input_lacks_is_named():
    assert "axis 3" in message(InputSpec(axes={3: 4}), KerasTensor((None, 2)))


def test_a_dtype_that_differs_is_a_type_error_too():
    spec = InputSpec(dtype="int32")
    assert message(spec, KerasTensor((2,), "float32")) == text(
        "dtype int32", "dtype float32", "cast the input, for example ops.cast(x, 'int32')"
    )
    with pytest.raises(TypeError):
        check_inputs(spec, KerasTensor((2,)), "L")
    check_inputs(spec, KerasTensor((2,), "int32"), "L")


def test_the_number_of_inputs_must_be_that_of_the_specs():
    two = [InputSpec(ndim=1), InputSpec(ndim=2)]
    fix = "pass one tensor for each, as a list or a dict"
    assert message(two, [KerasTensor((1,))]) == text("2 inputs", "1", fix)
    assert message(InputSpec(), [KerasTensor((1,))] * 2) == text("1 input", "2", fix)


def test_a_dict_is_checked_by_name():
    specs = [InputSpec(ndim=1, name="b"), InputSpec(ndim=2, name="a", optional=True)]
    check_inputs(specs, {"a": KerasTensor((1, 1)), "b": KerasTensor((1,))}, "L")
    check_inputs(specs, {"b": KerasTensor((1,))}, "L")
    assert message(specs, {"a": KerasTensor((1, 1))}) == text(
        "inputs named b, a", "inputs named a", "add b"
    )


def test_what_is_no_tensor_is_a_type_error():
    with pytest.raises(DTypeError) as caught:
        check_inputs(InputSpec(ndim=1), "words", "L")
    assert str(caught.value) == text(
        "a tensor", "'words'",
        "call the layer on a KerasTensor from keras_fn.Input, an array or a tensor",
    )  # fmt: skip


def test_config_and_repr_hold_the_arguments():
    spec = InputSpec(dtype="int32", min_ndim=2, axes={-1: 3}, name="n")
    assert repr(spec) == "InputSpec(dtype='int32', min_ndim=2, axes={-1: 3})"
    assert InputSpec.from_config(spec.get_config()).get_config() == spec.get_config()
    shaped = InputSpec(shape=(None, 2))
    assert InputSpec.from_config(shaped.get_config()).get_config() == shaped.get_config()
