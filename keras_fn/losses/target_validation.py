"""Validation of ground truth arrays against the shape of the predictions, before a step runs.

Each check takes the ground truth on the host, the shape of the predictions (None for an unknown
size), the label of error messages and the options of the loss.
"""

from typing import Any

import numpy as np

from keras_fn.core.keras_tensor import Shape
from keras_fn.core.shapes import is_compatible, missing_unit_axes
from keras_fn.errors import SpecError


def check_broadcastable(
    y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any
) -> None:
    """Checks that the ground truth broadcasts to the predictions."""
    del options
    shape = _squeeze_or_expand_shape(y_true.shape, y_pred_shape)
    if len(shape) != len(y_pred_shape) or not all(
        m == n or m == 1 or n in (1, None) for m, n in zip(shape, y_pred_shape, strict=True)
    ):
        raise _target_error(
            source,
            expected=f"targets that broadcast to predictions of shape {y_pred_shape}",
            received=y_true,
            fix="reshape the targets, or check the size of the model's output",
        )


def repeats_targets(y_true: np.ndarray, y_pred_shape: Shape) -> bool:
    """Whether ground truth that broadcasts to the predictions differs from them in a size."""
    shape = _squeeze_or_expand_shape(y_true.shape, y_pred_shape)
    return not is_compatible(shape[1:], y_pred_shape[1:])


def check_same_shape(y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any) -> None:
    """Checks that the ground truth has the shape of the predictions, up to a last axis of 1."""
    del options
    if not is_compatible(_squeeze_or_expand_shape(y_true.shape, y_pred_shape), y_pred_shape):
        raise _target_error(
            source,
            expected=f"targets of the shape of the predictions, {y_pred_shape}",
            received=y_true,
            fix="reshape the targets, or check the size of the model's output",
        )


def check_one_hot(y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any) -> None:
    """Checks that the ground truth holds a probability for each class."""
    del options
    if not is_compatible(y_true.shape, y_pred_shape):
        raise _target_error(
            source,
            expected=f"a target for each class: the shape of the predictions, {y_pred_shape}",
            received=y_true,
            fix="one-hot encode integer labels with keras.utils.to_categorical, or use "
            "sparse_categorical_crossentropy; else check the size of the model's output",
        )


def check_class_indices(
    y_true: np.ndarray,
    y_pred_shape: Shape,
    source: str,
    ignore_class: int | None = None,
    axis: int = -1,
    **options: Any,
) -> None:
    """Checks that the ground truth holds indices of classes that the predictions have."""
    del options
    class_axis = axis % len(y_pred_shape)
    expected = (*y_pred_shape[:class_axis], *y_pred_shape[class_axis + 1 :])
    shape = y_true.shape
    if len(shape) == len(y_pred_shape) and 1 in (shape[class_axis], shape[-1]):
        dropped = class_axis if shape[class_axis] == 1 else len(shape) - 1
        shape = (*shape[:dropped], *shape[dropped + 1 :])
    if not is_compatible(shape, expected):
        raise _target_error(
            source,
            expected=f"class indices of shape {expected}, for predictions of shape {y_pred_shape}",
            received=y_true,
            fix="pass one class index for each prediction; for one-hot labels, use "
            "categorical_crossentropy",
        )
    _check_range(y_true, y_pred_shape[class_axis], source, ignore_class)


def check_padded_labels(
    y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any
) -> None:
    """Checks that the ground truth holds sequences of class indices, padded to one length."""
    del options
    if y_true.ndim != 2 or len(y_pred_shape) != 3:
        raise _target_error(
            source,
            expected=f"class indices of shape (batch, labels), for predictions of shape "
            f"{y_pred_shape}",
            received=y_true,
            fix="pad the labels with 0, and pass predictions of shape (batch, time, classes)",
        )
    _check_range(y_true, y_pred_shape[2], source, None)


def check_class_vector(
    y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any
) -> None:
    """Checks that the ground truth holds one class index (any integer) for each sample."""
    del options
    if y_true.size != y_true.shape[0] or len(y_pred_shape) != 2:
        raise _target_error(
            source,
            expected=f"one class index for each row of predictions of shape {y_pred_shape}",
            received=y_true,
            fix="pass integers of shape (batch,), and embeddings of shape (batch, size)",
        )


def _check_range(
    y_true: np.ndarray, classes: int | None, source: str, ignore_class: int | None
) -> None:
    values = y_true if ignore_class is None else y_true[y_true != ignore_class]
    if values.size == 0:
        return
    is_integral = values.dtype.kind in "biu" or bool(np.all(values == np.floor(values)))
    low, high = values.min(), values.max()
    if is_integral and low >= 0 and (classes is None or high < classes):
        return
    last = "" if classes is None else f" to {classes - 1}"
    ignored = "" if ignore_class is None else f", or {ignore_class} to be ignored"
    raise SpecError(
        source,
        expected=f"class indices from 0{last}{ignored}",
        received=f"classes from {low} to {high}" if is_integral else "values that are not integers",
        fix="count the classes from 0, set ignore_class for labels to ignore, or add classes to "
        "the model's output",
    )


def _squeeze_or_expand_shape(shape: Shape, y_pred_shape: Shape) -> Shape:
    """Returns `shape` with the last axis of size 1 added or dropped, as the loss will do."""
    missing = missing_unit_axes(shape, y_pred_shape)
    return (*shape, 1) if missing == 1 else shape[: len(shape) + missing]


def _target_error(source: str, expected: str, received: np.ndarray, fix: str) -> SpecError:
    return SpecError(source, expected=expected, received=f"shape {received.shape}", fix=fix)
