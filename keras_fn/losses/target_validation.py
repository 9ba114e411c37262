"""What targets a loss can take: checks on the host, before a step is run.

Each takes the targets, the shape of the predictions (None where a size is unknown), who asks, and
the options of the loss.
"""

from typing import Any

import numpy as np

from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError


def check_broadcastable(
    y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any
) -> None:
    """Targets are compared with predictions element by element; an axis of size 1 spreads."""
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


def check_same_shape(y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any) -> None:
    """Targets have the shape of the predictions, but for a last axis of size 1."""
    del options
    if not _matches_shape(_squeeze_or_expand_shape(y_true.shape, y_pred_shape), y_pred_shape):
        raise _target_error(
            source,
            expected=f"targets of the shape of the predictions, {y_pred_shape}",
            received=y_true,
            fix="reshape the targets, or check the size of the model's output",
        )


def check_one_hot(y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any) -> None:
    """Targets give a probability for each class."""
    del options
    if not _matches_shape(y_true.shape, y_pred_shape):
        raise _target_error(
            source,
            expected="a target for each class: the shape of the predictions, " + str(y_pred_shape),
            received=y_true,
            fix="encode class numbers with utils.to_categorical, or use "
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
    """Targets are the numbers of classes that the predictions have."""
    del options
    place = axis % len(y_pred_shape)
    expected = (*y_pred_shape[:place], *y_pred_shape[place + 1 :])
    shape = y_true.shape
    if len(shape) == len(y_pred_shape) and 1 in (shape[place], shape[-1]):
        dropped = place if shape[place] == 1 else len(shape) - 1
        shape = (*shape[:dropped], *shape[dropped + 1 :])
    if not _matches_shape(shape, expected):
        raise _target_error(
            source,
            expected=f"class numbers of shape {expected}, for predictions of shape {y_pred_shape}",
            received=y_true,
            fix="give one class number for each prediction; for one-hot codes, use "
            "categorical_crossentropy",
        )
    _check_range(y_true, y_pred_shape[place], source, ignore_class)


def check_padded_labels(
    y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any
) -> None:
    """Targets are sequences of class numbers, padded to one length."""
    del options
    if y_true.ndim != 2 or len(y_pred_shape) != 3:
        raise _target_error(
            source,
            expected=f"class numbers of shape (batch, labels), for predictions of shape "
            f"{y_pred_shape}",
            received=y_true,
            fix="pad the labels with 0, and give predictions of shape (batch, time, classes)",
        )
    _check_range(y_true, y_pred_shape[2], source, None)


def check_class_vector(
    y_true: np.ndarray, y_pred_shape: Shape, source: str, **options: Any
) -> None:
    """Targets are the class numbers of the rows of a batch; any integers may be classes."""
    del options
    if y_true.size != y_true.shape[0] or len(y_pred_shape) != 2:
        raise _target_error(
            source,
            expected=f"one class number for each row of predictions of shape {y_pred_shape}",
            received=y_true,
            fix="give integers of shape (batch,), and embeddings of shape (batch, size)",
        )


def _check_range(
    y_true: np.ndarray, classes: int | None, source: str, ignore_class: int | None
) -> None:
    values = y_true if ignore_class is None else y_true[y_true != ignore_class]
    if values.size == 0:
        return
    whole = values.dtype.kind in "biu" or bool(np.all(values == np.floor(values)))
    low, high = values.min(), values.max()
    if whole and low >= 0 and (classes is None or high < classes):
        return
    last = "" if classes is None else f" to {classes - 1}"
    but = "" if ignore_class is None else f", or {ignore_class} to be ignored"
    raise SpecError(
        source,
        expected=f"class numbers from 0{last}{but}",
        received=f"classes from {low} to {high}" if whole else "numbers that are not whole",
        fix="number the classes from 0, set ignore_class for those that do not count, or give "
        "the model's output more classes",
    )


def _squeeze_or_expand_shape(shape: Shape, other: Shape) -> Shape:
    """The shape that the loss makes of the targets' `shape`, next to the predictions' `other`."""
    if len(shape) == len(other) + 1 and shape[-1] == 1:
        return shape[:-1]
    if len(shape) == len(other) - 1 and other[-1] == 1:
        return (*shape, 1)
    return shape


def _matches_shape(shape: Shape, expected: Shape) -> bool:
    return len(shape) == len(expected) and all(
        n in (m, None) for m, n in zip(shape, expected, strict=True)
    )


def _target_error(source: str, expected: str, received: np.ndarray, fix: str) -> SpecError:
    return SpecError(source, expected=expected, received=f"shape {received.shape}", fix=fix)
