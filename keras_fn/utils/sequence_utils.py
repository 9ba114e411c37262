"""Sequences of different lengths, made into one array."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from keras_fn.errors import SpecError


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: npt.DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> npt.NDArray[Any]:
    """Brings sequences to one length, by filling up the short and cutting the long.

    Args:
        sequences: A list of sequences; their elements may be arrays of one shape.
        maxlen: The length wanted. By default that of the longest sequence.
        dtype: Type of the result; `object` for strings of different lengths.
        padding: `"pre"` fills at the front, `"post"` at the back.
        truncating: `"pre"` cuts at the front, `"post"` at the back.
        value: What to fill with.

    Returns:
        An array of shape `(len(sequences), maxlen, *element shape)`.

    Raises:
        ValueError: `sequences` is not a list of sequences, an element has another shape than
            the first, `value` does not fit `dtype`, or an option has another value.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
        >>> pad_sequences([[1], [2, 3]], padding="post", value=-1)
        array([[ 1, -1],
               [ 2,  3]], dtype=int32)
    """
    _check_options(padding, truncating, value, np.dtype(dtype))
    lengths = [_length(s, i) for i, s in enumerate(_sized(sequences))]
    maxlen = max(lengths, default=0) if maxlen is None else maxlen
    filled = next((s for s in sequences if len(s)), ())
    element_shape = np.asarray(filled).shape[1:]

    padded = np.full((len(sequences), maxlen, *element_shape), value, dtype=dtype)
    for i, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(length, maxlen)
        if not kept:
            continue
        part = np.asarray(sequence[-kept:] if truncating == "pre" else sequence[:kept], dtype=dtype)
        if part.shape[1:] != element_shape:
            raise SpecError(
                "pad_sequences",
                expected=f"elements of shape {element_shape}, as in the first",
                received=f"shape {part.shape[1:]} in sequence {i}",
                fix="give all elements one shape",
            )
        padded[i, slice(-kept, None) if padding == "pre" else slice(kept)] = part
    return padded


def _sized(sequences: Any) -> Sequence[Any]:
    if not hasattr(sequences, "__len__"):
        raise SpecError(
            "pad_sequences",
            expected="a list of sequences",
            received=f"a {type(sequences).__name__}",
            fix="wrap it: list(sequences)",
        )
    return sequences


def _length(sequence: Any, index: int) -> int:
    if not isinstance(sequence, Iterable) or not hasattr(sequence, "__len__"):
        raise SpecError(
            "pad_sequences",
            expected="a list of sequences",
            received=f"{sequence!r:.100} at position {index}",
            fix="wrap single numbers in a list",
        )
    return len(sequence)  # pyright: ignore[reportArgumentType]


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
            expected=f"a number to fill an array of {dtype} with",
            received=f"value={value!r}",
            fix="pass dtype=object for strings",
        )
