"""California housing: prices of homes by 8 features."""

import numpy as np

from keras_fn.datasets._files import Split, fetch, read_npz
from keras_fn.datasets._split import check_test_split, shuffle, train_test_split
from keras_fn.errors import SpecError

_COUNTS = {"large": None, "small": 600}


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Returns blocks of California in 1990 and the median price of a home there.

    Args:
        version: `"large"` for all 20,640 blocks, `"small"` for 600 of them.
        path: Name of the file in the cache, `~/.keras/datasets`.
        test_split: The part of the samples to test with.
        seed: Seed of the order of the samples.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: features of shape (n, 8) and prices in
        dollars, of shape (n,).

    Raises:
        ValueError: `version` is neither, or `test_split` is not in [0, 1).

    References:
        Pace and Barry, "Sparse spatial autoregressions", 1997.
    """
    check_test_split(test_split)
    if version not in _COUNTS:
        raise SpecError(
            "california_housing.load_data",
            expected='version "large" or "small"',
            received=repr(version),
            fix="choose one of the two",
        )
    x, y = read_npz(fetch("california_housing.npz", path), "x", "y")
    count = _COUNTS[version]
    return train_test_split(*shuffle(x[:count], y[:count], np.random.RandomState(seed)), test_split)
