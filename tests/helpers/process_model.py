"""The model and the data of the programs that several processes run, and of their tests."""

from collections.abc import Iterator

import numpy as np

import keras_fn as keras
from keras_fn import layers


def make_model() -> keras.Model:
    """Returns a compiled model with Dropout."""
    x = inputs = keras.Input((24,))
    x = layers.Dense(64, activation="relu", name="first")(x)
    x = layers.Dropout(0.3, name="drop")(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax", name="out")(x))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs and targets; batches of 32 leave a last one of 5."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(101, 24)).astype("f4"), rng.integers(0, 10, 101).astype("i4")


def load_own_data() -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the data of each of two processes, of unequal lengths."""
    x, y = load_data()
    return [(x[:16], y[:16]), (x[16:48], y[16:48])]


def read_batches(parts: list[tuple[np.ndarray, np.ndarray]], size: int) -> Iterator[tuple]:
    """Yields batches of so many rows of each part, as long as one has any."""
    for start in range(0, max(len(x) for x, _ in parts), size):
        rows = slice(start, start + size)
        yield tuple(np.concatenate([part[i][rows] for part in parts]) for i in (0, 1))
