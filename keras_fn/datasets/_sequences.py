"""Texts as sequences of word indices: preprocessing shared by IMDB and Reuters."""

from collections.abc import Iterable

import numpy as np

from keras_fn.errors import SpecError

Sequences = list[list[int]]


def add_start_token(
    sequences: Iterable[list[int]], start_char: int | None, index_from: int
) -> Sequences:
    """Adds an offset to the word indices, and prepends a start token to each text.

    Args:
        sequences: Texts as lists of word indices.
        start_char: The start token; None for no token.
        index_from: Offset of the word indices.

    Returns:
        New lists of word indices.
    """
    start = [] if start_char is None else [start_char]
    # As in Keras: without a start token, `index_from` may be None, for no shift.
    shift = index_from if start else index_from or 0
    return [[*start, *(word + shift for word in text)] for text in sequences]


def filter_by_length(
    maxlen: int, sequences: Sequences, labels: np.ndarray
) -> tuple[Sequences, np.ndarray]:
    """Returns the texts with fewer than `maxlen` words, and their labels."""
    kept = [i for i, text in enumerate(sequences) if len(text) < maxlen]
    if not kept:
        raise SpecError(
            "load_data",
            expected="a maxlen greater than the length of the shortest text",
            received=f"maxlen={maxlen}",
            fix="pass a larger maxlen, or None",
        )
    return [sequences[i] for i in kept], labels[kept]


def limit_vocabulary(
    sequences: Sequences, num_words: int | None, skip_top: int, oov_char: int | None
) -> Sequences:
    """Replaces or drops the words outside [skip_top, num_words).

    Args:
        sequences: Texts as lists of word indices.
        num_words: Upper bound of the word indices, exclusive; None for the largest index.
        skip_top: Lower bound of the word indices.
        oov_char: Token that replaces the other words; None to drop them.

    Returns:
        New lists of word indices.
    """
    # As in Keras: the bound is exclusive even if it is the largest word index in the data.
    end = num_words or max((max(text, default=0) for text in sequences), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < end] for text in sequences]
    return [[word if skip_top <= word < end else oov_char for word in text] for text in sequences]


def object_array(sequences: Sequences) -> np.ndarray:
    """Returns an object array of lists, shape (n,), even if all lists have the same length."""
    array = np.empty(len(sequences), object)
    array[:] = sequences
    return array
