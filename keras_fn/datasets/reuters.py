"""Reuters: topic classification of newswires as sequences of word indices."""

import numpy as np

from keras_fn.datasets._files import Split, fetch, read_npz, read_word_index
from keras_fn.datasets._sequences import (
    add_start_token,
    filter_by_length,
    limit_vocabulary,
    object_array,
)
from keras_fn.datasets._split import shuffle, train_test_split

_TOPICS = """
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves
    ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin
    strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem
    dlr gas silver wpi hog lead
"""


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Split:
    """Loads the Reuters dataset: 11,228 newswires of 1987 in 46 topics.

    Word indices are frequency ranks, 1 for the most frequent word, plus `index_from`.

    Args:
        path: File name in the cache directory `~/.keras/datasets`.
        num_words: Upper bound of the word indices to keep, exclusive; by default the largest index
            in the data.
        skip_top: Lower bound of the word indices to keep.
        maxlen: Only newswires with fewer words, including the start token, are kept.
        test_split: Fraction of the newswires in the test set.
        seed: Seed for shuffling the newswires.
        start_char: Start token of each newswire; None for no token.
        oov_char: Token that replaces the words outside the bounds; None to drop them.
        index_from: Offset of the word indices, so that 0 is free for padding.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of word indices, and integer
        labels 0 to 45, all of shape (n,).

    Raises:
        ValueError: No newswire has fewer than `maxlen` words.

    References:
        Lewis, "Reuters-21578 Text Categorization Collection", 1997.
    """
    x, y = read_npz(fetch("reuters.npz", path), "x", "y")
    x, y = shuffle(x, y, np.random.RandomState(seed))
    sequences = add_start_token(x, start_char, index_from)
    if maxlen:
        sequences, y = filter_by_length(maxlen, sequences, y)
    return train_test_split(
        object_array(limit_vocabulary(sequences, num_words, skip_top, oov_char)), y, test_split
    )


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Returns the mapping of words to their frequency ranks, 1 for the most frequent word.

    In the newswires of `load_data`, the index of a word is its rank plus `index_from`.

    Args:
        path: File name in the cache directory `~/.keras/datasets`.
    """
    return read_word_index(fetch("reuters_word_index.json", path))


def get_label_names() -> tuple[str, ...]:
    """Returns the names of the 46 topics, indexed by their integer labels.

    Example:
        >>> get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())
