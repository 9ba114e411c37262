"""CIFAR-10: colour photographs of 32x32 in ten classes."""

from keras_fn.datasets._cifar import load_batches
from keras_fn.datasets._files import Split

_ARCHIVE = ("cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive")
_FOLDER = "cifar-10-batches-py"


def load_data() -> Split:
    """Returns CIFAR-10: 50,000 photographs to train on and 10,000 to test with.

    The classes are, from 0 on: airplane, automobile, bird, cat, deer, dog, frog, horse, ship,
    truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 32, 32, 3), or
        (n, 3, 32, 32) if `image_data_format()` is `"channels_first"`, and classes of shape
        (n, 1), both uint8.

    References:
        Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
        https://www.cs.toronto.edu/~kriz/cifar.html
    """
    train = [f"{_FOLDER}/data_batch_{i}" for i in range(1, 6)]
    return (
        load_batches(*_ARCHIVE, train, b"labels"),
        load_batches(*_ARCHIVE, [f"{_FOLDER}/test_batch"], b"labels"),
    )
