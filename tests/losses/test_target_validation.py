"""Invalid targets are rejected on the host, with the name of the output, before a step runs."""

import numpy as np
import pytest

from keras_fn import losses
from keras_fn.errors import SpecError
from keras_fn.losses.loss import LossFunctionWrapper

CLASSES_5 = (None, 5)


def refused(loss: losses.Loss, y_true, shape) -> SpecError:
    with pytest.raises(SpecError) as caught:
        loss.check_targets(np.asarray(y_true), shape, "label")
    return caught.value


def accepted(loss: losses.Loss, y_true, shape) -> None:
    loss.check_targets(np.asarray(y_true), shape, "label")


def test_the_error_names_a_class_index_out_of_range() -> None:
    error = refused(losses.SparseCategoricalCrossentropy(), [0, 5], CLASSES_5)
    assert str(error).splitlines()[:3] == [
        "SparseCategoricalCrossentropy 'sparse_categorical_crossentropy', targets of 'label'",
        "  expected: class indices from 0 to 4",
        "  received: classes from 0 to 5",
    ]


@pytest.mark.parametrize(
    ("y_true", "given"),
    [
        ([-1, 2], "classes from -1 to 2"),
        ([0.5, 1.0], "values that are not integers"),
        ([np.nan, 1.0], "values that are not integers"),
        ([[0, 1], [1, 0]], "shape (2, 2)"),
        (np.eye(5), "shape (5, 5)"),
    ],
)
def test_an_invalid_class_index_is_rejected(y_true, given: str) -> None:
    assert refused(losses.SparseCategoricalCrossentropy(), y_true, CLASSES_5).received == given


@pytest.mark.parametrize("y_true", [[0, 4], [[0], [4]], [0.0, 4.0], np.array([1], "uint8"), []])
def test_class_indices_are_accepted(y_true) -> None:
    accepted(losses.SparseCategoricalCrossentropy(), y_true, CLASSES_5)


def test_an_ignored_class_may_be_out_of_range() -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    accepted(loss, [0, 255, 4], CLASSES_5)
    accepted(loss, [255, 255], CLASSES_5)
    error = refused(loss, [0, 255, 7], CLASSES_5)
    assert error.expected == "class indices from 0 to 4, or 255 to be ignored"


def test_the_axis_of_the_classes_is_respected() -> None:
    loss = losses.SparseCategoricalCrossentropy(axis=1)
    accepted(loss, np.zeros((2, 7, 7), int), (None, 3, 7, 7))
    accepted(loss, np.zeros((2, 1, 7, 7), int), (None, 3, 7, 7))
    assert "(None, 7, 7)" in refused(loss, np.zeros((2, 3, 7), int), (None, 3, 7, 7)).expected


def test_an_unknown_number_of_classes_bounds_below_only() -> None:
    loss = losses.CategoricalGeneralizedCrossEntropy()
    accepted(loss, [0, 1000], (None, None))
    assert refused(loss, [-2, 3], (None, None)).expected == "class indices from 0"


def test_class_indices_for_a_one_hot_loss_are_rejected_with_advice() -> None:
    error = refused(losses.CategoricalCrossentropy(), [0, 1, 2], CLASSES_5)
    assert error.received == "shape (3,)"
    assert "sparse_categorical_crossentropy" in error.fix


@pytest.mark.parametrize(
    ("y_true", "shape"),
    [((4, 3), (None, 3)), ((4,), (None, 1)), ((4, 1), (None,)), ((4, 1), (None, 3))],
)
def test_targets_that_broadcast_are_accepted(y_true, shape) -> None:
    accepted(losses.MeanSquaredError(), np.zeros(y_true), shape)


@pytest.mark.parametrize(
    ("y_true", "shape"), [((4, 3), (None, 2)), ((4,), (None, 3)), ((4, 3, 3), (None, 3))]
)
def test_targets_of_another_shape_are_rejected(y_true, shape) -> None:
    error = refused(losses.MeanSquaredError(), np.zeros(y_true), shape)
    assert error.received == f"shape {y_true}"
    assert str(shape) in error.expected


def test_binary_targets_must_not_broadcast() -> None:
    accepted(losses.BinaryCrossentropy(), np.zeros(4), (None, 1))
    refused(losses.BinaryCrossentropy(), np.zeros((4, 1)), (None, 3))


def test_embeddings_need_one_class_index_for_each_row() -> None:
    accepted(losses.Circle(), [[3], [900]], (None, 16))
    refused(losses.Circle(), [[3, 1], [900, 2]], (None, 16))


def test_custom_losses_are_not_checked() -> None:
    class Own(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred

    accepted(Own(), np.zeros((4, 9, 9)), (None, 3))


def test_a_wrapped_builtin_function_is_checked_like_its_class() -> None:
    loss = LossFunctionWrapper(losses.sparse_categorical_crossentropy, name="wrapped")
    assert refused(loss, [0, 5], CLASSES_5).received == "classes from 0 to 5"
    accepted(LossFunctionWrapper(lambda y_true, y_pred: y_pred), np.zeros((4, 9)), (None, 3))
