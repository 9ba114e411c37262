"""IMDB: sentiment classification of movie reviews as sequences of word indices."""

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
from keras_fn.errors import unexpected_arguments


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
    """Loads the IMDB dataset: 25,000 training reviews and 25,000 test reviews.

    Word indices are frequency ranks, 1 for the most frequent word, plus `index_from`.

    Args:
        path: File name in the cache directory `~/.keras/datasets`.
        num_words: Upper bound of the word indices to keep, exclusive; by default the largest index
            in the data.
        skip_top: Lower bound of the word indices to keep.
        maxlen: Only reviews with fewer words, including the start token, are kept.
        seed: Seed for shuffling the reviews.
        start_char: Start token of each review; None for no token.
        oov_char: Token that replaces the words outside the bounds; None to drop them.
        index_from: Offset of the word indices, so that 0 is free for padding.
        **kwargs: Not accepted; any argument raises a TypeError.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of word indices, and integer
        labels, 0 for a negative and 1 for a positive review, all of shape (n,).

    Raises:
        ValueError: No review has fewer than `maxlen` words.
        TypeError: There is an unknown argument.

    References:
        Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011.
        https://ai.stanford.edu/~amaas/data/sentiment/
    """
    if kwargs:
        raise unexpected_arguments("imdb.load_data", kwargs)
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
    """Returns the mapping of words to their frequency ranks, 1 for the most frequent word.

    In the reviews of `load_data`, the index of a word is its rank plus `index_from`.

    Args:
        path: File name in the cache directory `~/.keras/datasets`.
    """
    return read_word_index(fetch("imdb_word_index.json", path))
