"""The models that are measured, as a user of keras_fn writes them, and their data."""

from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers

WORDS, TAGS = 1000, 12


def mlp() -> Any:
    """The guide's network for digits: 784, 64, 64, 10."""
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3), loss, metrics=["accuracy"])
    return model


def mlp_data(samples: int) -> tuple[Any, Any]:
    """Random images and classes."""
    random = np.random.default_rng(0)
    x = random.random((samples, 784), dtype="float32")
    return x, random.integers(0, 10, samples).astype("int32")


def resnet() -> Any:
    """The guide's toy ResNet."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    first = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(first)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
    second = layers.add([x, first])
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(second)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
    x = layers.Conv2D(64, 3, activation="relu")(layers.add([x, second]))
    x = layers.Dense(256, activation="relu")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(10)(layers.Dropout(0.5)(x)))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3), loss, metrics=["acc"])
    return model


def resnet_data(samples: int) -> tuple[Any, Any]:
    """Random pictures and one-hot classes."""
    random = np.random.default_rng(0)
    x = random.random((samples, 32, 32, 3), dtype="float32")
    return x, np.eye(10, dtype="float32")[random.integers(0, 10, samples)]


def ticket() -> Any:
    """The guide's model of three inputs and two outputs."""
    title, body = keras.Input((None,), name="title"), keras.Input((None,), name="body")
    tags = keras.Input((TAGS,), name="tags")
    a = layers.LSTM(128)(layers.Embedding(WORDS, 64)(title))
    b = layers.LSTM(32)(layers.Embedding(WORDS, 64)(body))
    x = layers.concatenate([a, b, tags])
    model = keras.Model(
        [title, body, tags],
        {"priority": layers.Dense(1, name="priority")(x),
         "department": layers.Dense(4, name="department")(x)},
    )  # fmt: skip
    model.compile(
        keras.optimizers.RMSprop(1e-3),
        {"priority": keras.losses.BinaryCrossentropy(from_logits=True),
         "department": keras.losses.CategoricalCrossentropy(from_logits=True)},
        loss_weights={"priority": 1.0, "department": 0.2},
    )  # fmt: skip
    return model


def ticket_data(samples: int) -> tuple[Any, Any]:
    """Random words, tags and targets."""
    random = np.random.default_rng(0)
    x = {
        "title": random.integers(0, WORDS, (samples, 12)).astype("int32"),
        "body": random.integers(0, WORDS, (samples, 100)).astype("int32"),
        "tags": random.integers(0, 2, (samples, TAGS)).astype("float32"),
    }
    y = {
        "priority": random.random((samples, 1), dtype="float32"),
        "department": np.eye(4, dtype="float32")[random.integers(0, 4, samples)],
    }
    return x, y


def dense_stack(count: int) -> Any:
    """A chain of dense layers."""
    x = inputs = keras.Input((64,))
    for _ in range(count):
        x = layers.Dense(64)(x)
    return keras.Model(inputs, x)


def drawn_dense_stack(count: int) -> Any:
    """The same, with the values of its weights: a variable draws its own when it is first read."""
    return [v.value for v in dense_stack(count).variables]


def vgg19() -> Any:
    """VGG19 with new weights."""
    return [v.value for v in keras.applications.VGG19(weights=None).variables]
