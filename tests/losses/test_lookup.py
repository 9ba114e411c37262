"""Losses by name and config, and back."""

import json

import numpy as np
import pytest

from keras_fn import losses, ops
from keras_fn.core.registry import CustomObjectScope
from keras_fn.errors import SpecError
from keras_fn.losses import _ALIASES as ALIASES, _CLASSES as CLASSES, _FUNCTIONS as FUNCTIONS

OPTIONS = {
    "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.2, "axis": 0},
    "BinaryFocalCrossentropy": {"alpha": 0.3, "gamma": 1.5, "apply_class_balancing": True},
    "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.2},
    "CategoricalFocalCrossentropy": {"alpha": 0.3, "gamma": 1.5, "from_logits": True},
    "CategoricalGeneralizedCrossEntropy": {"q": 0.7},
    "Circle": {"gamma": 5.0, "margin": 0.2, "remove_diagonal": False},
    "CosineSimilarity": {"axis": 0},
    "Dice": {"axis": [0]},
    "Huber": {"delta": 0.3},
    "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": 1, "axis": -1},
    "Tversky": {"alpha": 0.2, "beta": 0.9, "axis": 1},
}


def own_loss(y_true, y_pred, scale=1.0):
    return ops.multiply(ops.mean(ops.abs(ops.subtract(y_true, y_pred)), -1), scale)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_config_round_trips_through_json_to_the_same_loss(cls: type[losses.Loss]) -> None:
    options = OPTIONS.get(cls.__name__, {})
    loss = cls(reduction="sum", name="mine", dtype="float16", **options)
    again = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
    assert type(again) is cls
    assert again.get_config() == loss.get_config()
    assert (again.name, again.reduction, again.dtype) == ("mine", "sum", "float16")
    for key, value in options.items():
        assert getattr(again, key) == value
    sparse = cls.__name__ in (
        "Circle", "CategoricalGeneralizedCrossEntropy", "SparseCategoricalCrossentropy",
    )  # fmt: skip
    y_true = np.array([0, 2]) if sparse else np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    y_pred = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], "float32")
    if cls is losses.CTC:  # sequences of two steps
        y_true, y_pred = np.array([[1, 0], [2, 1]]), np.stack([y_pred, y_pred], 1)
    values = [ops.convert_to_numpy(each(y_true, y_pred)) for each in (loss, again)]
    np.testing.assert_array_equal(*values)


def test_a_default_config_is_as_keras_writes_it() -> None:
    assert losses.serialize(losses.MeanSquaredError()) == {
        "module": "keras.losses",
        "class_name": "MeanSquaredError",
        "config": {"name": "mean_squared_error", "reduction": "sum_over_batch_size"},
        "registered_name": None,
    }


def test_a_config_that_keras_wrote_is_read() -> None:
    config = {
        "module": "keras.losses",
        "class_name": "Huber",
        "config": {"name": "huber_loss", "reduction": "sum_over_batch_size"},
        "registered_name": None,
    }
    assert losses.get(config).delta == 1.0
    function = {
        "module": "builtins", "class_name": "function", "config": "mean_squared_error",
        "registered_name": "function",
    }  # fmt: skip
    assert losses.get(function) is losses.mean_squared_error


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_function_is_found_by_name_and_by_config(function) -> None:
    assert losses.get(function.__name__) is function
    assert losses.deserialize(losses.serialize(function)) is function


@pytest.mark.parametrize("short", ALIASES)
def test_short_names_stand_for_functions(short: str) -> None:
    assert losses.get(short) is ALIASES[short]


def test_get_takes_classes_instances_functions_and_none() -> None:
    loss = losses.Huber(delta=2.0)
    assert losses.get(loss) is loss
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert losses.get(own_loss) is own_loss
    assert losses.get(None) is None


def test_an_unknown_name_is_rejected_with_a_suggestion() -> None:
    with pytest.raises(SpecError, match="mean_squared_error"):
        losses.get("mean_square_error")


def test_an_object_that_is_not_a_loss_is_rejected() -> None:
    with pytest.raises(SpecError):
        losses.get(3)


def test_a_custom_function_is_wrapped_and_round_trips() -> None:
    from keras_fn.losses.loss import LossFunctionWrapper

    loss = LossFunctionWrapper(own_loss, name="own", scale=3.0)
    config = json.loads(json.dumps(losses.serialize(loss)))
    with CustomObjectScope({"own_loss": own_loss}):
        again = losses.deserialize(config)
    data = ([[1.0, 2.0]], [[0.0, 0.0]])
    assert float(again(*data)) == float(loss(*data)) == 4.5


def test_q_and_axis_are_checked_in_the_constructor() -> None:
    with pytest.raises(SpecError, match="q between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)
    with pytest.raises(TypeError, match="axis=True"):
        losses.CategoricalCrossentropy(axis=True)
