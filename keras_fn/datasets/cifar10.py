"""CIFAR-10: classification of 32x32 color images into 10 classes."""

from keras_fn.datasets._cifar import load_batches
from keras_fn.datasets._files import Split

_ARCHIVE = ("cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive")
_FOLDER = "cifar-10-batches-py"


def load_data() -> Split:
    """Loads the CIFAR-10 dataset: 50,000 training images and 10,000 test images.

    The classes, from 0, are airplane, automobile, bird, cat, deer, dog, frog, horse, ship,
    truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 32, 32, 3), or
        (n, 3, 32, 32) if `image_data_format()` is `"channels_first"`, and integer labels of
        shape (n, 1), both uint8.

    References:
        Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
        https://www.cs.toronto.edu/~kriz/cifar.html
    """
    train = [f"{_FOLDER}/data_batch_{i}" for i in range(1, 6)]
    return (
        load_batches(*_ARCHIVE, train, b"labels"),
        load_batches(*_ARCHIVE, [f"{_FOLDER}/test_batch"], b"labels"),
    )
