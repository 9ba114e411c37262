"""Padding of sequences of different lengths to one array."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.errors import SpecError


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: npt.DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> npt.NDArray[Any]:
    """Pads or truncates sequences to the same length.

    Args:
        sequences: List of sequences; their elements may be arrays of the same shape.
        maxlen: Length of the result; by default the length of the longest sequence.
        dtype: Data type of the result; `object` for strings of different lengths.
        padding: Where to pad: `"pre"` at the start, `"post"` at the end.
        truncating: Where to truncate: `"pre"` at the start, `"post"` at the end.
        value: Padding value.

    Returns:
        Array of shape `(len(sequences), maxlen, *element_shape)`.

    Raises:
        ValueError: `sequences` is not a list of sequences, an element has another shape than the
            first, `value` does not match `dtype`, or an option is unknown.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
        >>> pad_sequences([[1], [2, 3]], padding="post", value=-1)
        array([[ 1, -1],
               [ 2,  3]], dtype=int32)
    """
    dtype = _numpy_dtype(dtype)
    _check_options(padding, truncating, value, dtype)
    lengths = [_sequence_length(s, i) for i, s in enumerate(_check_sized(sequences))]
    maxlen = max(lengths, default=0) if maxlen is None else maxlen
    non_empty = next((s for s in sequences if len(s)), ())
    element_shape = np.asarray(non_empty).shape[1:]

    padded = np.full((len(sequences), maxlen, *element_shape), value, dtype=dtype)
    for i, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        length_kept = min(length, maxlen)
        if not length_kept:
            continue
        values = np.asarray(
            sequence[-length_kept:] if truncating == "pre" else sequence[:length_kept], dtype=dtype
        )
        if values.shape[1:] != element_shape:
            raise SpecError(
                "pad_sequences",
                expected=f"elements of shape {element_shape}, as in the first",
                received=f"shape {values.shape[1:]} in sequence {i}",
                fix="use elements of the same shape",
            )
        padded[i, slice(-length_kept, None) if padding == "pre" else slice(length_kept)] = values
    return padded


def _check_sized(sequences: Any) -> Sequence[Any]:
    if not hasattr(sequences, "__len__"):
        raise SpecError(
            "pad_sequences",
            expected="a list of sequences",
            received=f"a {type(sequences).__name__}",
            fix="wrap it: list(sequences)",
        )
    return sequences


def _sequence_length(sequence: Any, index: int) -> int:
    if not isinstance(sequence, Iterable) or not hasattr(sequence, "__len__"):
        raise SpecError(
            "pad_sequences",
            expected="a list of sequences",
            received=f"{sequence!r:.100} at position {index}",
            fix="wrap single numbers in a list",
        )
    return len(sequence)  # pyright: ignore[reportArgumentType]


def _numpy_dtype(dtype: Any) -> np.dtype:
    """Returns the NumPy dtype for one of NumPy's, or of a framework's."""
    try:
        return np.dtype(dtype)
    except TypeError:
        return numpy_dtype(standardize_dtype(dtype))


def _check_options(padding: str, truncating: str, value: float | str, dtype: np.dtype) -> None:
    for name, option in (("padding", padding), ("truncating", truncating)):
        if option not in ("pre", "post"):
            raise SpecError(
                "pad_sequences",
                expected=f'{name} "pre" or "post"',
                received=repr(option),
                fix="choose one of the two",
            )
    if isinstance(value, str) and dtype.kind not in "OSU":
        raise SpecError(
            "pad_sequences",
            expected=f"a number as the padding value of an array of {dtype}",
            received=f"value={value!r}",
            fix="pass dtype=object for strings",
        )
