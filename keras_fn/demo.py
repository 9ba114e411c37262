"""End-to-end demo: `python -m keras_fn.demo [folder]`.

Builds a small residual network with two inputs and two outputs, trains it on the handwritten digits
that are part of the package, evaluates, saves and reloads it, and plots its graph and its learning
curves.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers
from keras_fn.datasets import digits


def build_model() -> keras.Model:
    """Returns a model that classifies digit and parity from an image and its row sums."""
    image = keras.Input((8, 8, 1), name="image")
    sums = keras.Input((8,), name="row_sums")
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(image)
    block = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    block = layers.Conv2D(32, 3, padding="same", activation="relu")(block)
    x = layers.MaxPooling2D(2)(layers.add([x, block]))
    x = layers.concatenate([layers.Flatten()(x), layers.Dense(16, activation="relu")(sums)])
    x = layers.Dropout(0.3)(layers.Dense(64, activation="relu")(x))
    return keras.Model(
        inputs={"image": image, "row_sums": sums},
        outputs={
            "digit": layers.Dense(10, name="digit")(x),
            "is_odd": layers.Dense(1, activation="sigmoid", name="is_odd")(x),
        },
        name="digits",
    )


def load_data() -> tuple[Any, Any]:
    """Returns `(inputs, targets)` of the training set and of the test set."""

    def preprocess(images: np.ndarray, labels: np.ndarray) -> tuple[dict, dict]:
        images = images.astype("float32")[..., None] / 16
        inputs = {"image": images, "row_sums": images.sum((2, 3))}
        return inputs, {"digit": labels, "is_odd": (labels % 2).astype("float32")[:, None]}

    train, test = digits.load_data()
    return preprocess(*train), preprocess(*test)


def main(folder: Path) -> float:
    """Runs the demo and writes its files.

    Args:
        folder: Folder of the files.

    Returns:
        The test accuracy.
    """
    keras.utils.set_random_seed(7)
    (x, y), (x_test, y_test) = load_data()
    model = build_model()
    model.summary()
    model.compile(
        optimizer=keras.optimizers.Adam(2e-3),
        loss={
            "digit": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "is_odd": "binary_crossentropy",
        },
        loss_weights={"digit": 1.0, "is_odd": 0.3},
        metrics={"digit": "accuracy", "is_odd": "accuracy"},
    )
    history = model.fit(x, y, batch_size=32, epochs=12, validation_split=0.15)
    results = model.evaluate(x_test, y_test, return_dict=True, verbose=2)
    saved = folder / "digits.keras"
    model.save(saved)
    reloaded = keras.saving.load_model(saved)
    before, after = model.predict(x_test, verbose=0), reloaded.predict(x_test, verbose=0)
    assert all(np.array_equal(before[name], after[name]) for name in before), "reload differs"
    keras.utils.plot_model(model, folder / "digits.png", show_shapes=True, show_layer_names=True)
    figure = history.plot()
    figure.savefig(folder / "history.png", dpi=120)
    accuracy = results["digit_accuracy"]
    print(f"Backend: {keras.config.backend()}. Test accuracy: {accuracy:.4f}")
    print(f"The saved model, its graph and its learning curves are in {folder.resolve()}")
    if accuracy <= 0.95:
        raise SystemExit("The test accuracy should be above 0.95.")
    return accuracy


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("keras_fn_demo")
    if not target.parent.is_dir():
        target = Path(tempfile.mkdtemp(prefix="keras_fn_demo_"))
    target.mkdir(exist_ok=True)
    main(target)
