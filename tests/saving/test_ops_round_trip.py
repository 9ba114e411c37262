"""Ops in files: written under Keras's classes, and read back."""

import inspect
import io

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.core.operators import OPS
from keras_fn.errors import SpecError
from keras_fn.saving import op_serialization
from tests.saving import oracle_check

# Options of Keras that have no effect at their default, and are not here yet.
NOT_HERE = {("isin", "assume_unique"), ("isin", "invert"), ("prod", "dtype")} | {
    (name, "initial") for name in ("max", "min")
}


def entries(model):
    return {entry["name"]: entry for entry in model.get_config()["layers"]}


def saved_and_loaded(model):
    file = io.BytesIO()
    keras.saving.save_model(model, file)
    return keras.saving.load_model(file), file.getvalue()


def test_every_option_in_the_table_is_an_argument_of_the_op():
    unknown = {
        (row.function, option)
        for row in op_serialization.keras_ops().values()
        if row.function in OPS
        for option in row.options
        if option not in OPS[row.function].op.signature.parameters
    }
    assert unknown <= NOT_HERE


def test_classes_have_one_row_each_and_functions_too():
    rows = op_serialization.keras_ops().values()
    assert len({row.function for row in rows}) == len(rows) > 250
    modules = [f"ops.{m}" for m in ("core", "einops", "image", "linalg", "math", "nn", "numpy")]
    assert {row.module for row in rows} == {
        f"keras.src.{m}" for m in (*modules, "quantizers.quantizers")
    }


# (what is computed, class, config without the name, other arguments): recorded from Keras.
GOLDEN = [
    (lambda a: a + 1, "numpy", "Add", {}, [1]),
    (lambda a: 2.0 - a, "numpy", "Subtract", {}, [2.0]),
    (lambda a: a / 2, "numpy", "TrueDivide", {}, [2]),
    (lambda a: a // 2, "numpy", "FloorDivide", {}, [2]),
    (lambda a: -a, "numpy", "Negative", {}, []),
    (lambda a: ops.mean(a, axis=1, keepdims=True), "numpy", "Mean",
     {"axis": 1, "keepdims": True}, []),
    (lambda a: ops.sum(a, (1, 2)), "numpy", "Sum", {"axis": (1, 2), "keepdims": False}, []),
    (lambda a: ops.reshape(a, (-1, 24)), "numpy", "Reshape", {"newshape": (-1, 24)}, []),
    (lambda a: ops.cast(a, "float16"), "core", "Cast", {"dtype": "float16"}, []),
    (lambda a: ops.clip(a, 0.0, 1.0), "numpy", "Clip", {"x_min": 0.0, "x_max": 1.0}, []),
    (lambda a: ops.gelu(a, approximate=False), "nn", "Gelu", {"approximate": False}, []),
    (ops.softmax, "nn", "Softmax", {"axis": -1}, []),
    (lambda a: ops.logsumexp(a, -1), "math", "Logsumexp", {"axis": -1, "keepdims": False}, []),
    (lambda a: ops.top_k(a, 2)[0], "math", "TopK", {"k": 2, "sorted": True}, []),
    (lambda a: ops.take(a, [0, 1], axis=1), "numpy", "Take", {"axis": 1}, [[0, 1]]),
    (lambda a: ops.maximum(a, np.float32(0.5)), "numpy", "Maximum", {}, [0.5]),
]  # fmt: skip


@pytest.mark.parametrize("compute, module, class_name, config, more", GOLDEN)
def test_an_op_is_written_as_keras_writes_it(compute, module, class_name, config, more):
    a = keras.Input((4, 6), name="a")
    model = keras.Model(a, compute(a))
    (entry,) = (e for name, e in entries(model).items() if name != "a")
    assert entry["module"] == f"keras.src.ops.{module}"
    assert entry["class_name"] == entry["registered_name"] == class_name
    assert entry["config"] == {"name": entry["name"], **config}
    (call,) = entry["inbound_nodes"]
    tensor = {"shape": (None, 4, 6), "dtype": "float32", "keras_history": ["a", 0, 0]}
    written = {"class_name": "__keras_tensor__", "config": tensor}
    rest = [x for x in call["args"] if x != written]
    assert rest == more and written in call["args"] and call["kwargs"] == {}


def test_slices_are_written_as_keras_writes_them():
    a = keras.Input((4, 6), name="a")
    (entry,) = (e for n, e in entries(keras.Model(a, a[:, 1:3])).items() if n != "a")
    assert entry["class_name"] == "GetItem"
    slices = [
        {"class_name": "__slice__", "config": {"start": x, "stop": y, "step": None}}
        for x, y in ((None, None), (1, 3))
    ]
    assert list(entry["inbound_nodes"][0]["args"][1]) == slices


def test_a_model_of_many_ops_gives_the_same_after_a_round_trip():
    model, inputs = oracle_check.ops_model(keras)
    again, data = saved_and_loaded(model)
    expected = oracle_check.results(keras, model, inputs)
    for key, value in oracle_check.results(keras, again, inputs).items():
        np.testing.assert_array_equal(value, expected[key], err_msg=key)
    assert saved_and_loaded(again)[1] == data


def test_an_op_that_keras_lacks_is_refused_when_saved():
    a = keras.Input((3,))
    model = keras.Model(a, OPS["squared_difference"](a, 1.0))
    with pytest.raises(SpecError, match="a custom layer"):
        keras.saving.save_model(model, io.BytesIO())


def test_options_that_are_tensors_are_refused_when_saved():
    a, b = keras.Input((3,)), keras.Input((3,))
    with pytest.raises(SpecError, match="x_min"):
        keras.saving.save_model(keras.Model([a, b], ops.clip(a, b, 5.0)), io.BytesIO())


@pytest.mark.parametrize(
    "change, said",
    [
        ({"class_name": "Nothing"}, "an op of keras.ops"),
        ({"module": "keras.src.ops.nn"}, "an op of keras.ops"),
        ({"config": {"name": "mean", "axis": 1, "extra": 1}}, "extra"),
        ({"config": {"name": "other", "axis": 1}}, "named 'mean'"),
        ({"config": [1]}, "a name and a config"),
    ],
)
def test_a_damaged_op_is_a_clear_error(change, said):
    a = keras.Input((3,), name="a")
    config = keras.Model(a, ops.mean(a, 1)).get_config()
    config["layers"][1].update(change)
    config["layers"][1]["name"] = "mean"
    config["output_layers"] = ["mean", 0, 0]
    with pytest.raises(SpecError, match=said):
        keras.Model.from_config(config)


def test_arguments_that_do_not_fit_the_op_are_an_error():
    a = keras.Input((3,), name="a")
    config = keras.Model(a, ops.mean(a, 1)).get_config()
    config["layers"][1]["inbound_nodes"][0]["args"] += [1, 2, 3, 4]
    with pytest.raises(SpecError, match="arguments of the op"):
        keras.Model.from_config(config)


def test_options_are_passed_by_name_where_they_have_a_default():
    mean, options = op_serialization.read_op(
        {"module": "keras.src.ops.numpy", "class_name": "Mean",
         "config": {"name": "m", "axis": [1, 2], "keepdims": True}}
    )  # fmt: skip
    assert op_serialization.full_call(mean, options, ["x"], {}) == (
        ["x"], {"axis": (1, 2), "keepdims": True},
    )  # fmt: skip
    assert "axis" in inspect.signature(mean.op.op.fn).parameters
