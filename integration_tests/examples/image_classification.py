"""An image classifier with augmentation inside of the model: flips, rotation, zoom, translation."""

import numpy as np

import keras_fn as keras
from keras_fn import layers

SIZE, CLASSES = 24, 3


def draw_images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns noisy images of a disk, a square or a ring, somewhere, as bytes; and the classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    images = random.normal(60, 12, (count, SIZE, SIZE, 3))
    for image, label in zip(images, labels, strict=True):
        y, x = random.uniform(9, SIZE - 10, 2)
        distance = np.hypot(rows - y, columns - x)
        square = np.maximum(abs(rows - y), abs(columns - x))
        shape = (distance < 6, square < 6, (distance < 7) & (distance > 4))[label]
        image[shape] += random.uniform(90, 150)
    return images.clip(0, 255).astype("uint8"), labels


def make_model() -> keras.Model:
    """Returns a convolutional classifier that augments the images in training."""
    inputs = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    augmentation = [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.1),
        layers.RandomZoom(0.1),
        layers.RandomTranslation(0.1, 0.1),
    ]
    x = layers.Pipeline(augmentation, name="augmentation")(inputs)
    x = layers.Resizing(16, 16)(x)
    x = layers.Rescaling(1 / 255)(x)
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.1)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def main(epochs: int = 14) -> tuple[keras.Model, dict[str, list[float]]]:
    """Trains the classifier. Returns it, and the history of losses and accuracies."""
    keras.utils.set_random_seed(1)
    model = make_model()
    model.compile(
        keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    images, labels = draw_images(320, seed=0)
    validation = draw_images(96, seed=1)
    history = model.fit(images, labels, 32, epochs=epochs, validation_data=validation, verbose=0)
    return model, history.history


if __name__ == "__main__":
    print(main()[1]["val_accuracy"])
