"""Models to look at, written once for keras_fn and Keras, and the tables that Keras prints.

Where Keras is installed, this writes tables.txt anew:

    KERAS_BACKEND=jax python tests/visualization/zoo.py
"""

import os
from pathlib import Path
from unittest import mock

import numpy as np


def chain(keras):
    x = keras.Input((784,))
    y = keras.layers.Dense(64, activation="relu")(x)
    y = keras.layers.Dense(64, activation="relu")(y)
    return keras.Model(x, keras.layers.Dense(10)(y), name="mnist_model")


def toy_resnet(keras):
    layers = keras.layers
    inputs = keras.Input((32, 32, 3), name="img")
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    block_1 = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(block_1)
    x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
    block_2 = layers.add([x, block_1])
    x = layers.Conv2D(64, 3, activation="relu")(block_2)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(10)(x), name="toy_resnet")


def ticket(keras):
    layers = keras.layers
    title = keras.Input((None,), name="title")
    body = keras.Input((None,), name="body")
    tags = keras.Input((12,), name="tags")
    x = layers.concatenate(
        [
            layers.LSTM(128)(layers.Embedding(100, 64)(title)),
            layers.LSTM(32)(layers.Embedding(100, 64)(body)),
            tags,
        ]
    )
    outputs = {
        "priority": layers.Dense(1, name="priority")(x),
        "department": layers.Dense(4, name="department")(x),
    }
    return keras.Model([title, body, tags], outputs, name="ticket")


def shared(keras):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    layer = keras.layers.Dense(4, name="shared")
    return keras.Model([a, b], keras.layers.concatenate([layer(a), layer(b)]), name="sharing")


def twice(keras):
    x, layer = keras.Input((3,), name="x"), keras.layers.Dense(3, name="again")
    return keras.Model(x, layer(layer(x)), name="twice")


def nested(keras):
    layers = keras.layers
    stack = keras.Sequential([keras.Input((3,)), layers.Dense(5), layers.Dense(2)], name="stack")
    x = keras.Input((2,), name="x")
    frozen = keras.Model(x, layers.Dense(3, name="deep")(x), name="frozen")
    frozen.trainable = False
    x = keras.Input((3,), name="y")
    middle = keras.Model(x, frozen(stack(x)), name="middle")
    x = keras.Input((3,), name="z")
    return keras.Model(x, layers.Dense(1, name="last")(middle(x)), name="outer")


def ops(keras):
    x = keras.Input((8,), name="x")
    y = keras.layers.Dense(8, name="y")(x)
    return keras.Model(x, keras.ops.relu(y) * 2 + y, name="[bold]ops")


def unbuilt(keras):
    return keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(4)], name="unbuilt")


def empty(keras):
    return keras.Sequential(name="empty")


def stack(keras):
    model = unbuilt(keras)
    model.build((None, 7))
    return model


def subclassed(keras):
    class Pair(keras.Model):
        def __init__(self):
            super().__init__(name="pair")
            self.first, self.second = keras.layers.Dense(3), keras.layers.Dense(2)

        def call(self, x):
            return self.second(self.first(x))

    return Pair()


def called(keras):
    model = subclassed(keras)
    model(np.ones((2, 5), "float32"))
    return model


def two_outputs(keras):
    x = keras.Input((4, 2), name="x")
    return keras.Model(x, keras.layers.LSTM(3, return_state=True)(x), name="two_outputs")


def mixed(keras):
    x = keras.Input((4,), name="x")
    y = keras.layers.BatchNormalization()(keras.layers.Dense(4)(x))
    y = keras.layers.Dense(300_000, dtype="bfloat16", trainable=False)(y)
    return keras.Model(x, y, name="mixed")


MODELS = {f.__name__: f for f in (
    chain, toy_resnet, ticket, shared, twice, nested, ops, unbuilt, empty, stack, subclassed,
    called, two_outputs, mixed,
)}  # fmt: skip

_OPTIONS = {
    "toy_resnet": (80, {"show_trainable": True}),
    "mixed": (120, {"show_trainable": True}),
    "nested": (100, {"expand_nested": True, "show_trainable": True}),
    "shared": (80, {"line_length": 64}),
    "chain": (80, {"line_length": 70, "positions": [0.5, 0.8, 1.0]}),
    "stack": (80, {"layer_range": ["dense_1", "dense"]}),
}
CASES = [(name, columns, {}) for name in MODELS for columns in (80, 120)]
CASES += [("nested", 80, {"expand_nested": True})]
CASES += [(name, *rest) for name, rest in _OPTIONS.items()]


def title(name, columns, options):
    return f"== {name} {columns} {options}"


def table(keras, name, columns, options):
    """Returns what the summary of a model gives to `print_fn`, in a terminal of some width."""
    keras.utils.clear_session()
    texts = []
    with mock.patch.dict(os.environ, COLUMNS=str(columns)):
        MODELS[name](keras).summary(print_fn=texts.append, **options)
    (text,) = texts
    return text


if __name__ == "__main__":
    import keras

    parts = [f"What Keras {keras.__version__} prints. Made by zoo.py.\n"]
    parts += [f"{title(*case)}\n{table(keras, *case)}" for case in CASES]
    Path(__file__).with_name("tables.txt").write_text("\n".join(parts), encoding="utf-8")
