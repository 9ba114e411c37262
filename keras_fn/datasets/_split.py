"""Shuffling and splitting, in the same order as Keras for the same seed."""

import numpy as np

from keras_fn.datasets._files import Split
from keras_fn.errors import SpecError


def check_test_split(test_split: float) -> None:
    """Raises a ValueError unless `test_split` is a fraction in [0, 1)."""
    if not 0 <= test_split < 1:
        raise SpecError(
            "load_data",
            expected="test_split in [0, 1)",
            received=repr(test_split),
            fix="pass the fraction of test samples, such as 0.2",
        )


def shuffle(
    x: np.ndarray, y: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Returns both arrays in the same random order."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def train_test_split(x: np.ndarray, y: np.ndarray, test_split: float) -> Split:
    """Splits the samples into a training set and a test set.

    Args:
        x: Samples, shape (n, ...).
        y: Targets, shape (n, ...).
        test_split: Fraction of the samples in the test set, the last ones.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.
    """
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
