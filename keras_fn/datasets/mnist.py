"""MNIST: classification of 28x28 images of handwritten digits."""

from keras_fn.datasets._files import Split, fetch, read_npz


def load_data(path: str = "mnist.npz") -> Split:
    """Loads the MNIST dataset: 60,000 training images and 10,000 test images.

    Args:
        path: File name in the cache directory `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 28, 28), and integer labels
        of shape (n,), both uint8.

    References:
        LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
        http://yann.lecun.com/exdb/mnist/ (license: CC BY-SA 3.0)
    """
    x_train, y_train, x_test, y_test = read_npz(
        fetch("mnist.npz", path), "x_train", "y_train", "x_test", "y_test"
    )
    return (x_train, y_train), (x_test, y_test)
