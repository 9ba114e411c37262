"""Toy datasets: the public namespace `keras.datasets`.

`digits` is part of the package; the others are downloaded once.
"""

from keras_fn.datasets import (
    boston_housing as boston_housing,
    california_housing as california_housing,
    cifar10 as cifar10,
    cifar100 as cifar100,
    digits as digits,
    fashion_mnist as fashion_mnist,
    imdb as imdb,
    mnist as mnist,
    reuters as reuters,
)
