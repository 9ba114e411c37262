"""UCI handwritten digits: classification of 1,797 images of 8x8, part of the package."""

from importlib.resources import files

import numpy as np

from keras_fn.datasets._files import Split


def load_data() -> Split:
    """Loads the UCI handwritten digits dataset, without a download.

    The 1,797 images, by 13 writers, are from the UCI Machine Learning Repository. Each pixel is
    the number, from 0 to 16, of dark pixels in a 4x4 block of the scanned digit. The order is
    shuffled, and the split is stratified by class.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 1,437 and 360 images of shape (n, 8, 8), and
        integer labels 0 to 9 of shape (n,), both uint8.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_train.shape, x_test.shape, y_test.shape
        ((1437, 8, 8), (1437,), (360, 8, 8), (360,))
        >>> int(x_train.max())
        16

    References:
        Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
        Repository, 1998. https://doi.org/10.24432/C50P49 (license: CC BY 4.0)
    """
    resource = files("keras_fn.datasets") / "data" / "digits.npz"
    with resource.open("rb") as file, np.load(file, allow_pickle=False) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
