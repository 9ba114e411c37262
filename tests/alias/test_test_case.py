"""`TestCase` of `keras.src.testing`, as libraries that test their layers use it."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

pytest.importorskip("absl", reason="needs absl-py")
from keras_fn.alias.layer_test import LayerTest, map_shapes
from keras_fn.alias.test_case import TestCase, uses_gpu, uses_tpu

case = type("Case", (TestCase,), {})()
case.__test__ = False  # for pytest: it has no tests of its own


class Doubling(layers.Layer):
    """Doubles its input; with `forgets`, its config lacks an argument."""

    def __init__(self, hidden=1, forgets=False, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.forgets = hidden, forgets

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        self.add_loss(ops.sum(x))
        return 2 * self.scale * x

    def get_config(self):
        config = super().get_config()
        return config if self.forgets else config | {"hidden": self.hidden}


OBJECTS = {"Doubling": Doubling}


def check(layer=Doubling, init=None, **expected):
    case.run_layer_test(layer, {} if init is None else init, custom_objects=OBJECTS, **expected)


def test_a_right_layer_passes():
    check(
        input_shape=(2, 3),
        expected_output_shape=(2, 3),
        expected_output_dtype="float32",
        expected_num_trainable_weights=1,
        expected_num_seed_generators=0,
        expected_num_losses=1,
        supports_masking=False,
    )
    x = np.ones((2, 3), "float32")
    check(input_data=x, expected_output=2 * x, run_training_check=False)


@pytest.mark.parametrize(
    "expected",
    [
        {"expected_output_shape": (2, 4)},
        {"expected_output_dtype": "int32"},
        {"expected_num_trainable_weights": 0},
        {"expected_num_non_trainable_variables": 1},
        {"expected_num_seed_generators": 1},
        {"expected_num_losses": 0},
        {"supports_masking": True},
        {"assert_built_after_instantiation": True},
    ],
    ids=str,
)
def test_a_wrong_layer_fails(expected):
    with pytest.raises(AssertionError):
        check(input_shape=(2, 3), run_training_check=False, **expected)


def test_values_and_configs_are_compared():
    x = np.ones((2, 3), "float32")
    with pytest.raises(AssertionError, match="Mismatch"):
        check(input_data=x, expected_output=3 * x)
    with pytest.raises(AssertionError):
        check(init={"hidden": 5, "forgets": True})


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_shape": (2,), "input_data": 1},
        {"input_data": 1, "expected_output": 1, "expected_output_shape": (2,)},
        {"expected_output": 1},
        {"expected_mask_shape": (2,)},
    ],
)
def test_arguments_that_exclude_or_need_each_other(arguments):
    with pytest.raises(ValueError, match="run_layer_test"):
        check(**arguments)


def test_several_inputs_masks_and_seeds():
    check(
        layers.Add,
        input_shape=[(2, 3), (2, 3)],
        expected_output_shape=(2, 3),
        run_mixed_precision_check=False,
    )
    check(
        layers.Dropout,
        {"rate": 0.5},
        input_shape=(2, 3),
        call_kwargs={"training": True},
        expected_num_seed_generators=1,
        supports_masking=True,
        run_training_check=False,
    )
    nested = map_shapes(lambda size, dtype: (size, dtype), {"x_shape": (1,), "y": [(2,)]}, "int8")
    assert nested == {"x": ((1,), "int8"), "y": [((2,), "int8")]}


def test_assertions():
    tensor = ops.convert_to_tensor([1.0, 2.0])
    case.assertAllClose(tensor, [1.0, 2.0])
    case.assertAllEqual(keras.Variable([1, 2]), np.array([1, 2]))
    case.assertNotAllClose(tensor, [1.0, 3.0])
    case.assertAlmostEqual(tensor, [1.0, 2.0001])
    case.assertDType(tensor, "float32")
    case.assertDType(1, "int32")
    case.assertSparse(keras.KerasTensor((2,), sparse=True))
    case.assertSparse(tensor, False)
    case.assertRagged(tensor, False)
    for wrong in (
        lambda: case.assertAllClose(tensor, [1.0, 2.1]),
        lambda: case.assertNotAllClose(tensor, [1.0, 2.0]),
        lambda: case.assertAlmostEqual(tensor, [1.0, 2.1]),
        lambda: case.assertDType(tensor, "int32"),
        lambda: case.assertSparse(tensor),
        lambda: case.assertLen([1], 2),
        lambda: case.assertFileExists("nothing"),
    ):
        with pytest.raises(AssertionError):
            wrong()
    assert (uses_gpu(), uses_tpu()) == (False, False)


def test_an_object_is_made_again():
    made = case.run_class_serialization_test(keras.initializers.RandomNormal(stddev=0.5))
    assert made.stddev == 0.5
    assert LayerTest(case, layers.Dense, {"units": 2})._make().units == 2
