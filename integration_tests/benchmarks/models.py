"""The benchmark models and their data.

Each function takes the library that builds the model: keras_fn or real Keras.
"""

from typing import Any

import numpy as np

WORDS, TAGS = 1000, 12
LENGTH, WIDTH, HEADS, BLOCKS = 128, 128, 4, 4  # of the transformer


def mlp(keras: Any) -> Any:
    """The guide's network for digits: 784, 64, 64, 10."""
    layers = keras.layers
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3), loss, metrics=["accuracy"])
    return model


def mlp_data(samples: int) -> tuple[Any, Any]:
    """Random images and integer labels."""
    random = np.random.default_rng(0)
    x = random.random((samples, 784), dtype="float32")
    return x, random.integers(0, 10, samples).astype("int32")


def resnet(keras: Any) -> Any:
    """The guide's toy ResNet."""
    layers = keras.layers
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
    """Random images and one-hot labels."""
    random = np.random.default_rng(0)
    x = random.random((samples, 32, 32, 3), dtype="float32")
    return x, np.eye(10, dtype="float32")[random.integers(0, 10, samples)]


def ticket(keras: Any) -> Any:
    """The guide's model with three inputs and two outputs."""
    layers = keras.layers
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


def transformer(keras: Any) -> Any:
    """A causal language model: four pre-norm transformer blocks."""
    layers = keras.layers
    inputs = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(WORDS, WIDTH)(inputs)
    for _ in range(BLOCKS):
        h = layers.Dense(3 * WIDTH)(layers.LayerNormalization(epsilon=1e-5)(x))
        h = layers.Reshape((LENGTH, 3 * HEADS, WIDTH // HEADS))(h)
        q, k, v = keras.ops.split(h, 3, axis=2)
        h = keras.ops.dot_product_attention(q, k, v, is_causal=True)
        x = layers.add([x, layers.Dense(WIDTH)(layers.Reshape((LENGTH, WIDTH))(h))])
        h = layers.LayerNormalization(epsilon=1e-5)(x)
        h = layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(h))
        x = layers.add([x, h])
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    model = keras.Model(inputs, layers.Dense(WORDS)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return model


def transformer_data(samples: int) -> tuple[Any, Any]:
    """Random words, and the word that follows each."""
    words = np.random.default_rng(0).integers(0, WORDS, (samples, LENGTH + 1)).astype("int32")
    return words[:, :-1].copy(), words[:, 1:].copy()


def convolutions(keras: Any) -> Any:
    """A chain of 48 small convolutions: many steps to compile, few to compute."""
    layers = keras.layers
    x = inputs = keras.Input((16, 16, 3))
    for _ in range(48):
        x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3), loss, metrics=["accuracy"])
    return model


def convolutions_data(samples: int) -> tuple[Any, Any]:
    """Random images and integer labels."""
    random = np.random.default_rng(0)
    x = random.random((samples, 16, 16, 3), dtype="float32")
    return x, random.integers(0, 10, samples).astype("int32")


def attention(keras: Any) -> Any:
    """Self-attention of 8 heads."""
    layers = keras.layers
    inputs = keras.Input((LENGTH, WIDTH))
    outputs = layers.MultiHeadAttention(8, WIDTH // 8)(inputs, inputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.RMSprop(1e-3), "mse")
    return model


def attention_data(samples: int) -> tuple[Any, Any]:
    """Random sequences, and others as targets."""
    random = np.random.default_rng(0)
    x, y = random.standard_normal((2, samples, LENGTH, WIDTH), dtype="float32")
    return x, y


def masked_lstm(keras: Any, cls: str = "LSTM") -> Any:
    """A classifier of padded sequences of words."""
    layers = keras.layers
    inputs = keras.Input((50,), dtype="int32")
    x = layers.Embedding(WORDS, 64, mask_zero=True)(inputs)
    model = keras.Model(inputs, layers.Dense(4)(getattr(layers, cls)(128)(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(1e-3), loss)
    return model


def masked_gru(keras: Any) -> Any:
    """The same with a GRU."""
    return masked_lstm(keras, "GRU")


def masked_lstm_data(samples: int) -> tuple[Any, Any]:
    """Random words, 1 to 50 of them, and targets."""
    random = np.random.default_rng(0)
    words = random.integers(1, WORDS, (samples, 50)).astype("int32")
    words[np.arange(50) >= random.integers(1, 51, (samples, 1))] = 0
    return words, random.integers(0, 4, samples).astype("int32")


masked_gru_data = masked_lstm_data


def dense_stack(keras: Any, count: int) -> Any:
    """A chain of dense layers."""
    layers = keras.layers
    x = inputs = keras.Input((64,))
    for _ in range(count):
        x = layers.Dense(64)(x)
    return keras.Model(inputs, x)


def vgg19(keras: Any) -> Any:
    """VGG19 with random weights."""
    return keras.applications.VGG19(weights=None)


def resnet50(keras: Any) -> Any:
    """ResNet50, version 1, as in Keras: 25,636,712 weights."""
    layers = keras.layers
    x = inputs = keras.Input((224, 224, 3))
    x = _conv_bn(keras, layers.ZeroPadding2D(3)(x), 64, 7, strides=2)
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for filters, depth in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for i in range(depth):
            strides = 2 if i == 0 and filters > 64 else 1
            h = _conv_bn(keras, x, filters, 1, strides=strides)
            h = _conv_bn(keras, h, filters, 3, padding="same")
            h = _conv_bn(keras, h, 4 * filters, 1, activation=None)
            if i == 0:
                x = _conv_bn(keras, x, 4 * filters, 1, activation=None, strides=strides)
            x = layers.Activation("relu")(layers.add([x, h]))
    return keras.Model(inputs, layers.Dense(1000)(layers.GlobalAveragePooling2D()(x)))


def _conv_bn(
    keras: Any, x: Any, filters: int, size: int, activation: str | None = "relu", **options: Any
) -> Any:
    x = keras.layers.Conv2D(filters, size, **options)(x)
    x = keras.layers.BatchNormalization(epsilon=1.001e-5)(x)
    return keras.layers.Activation(activation)(x) if activation else x


def read_weights(model: Any) -> list[Any]:
    """Reads all weights: variables of keras_fn are initialized at the first read."""
    return [v.value for v in model.variables]
