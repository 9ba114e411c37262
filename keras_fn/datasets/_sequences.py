"""Texts as lists of word numbers: the steps that IMDB and Reuters share."""

from collections.abc import Iterable

import numpy as np

from keras_fn.errors import SpecError

Sequences = list[list[int]]


def add_start_token(
    sequences: Iterable[list[int]], start_char: int | None, index_from: int
) -> Sequences:
    """Moves the word numbers up by `index_from`, and puts `start_char` before each text."""
    start = [] if start_char is None else [start_char]
    # Without a start mark Keras takes 0 and None for `index_from` as "leave them".
    shift = index_from if start else index_from or 0
    return [[*start, *(word + shift for word in text)] for text in sequences]


def filter_by_length(
    maxlen: int, sequences: Sequences, labels: np.ndarray
) -> tuple[Sequences, np.ndarray]:
    """Returns the texts of fewer than `maxlen` words, and their labels."""
    kept = [i for i, text in enumerate(sequences) if len(text) < maxlen]
    if not kept:
        raise SpecError(
            "load_data",
            expected="a maxlen that some text is shorter than",
            received=f"maxlen={maxlen}",
            fix="pass a larger one, or None",
        )
    return [sequences[i] for i in kept], labels[kept]


def limit_vocabulary(
    sequences: Sequences, num_words: int | None, skip_top: int, oov_char: int | None
) -> Sequences:
    """Replaces by `oov_char`, or drops if that is None, the words not in [skip_top, num_words)."""
    # As in Keras: the bound is exclusive also where it is the largest word number there is.
    end = num_words or max((max(text, default=0) for text in sequences), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < end] for text in sequences]
    return [[word if skip_top <= word < end else oov_char for word in text] for text in sequences]


def object_array(sequences: Sequences) -> np.ndarray:
    """Returns an array of lists. One axis, also where all lists are of one length."""
    array = np.empty(len(sequences), object)
    array[:] = sequences
    return array
