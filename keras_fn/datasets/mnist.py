"""MNIST: hand-written digits of 28x28."""

from keras_fn.datasets._files import Split, fetch, read_npz


def load_data(path: str = "mnist.npz") -> Split:
    """Returns MNIST: 60,000 images of digits to train on and 10,000 to test with.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 28, 28) and digits of
        shape (n,), both uint8.

    References:
        LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
        http://yann.lecun.com/exdb/mnist/ (licence: CC BY-SA 3.0)
    """
    x_train, y_train, x_test, y_test = read_npz(
        fetch("mnist.npz", path), "x_train", "y_train", "x_test", "y_test"
    )
    return (x_train, y_train), (x_test, y_test)
