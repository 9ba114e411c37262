"""IMDB: film reviews as lists of word numbers, and whether they praise the film."""

from typing import Any

import numpy as np

from keras_fn.datasets._files import Split, fetch, read_npz, read_word_index
from keras_fn.datasets._sequences import (
    add_start_token,
    filter_by_length,
    limit_vocabulary,
    object_array,
)
from keras_fn.datasets._split import shuffle


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Split:
    """Returns 25,000 film reviews to train on and 25,000 to test with.

    A word is numbered by its rank: 1 is the most frequent, before `index_from` is added.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
        num_words: Only words of lower numbers are kept. By default all but the rarest.
        skip_top: Words of lower numbers are taken out too.
        maxlen: Only reviews of fewer words, the start mark counted, are kept.
        seed: Seed of the order of the reviews.
        start_char: What marks the start of a review; None for no mark.
        oov_char: What stands for a word taken out; None for nothing.
        index_from: What is added to the ranks. 0 is then free for padding.
        **kwargs: None are known.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of word numbers, of shape (n,),
        and of 0 for a bad and 1 for a good review, of shape (n,).

    Raises:
        ValueError: No review is shorter than `maxlen`.
        TypeError: An unknown argument.

    References:
        Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011.
        https://ai.stanford.edu/~amaas/data/sentiment/
    """
    if kwargs:
        raise TypeError(f"imdb.load_data has no argument {', '.join(map(repr, kwargs))}")
    arrays = read_npz(fetch("imdb.npz", path), "x_train", "y_train", "x_test", "y_test")
    rng = np.random.RandomState(seed)
    texts, labels = [], []
    for x, y in (arrays[:2], arrays[2:]):
        x, y = shuffle(x, y, rng)
        sequences = add_start_token(x, start_char, index_from)
        if maxlen:
            sequences, y = filter_by_length(maxlen, sequences, y)
        texts.append(sequences)
        labels.append(y)
    kept = limit_vocabulary(texts[0] + texts[1], num_words, skip_top, oov_char)
    count = len(texts[0])
    return (object_array(kept[:count]), labels[0]), (object_array(kept[count:]), labels[1])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Returns the rank of each word, 1 for the most frequent.

    In the reviews of `load_data` a word has its rank plus `index_from`.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
    """
    return read_word_index(fetch("imdb_word_index.json", path))
