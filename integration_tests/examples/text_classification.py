"""Classification of raw text: its words become tokens inside the model, before a transformer.

The model takes strings, in `fit`, in `predict` and after loading. What it has to learn needs more
than the set of words: "not" changes the meaning of the word that follows it.
"""

import numpy as np

import keras_fn as keras
from keras_fn import layers, ops

SUBJECTS = ("the food", "our room", "the film", "this book", "the service", "her voice")
POSITIVE = ("good", "lovely", "great", "excellent", "warm")
NEGATIVE = ("bad", "awful", "boring", "terrible", "cold")
FILLERS = ("really", "quite", "very", "so", "rather")
LENGTH, WIDTH = 10, 24


def write_reviews(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns short reviews as strings, and 1 for those that are positive."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        is_positive, is_negated = random.random() < 0.5, random.random() < 0.5
        word = random.choice(POSITIVE if is_positive is not is_negated else NEGATIVE)
        words = ["was", *(["not"] if is_negated else []), random.choice(FILLERS), word]
        sentence = f"{random.choice(SUBJECTS)} {' '.join(words)}"
        texts.append(f"{sentence.capitalize()}{random.choice(['.', '!', ''])}")
        labels.append(float(is_positive))
    return np.array(texts, object), np.array(labels, "float32")


class TokenAndPositionEmbedding(layers.Layer):
    """Adds a vector for the position of each token to that of the token."""

    def __init__(self, vocabulary_size, length, width, **options):
        super().__init__(**options)
        self.vocabulary_size, self.length, self.width = vocabulary_size, length, width
        self.tokens = layers.Embedding(vocabulary_size, width, mask_zero=True)
        self.positions = layers.Embedding(length, width)
        self.supports_masking = True

    def call(self, inputs):
        return self.tokens(inputs) + self.positions(ops.arange(self.length))

    def compute_mask(self, inputs, mask=None):
        return self.tokens.compute_mask(inputs)


def make_model(texts: np.ndarray) -> keras.Model:
    """Builds a model of strings, whose vocabulary comes from some texts."""
    vectorize = layers.TextVectorization(max_tokens=100, output_sequence_length=LENGTH)
    vectorize.adapt(texts)
    text = keras.Input((), dtype="string", name="review")
    x = TokenAndPositionEmbedding(vectorize.vocabulary_size(), LENGTH, WIDTH)(vectorize(text))
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=WIDTH // 2)(x, x)
    x = layers.LayerNormalization()(x + attended)
    hidden = layers.Dense(WIDTH)(layers.Dense(2 * WIDTH, activation="relu")(x))
    x = layers.LayerNormalization()(x + hidden)
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(text, layers.Dense(1, activation="sigmoid")(x))


def main(epochs: int = 6) -> tuple[keras.Model, dict[str, list[float]]]:
    """Trains on strings, and returns the model and its history."""
    keras.utils.set_random_seed(3)
    texts, labels = write_reviews(512, seed=1)
    model = make_model(texts)
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    validation = write_reviews(64, seed=2)
    history = model.fit(
        texts, labels, batch_size=32, epochs=epochs, validation_data=validation, verbose=0
    )
    return model, history.history


if __name__ == "__main__":
    trained, progress = main()
    print(progress["val_accuracy"])
    print(trained.predict(["The film was not very good.", "Our room was so lovely!"], verbose=0))
