"""Random numbers: tensors drawn by the backend, and initial values drawn on the host."""

from keras_fn.core.registry import register
from keras_fn.random.draws import categorical as categorical
from keras_fn.random.draws import dropout as dropout
from keras_fn.random.draws import normal as normal
from keras_fn.random.draws import randint as randint
from keras_fn.random.draws import shuffle as shuffle
from keras_fn.random.draws import truncated_normal as truncated_normal
from keras_fn.random.draws import uniform as uniform
from keras_fn.random.families import beta as beta
from keras_fn.random.families import binomial as binomial
from keras_fn.random.families import gamma as gamma
from keras_fn.random.seed import SeedGenerator as SeedGenerator

register("seed_generator", "keras.random", [SeedGenerator])
