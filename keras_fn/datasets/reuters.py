"""Reuters: newswires as lists of word numbers, and their topics."""

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
    """Returns 11,228 newswires of 1987 in 46 topics.

    A word is numbered by its rank: 1 is the most frequent, before `index_from` is added.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
        num_words: Only words of lower numbers are kept. By default all but the rarest.
        skip_top: Words of lower numbers are taken out too.
        maxlen: Only newswires of fewer words, the start mark counted, are kept.
        test_split: The part of the newswires to test with.
        seed: Seed of the order of the newswires.
        start_char: What marks the start of a newswire; None for no mark.
        oov_char: What stands for a word taken out; None for nothing.
        index_from: What is added to the ranks. 0 is then free for padding.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of word numbers, of shape (n,),
        and of topics, of shape (n,).

    Raises:
        ValueError: No newswire is shorter than `maxlen`.

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
    """Returns the rank of each word, 1 for the most frequent.

    In the newswires of `load_data` a word has its rank plus `index_from`.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
    """
    return read_word_index(fetch("reuters_word_index.json", path))


def get_label_names() -> tuple[str, ...]:
    """Returns the names of the 46 topics, by their numbers.

    Example:
        >>> get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())
