"""Fashion-MNIST: classification of 28x28 images of clothing into 10 classes."""

import gzip

import numpy as np

from keras_fn.datasets._files import Split, fetch

_HEADER_BYTES = {"images-idx3": 16, "labels-idx1": 8}


def load_data() -> Split:
    """Loads the Fashion-MNIST dataset: 60,000 training images and 10,000 test images.

    The classes, from 0, are T-shirt/top, trouser, pullover, dress, coat, sandal, shirt,
    sneaker, bag, ankle boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape (n, 28, 28), and integer labels
        of shape (n,), both uint8.

    References:
        Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
        Machine Learning Algorithms", 2017. https://arxiv.org/abs/1708.07747 (license: MIT)
    """
    return (
        (_read("train", "images-idx3").reshape(-1, 28, 28), _read("train", "labels-idx1")),
        (_read("t10k", "images-idx3").reshape(-1, 28, 28), _read("t10k", "labels-idx1")),
    )


def _read(part: str, kind: str) -> np.ndarray:
    # The folder of Keras, so that both libraries share the cache.
    path = fetch(f"{part}-{kind}-ubyte.gz", cache_subdir="datasets/fashion-mnist")
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), "uint8", offset=_HEADER_BYTES[kind]).copy()
