"""CIFAR-100: colour photographs of 32x32 in a hundred classes."""

from keras_fn.datasets._cifar import load_batches
from keras_fn.datasets._files import Split
from keras_fn.errors import SpecError

_ARCHIVE = ("cifar-100-python.tar.gz", "cifar-100-python-target_archive")


def load_data(label_mode: str = "fine") -> Split:
    """Returns CIFAR-100: 50,000 photographs to train on and 10,000 to test with.

    Args:
        label_mode: `"fine"` for the 100 classes, `"coarse"` for the 20 groups of them.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 32, 32, 3), or
        (n, 3, 32, 32) if `image_data_format()` is `"channels_first"`, and classes of shape
        (n, 1), both uint8.

    Raises:
        ValueError: `label_mode` is neither.

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
