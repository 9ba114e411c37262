"""Random numbers: tensors drawn by the backend, and initial values drawn on the host."""

from keras_fn.core import namespaces, registry
from keras_fn.random.distributions import beta as beta, binomial as binomial, gamma as gamma
from keras_fn.random.random_ops import (
    categorical as categorical,
    dropout as dropout,
    normal as normal,
    randint as randint,
    shuffle as shuffle,
    truncated_normal as truncated_normal,
    uniform as uniform,
)
from keras_fn.random.seed_generator import SeedGenerator as SeedGenerator

registry.register("seed_generator", "keras.random", [SeedGenerator])


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())
