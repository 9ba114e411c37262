"""California Housing: regression of home prices from 8 features."""

import numpy as np

from keras_fn.datasets._files import Split, fetch, read_npz
from keras_fn.datasets._split import check_test_split, shuffle, train_test_split
from keras_fn.errors import SpecError

_NUM_SAMPLES = {"large": None, "small": 600}


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Loads the California Housing dataset: census blocks of 1990 and their median home price.

    Args:
        version: `"large"` for all 20,640 blocks, `"small"` for 600 of them.
        path: File name in the cache directory `~/.keras/datasets`.
        test_split: Fraction of the samples in the test set.
        seed: Seed for shuffling the samples before the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: features of shape (n, 8), and targets in dollars
        of shape (n,).

    Raises:
        ValueError: `version` is unknown, or `test_split` is not in [0, 1).

    References:
        Pace and Barry, "Sparse spatial autoregressions", 1997.
    """
    check_test_split(test_split)
    if version not in _NUM_SAMPLES:
        raise SpecError(
            "california_housing.load_data",
            expected='version "large" or "small"',
            received=repr(version),
            fix="choose one of the two",
        )
    x, y = read_npz(fetch("california_housing.npz", path), "x", "y")
    size = _NUM_SAMPLES[version]
    return train_test_split(*shuffle(x[:size], y[:size], np.random.RandomState(seed)), test_split)
