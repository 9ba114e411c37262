"""CIFAR-100: classification of 32x32 color images into 100 classes."""

from keras_fn.datasets._cifar import load_batches
from keras_fn.datasets._files import Split
from keras_fn.errors import SpecError

_ARCHIVE = ("cifar-100-python.tar.gz", "cifar-100-python-target_archive")


def load_data(label_mode: str = "fine") -> Split:
    """Loads the CIFAR-100 dataset: 50,000 training images and 10,000 test images.

    Args:
        label_mode: `"fine"` for the 100 classes, `"coarse"` for the 20 superclasses.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 32, 32, 3), or
        (n, 3, 32, 32) if `image_data_format()` is `"channels_first"`, and integer labels of
        shape (n, 1), both uint8.

    Raises:
        ValueError: `label_mode` is unknown.

    References:
        Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
        https://www.cs.toronto.edu/~kriz/cifar.html
    """
    if label_mode not in ("fine", "coarse"):
        raise SpecError(
            "cifar100.load_data",
            expected='label_mode "fine" or "coarse"',
            received=repr(label_mode),
            fix="choose one of the two",
        )
    key = f"{label_mode}_labels".encode()
    return (
        load_batches(*_ARCHIVE, ["cifar-100-python/train"], key),
        load_batches(*_ARCHIVE, ["cifar-100-python/test"], key),
    )
