"""Boston Housing: regression of home prices from 13 features."""

import numpy as np

from keras_fn.datasets._files import Split, fetch, read_npz
from keras_fn.datasets._split import check_test_split, shuffle, train_test_split


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Loads the Boston Housing dataset: 506 districts and the median home price in the 1970s.

    Args:
        path: File name in the cache directory `~/.keras/datasets`.
        test_split: Fraction of the samples in the test set.
        seed: Seed for shuffling the samples before the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: features of shape (n, 13), and targets in
        thousands of dollars of shape (n,), both float64.

    Raises:
        ValueError: `test_split` is not in [0, 1).

    References:
        Harrison and Rubinfeld, "Hedonic housing prices and the demand for clean air", 1978.

    Note:
        One feature is derived from the proportion of Black residents, on the assumption that it
        lowers prices. Use `california_housing`, except to reproduce old results.
    """
    check_test_split(test_split)
    x, y = read_npz(fetch("boston_housing.npz", path), "x", "y")
    return train_test_split(*shuffle(x, y, np.random.RandomState(seed)), test_split)
