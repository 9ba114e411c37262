"""Batches: packing and unpacking `(x, y, sample_weight)`, class weights, validation splits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.errors import SpecError
from keras_fn.types import Nested

FlatBatch = tuple[list[Any], list[Any] | None, list[Any] | None]
"""Inputs, targets and sample weights, each a flat list in the model's order. A whole data set of
arrays has this form, too."""


def to_host(array: Any) -> np.ndarray:
    """Returns an array or a tensor as a NumPy array."""
    return current().convert_to_numpy(array) if current().is_tensor(array) else array


def class_weight_to_sample_weights(
    targets: list[Any] | None,
    sample_weights: list[Any] | None,
    class_weight: Mapping[int, float],
    source: str,
) -> list[Any]:
    """Converts class weights to sample weights.

    Args:
        targets: Integer labels or one-hot vectors of the only output, in a list.
        sample_weights: Sample weights to multiply with, in a list, or None.
        class_weight: Weight of each class index; 1 for classes that are not listed.
        source: The model, for errors.

    Returns:
        A list with one float32 array: a weight for each label.

    Raises:
        SpecError: The model has several outputs, or there are no targets.
    """
    if not targets or len(targets) != 1:
        raise SpecError(
            source,
            expected="class_weight for a model with one output",
            received=f"{len(targets or ())}",
            fix="use sample_weight for models with several outputs",
        )
    y = to_host(targets[0])
    is_one_hot = y.ndim > 1 and y.shape[-1] > 1
    classes = y.argmax(-1) if is_one_hot else y.reshape(y.shape[: max(y.ndim - 1, 1)])
    weights = np.ones(classes.shape, dtype="float32")
    for label, weight in class_weight.items():
        weights[classes == int(label)] = weight
    if sample_weights is None or sample_weights[0] is None:
        return [weights]
    return [weights * to_host(sample_weights[0])]


def train_validation_split(
    data: FlatBatch, validation_split: float, source: str
) -> tuple[FlatBatch, FlatBatch]:
    """Splits arrays into the first samples, for training, and the last, for validation.

    Args:
        data: The arrays.
        validation_split: Fraction of the samples for validation.
        source: The model, for errors.

    Raises:
        ValueError: The fraction is not between 0 and 1, or one of the parts is empty.
    """
    if not 0 < validation_split < 1:
        raise SpecError(
            source,
            expected="validation_split between 0 and 1",
            received=f"{validation_split}",
            fix="for example validation_split=0.2",
        )
    size = data[0][0].shape[0]
    split = int(size * (1 - validation_split))
    if split in (0, size):
        raise SpecError(
            source,
            expected="samples for training and for validation",
            received=f"validation_split={validation_split} of {size} samples, which leaves one "
            "part empty",
            fix="pass more samples or another validation_split, or pass validation_data",
        )
    return _slice_samples(data, slice(0, split)), _slice_samples(data, slice(split, None))


def _slice_samples(data: FlatBatch, samples: slice) -> FlatBatch:
    return tuple(  # type: ignore[return-value]
        None if group is None else [None if a is None else a[samples] for a in group]
        for group in data
    )


def unpack_x_y_sample_weight(data: Nested) -> tuple[Nested, Nested, Nested]:
    """Unpacks a batch to `(x, y, sample_weight)`, with None for missing parts.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; a list is read as a tuple.

    Returns:
        The three parts.

    Raises:
        ValueError: A tuple of more than three.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise SpecError(
            "unpack_x_y_sample_weight",
            expected="a batch x, (x, y) or (x, y, sample_weight)",
            received=f"a tuple of {len(data)}",
            fix="pass several inputs in a list or a dict: ([a, b], y)",
        )
    return (*data, *(None,) * (3 - len(data)))  # type: ignore[return-value]


def pack_x_y_sample_weight(x: Nested, y: Nested = None, sample_weight: Nested = None) -> Nested:
    """Packs inputs, targets and sample weights to one batch, as `fit` takes it.

    Args:
        x: Inputs.
        y: Targets, or None.
        sample_weight: Sample weights, or None.

    Returns:
        `x` (in a tuple if it is a list or a tuple), `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)
