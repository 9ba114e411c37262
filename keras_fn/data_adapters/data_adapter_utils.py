"""Batches cut from arrays that are put on the device once; the parts of a batch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_fn.errors import SpecError

Rows = tuple[list[Any], list[Any] | None, list[Any] | None]
"""Inputs, targets and sample weights, each flat and in the order of the model's own."""


def each_array(rows: Rows, function: Callable[[np.ndarray], Any]) -> Any:
    """Applies `function` to the arrays of the host; tensors are on the device already."""
    return tuple(
        None if group is None else [function(a) if isinstance(a, np.ndarray) else a for a in group]
        for group in rows
    )


def check_lengths(named: Sequence[tuple[str, Any]], source: str) -> int:
    """Returns the number of samples.

    Raises:
        SpecError: Arrays differ in it, or there are none.
    """
    lengths = {name: array.shape[0] for name, array in named if array is not None}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        raise SpecError(
            source,
            expected="arrays with the same number of samples",
            received=told,
            fix="cut or complete the shorter ones",
        )
    size = next(iter(lengths.values()))
    if size == 0:
        raise SpecError(
            source,
            expected="at least one sample",
            received="empty arrays",
            fix="check where they come from",
        )
    return size


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Returns `(x, y, sample_weight)` of a batch, None for what it has not.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Raises:
        ValueError: A tuple of another length.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise ValueError(
            "A batch is x, (x, y) or (x, y, sample_weight); a tuple of "
            f"{len(data)} came. Several inputs go in a list or a dict: ([a, b], y)."
        )
    return (*data, *(None,) * (3 - len(data)))  # type: ignore[return-value]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Returns a batch of these parts.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)
