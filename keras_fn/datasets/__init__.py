"""Small data sets to learn and test with. `digits` is in the package; others are fetched once."""

from keras_fn.datasets import boston_housing as boston_housing
from keras_fn.datasets import california_housing as california_housing
from keras_fn.datasets import cifar10 as cifar10
from keras_fn.datasets import cifar100 as cifar100
from keras_fn.datasets import digits as digits
from keras_fn.datasets import fashion_mnist as fashion_mnist
from keras_fn.datasets import imdb as imdb
from keras_fn.datasets import mnist as mnist
from keras_fn.datasets import reuters as reuters
