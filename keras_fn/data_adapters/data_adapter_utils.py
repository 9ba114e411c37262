"""Batches: packing and unpacking `(x, y, sample_weight)`, class weights, validation splits."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import Shape
from keras_fn.data_adapters.host_rows import HostRows
from keras_fn.errors import SpecError
from keras_fn.types import Nested

FlatBatch = tuple[list[Any], list[Any] | None, list[Any] | None]
"""Inputs, targets and sample weights, each a flat list in the model's order. A whole data set of
arrays has this form, too."""


def map_leaves(function: Callable[[Any], Any], data: FlatBatch) -> Any:
    """Applies `function` to all arrays and tensors of a flat batch.

    Inputs that are one object on the host (`HostInputs`) become a list of tensors.
    """
    inputs, *others = [
        None if group is None else [None if a is None else function(a) for a in group]
        for group in data
    ]
    return (inputs[0] if inputs and type(inputs[0]) is list else inputs, *others)


def to_host(array: Any) -> np.ndarray:
    """Returns an array or a tensor as a NumPy array."""
    if isinstance(array, HostRows):
        return array.to_array()
    return current().convert_to_numpy(array) if current().is_tensor(array) else array


def class_weight_to_sample_weights(
    targets: list[Any] | None,
    sample_weights: list[Any] | None,
    class_weight: Mapping[int, float],
    source: str,
    y_pred_shape: Shape | None = None,
) -> list[Any]:
    """Converts class weights to sample weights.

    Args:
        targets: Class indices or one-hot vectors of the only output, in a list.
        sample_weights: Sample weights to multiply with, in a list, or None.
        class_weight: Weight of each class index; 1 for classes that are not listed.
        source: The model, for errors.
        y_pred_shape: Shape of the predictions, if it is known: it tells class indices of shape
            `(batch, time)` from one-hot vectors.

    Returns:
        A list with one float32 array: a weight for each label.

    Raises:
        SpecError: The model has several outputs, there are no targets, `class_weight` is not a
            dict of numbers, or the sample weights do not fit the labels.
    """
    table = _check_class_weight(class_weight, source)
    if not targets or len(targets) != 1:
        raise SpecError(
            source,
            expected="class_weight for a model with one output",
            received=f"a model with {len(targets)} outputs" if targets else "no targets",
            fix="use sample_weight for models with several outputs",
        )
    classes = _get_class_indices(to_host(targets[0]), y_pred_shape)
    weights = np.ones(classes.shape, dtype="float32")
    for label, weight in table.items():
        weights[classes == label] = weight
    if sample_weights is None or sample_weights[0] is None:
        return [weights]
    return [_multiply_weights(weights, to_host(sample_weights[0]), source)]


def _check_class_weight(class_weight: Any, source: str) -> dict[int, float]:
    """Returns class weights as a dict of plain numbers."""
    try:
        if not isinstance(class_weight, Mapping):
            raise TypeError
        return {_to_class_index(label): float(w) for label, w in class_weight.items()}
    except (TypeError, ValueError):
        is_list = isinstance(class_weight, (list, tuple, np.ndarray))
        raise SpecError(
            source,
            expected="class_weight as a dict of class indices and their weights",
            received=f"class_weight={class_weight!r}",
            fix="pass dict(enumerate(class_weight))" if is_list else "for example {0: 1.0, 1: 2.0}",
        ) from None


def _to_class_index(label: Any) -> int:
    if isinstance(label, str) or int(label) != label:
        raise ValueError
    return int(label)


def _get_class_indices(y: np.ndarray, y_pred_shape: Shape | None) -> np.ndarray:
    """Returns the class index of each label, without the axis of one-hot vectors."""
    if y.ndim < 2:
        return y
    if y.shape[-1] == 1:
        return y[..., 0]
    return y if y_pred_shape is not None and y.ndim < len(y_pred_shape) else y.argmax(-1)


def _multiply_weights(class_weights: np.ndarray, weights: Any, source: str) -> np.ndarray:
    """Multiplies two kinds of weights, both of the first axes of the targets."""
    rank = max(class_weights.ndim, weights.ndim)
    pair = [w.reshape(w.shape + (1,) * (rank - w.ndim)) for w in (class_weights, weights)]
    try:
        return pair[0] * pair[1]
    except ValueError:
        raise SpecError(
            source,
            expected=f"sample_weight for labels of shape {class_weights.shape}, which class_weight "
            "has a weight for",
            received=f"sample_weight of shape {weights.shape}",
            fix="pass a weight for each sample, or for each label",
        ) from None


def train_validation_split(
    data: FlatBatch, validation_split: float, source: str
) -> tuple[FlatBatch, FlatBatch]:
    """Splits arrays into the first samples, for training, and the last, for validation.

    Args:
        data: The arrays.
        validation_split: Fraction of the samples for validation, between 0 and 1.
        source: The model, for errors.

    Raises:
        ValueError: One of the parts is empty.
    """
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


def no_batch() -> SpecError:
    """Returns the error for data that yields no batch at all."""
    return SpecError(
        "The data yields no batch",
        expected="at least one batch",
        received="no batch",
        fix="pass data that is not empty; a generator that has ended cannot be read again",
    )


def no_end(source: Any) -> SpecError:
    """Returns the error for infinite data without a number of steps.

    Args:
        source: The data.
    """
    return SpecError(
        type(source).__name__,
        expected="the number of steps in an epoch",
        received="None, with infinite data",
        fix="pass steps_per_epoch (or steps)",
    )


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
