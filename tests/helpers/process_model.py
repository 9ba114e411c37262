"""The model and the data of the programs that several processes run, and of their tests."""

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
