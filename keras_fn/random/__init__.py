"""Random numbers: tensors drawn by the backend, and initial values drawn on the host."""

from keras_fn.core.registry import register
from keras_fn.random.distributions import beta as beta
from keras_fn.random.distributions import binomial as binomial
from keras_fn.random.distributions import gamma as gamma
from keras_fn.random.random_ops import categorical as categorical
from keras_fn.random.random_ops import dropout as dropout
from keras_fn.random.random_ops import normal as normal
from keras_fn.random.random_ops import randint as randint
from keras_fn.random.random_ops import shuffle as shuffle
from keras_fn.random.random_ops import truncated_normal as truncated_normal
from keras_fn.random.random_ops import uniform as uniform
from keras_fn.random.seed_generator import SeedGenerator as SeedGenerator

register("seed_generator", "keras.random", [SeedGenerator])
