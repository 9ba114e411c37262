"""What layers and models say of their outputs before there are values."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops


class Counts(layers.Layer):
    """How often each number is there: a call that no symbolic tensor gets through."""

    def call(self, inputs):
        counts = np.bincount(ops.convert_to_numpy(inputs).astype("int64").ravel(), minlength=4)
        return ops.convert_to_tensor(counts, "int32")

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((4,), dtype="int32")


def test_a_layer_may_say_what_its_call_gives():
    x = keras.Input((3,))
    y = Counts()(x)
    assert (y.shape, y.dtype) == ((4,), "int32")
    got = keras.Model(x, y)(np.array([[0, 1, 1], [3, 3, 3]], "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(got), [1, 2, 0, 3])


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_model_says_the_specs_of_its_outputs(dtype):
    x = keras.Input((None, 3), name="x")
    outputs = {"wide": layers.Dense(5, dtype=dtype)(x), "mean": ops.mean(x, axis=1)}
    model = keras.Model(x, outputs)
    specs = model.compute_output_spec(keras.KerasTensor((2, 7, 3)))
    spec_by_name = {name: (spec.shape, spec.dtype) for name, spec in specs.items()}
    kind = "bfloat16" if dtype == "mixed_bfloat16" else "float32"
    assert spec_by_name == {"wide": ((2, 7, 5), kind), "mean": ((2, 3), "float32")}
    values = model(ops.ones((2, 7, 3)))
    assert spec_by_name == {
        name: (tuple(value.shape), keras.backend.standardize_dtype(value.dtype))
        for name, value in values.items()
    }


def test_a_symbolic_call_is_part_of_a_graph():
    x, layer = keras.Input((3,)), layers.Dense(2)
    layer.build((None, 3))
    y = layer.symbolic_call(x)
    assert y.shape == (None, 2)
    rows = np.ones((4, 3), "float32")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(keras.Model(x, y)(rows)), ops.convert_to_numpy(layer(rows))
    )


@pytest.mark.parametrize(
    ("dtype", "taken"),
    [("float32", "float32"), ("mixed_float16", "float16"), ("bfloat16", "bfloat16")],
)
def test_the_dtype_that_inputs_are_cast_to(dtype, taken):
    class Seen(layers.Layer):
        def call(self, inputs):
            self.seen = keras.backend.standardize_dtype(inputs.dtype)
            return inputs

    layer = Seen(dtype=dtype)
    layer(ops.ones((2,), dtype="float64"))
    assert layer.input_dtype == layer.seen == taken
