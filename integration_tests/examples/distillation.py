"""Knowledge distillation: a small network learns from a large one; the same code for all backends.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015.
https://arxiv.org/abs/1503.02531
"""

from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.datasets import digits


def make_model(units: int, name: str) -> Any:
    """Returns a model from images to the logits of ten digits."""
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(units, 3, activation="relu")(image)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2 * units, 3, activation="relu")(x))
    return keras.Model(image, layers.Dense(10)(x), name=name)


class Distiller(keras.Model):
    """Trains a student on labels and on the predictions of its teacher.

    Args:
        student: The model to train.
        teacher: A trained model, which is frozen.
        alpha: Weight of the loss of the labels; the distillation loss has weight `1 - alpha`.
        temperature: Temperature of the softmax; a higher one results in softer targets.
    """

    def __init__(
        self, student: Any, teacher: Any, alpha: float = 0.2, temperature: float = 3.0
    ) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher
        self.teacher.trainable = False
        self.alpha, self.temperature = alpha, temperature
        self.distance = keras.metrics.Mean(name="distance")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.student(x, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        teacher_probs = ops.softmax(self.teacher(x, training=False) / self.temperature)

        def loss() -> Any:
            logits = self.student(x, training=True)
            student_log_probs = ops.log_softmax(logits / self.temperature)
            # Gradients of soft targets are smaller by the square of the temperature.
            distance = (
                -ops.mean(ops.sum(teacher_probs * student_log_probs, axis=-1)) * self.temperature**2
            )
            hard = self.compute_loss(x, y, logits)
            return self.alpha * hard + (1 - self.alpha) * distance, (logits, distance)

        variables = self.student.trainable_variables
        (total, (logits, distance)), grads = keras.value_and_grad(loss, variables, has_aux=True)()
        self.optimizer.apply(grads, variables)
        for metric in self.metrics:
            if metric.name in ("loss", "distance"):
                metric.update_state(total if metric.name == "loss" else distance)
        return self.compute_metrics(x, y, logits)


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Returns images and labels of the training set and of the test set."""
    return tuple((x[..., None].astype("float32") / 16, y) for x, y in digits.load_data())


def _compile(model: Any, rate: float) -> Any:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def main(teacher_epochs: int = 12, epochs: int = 12) -> tuple[Any, dict[str, float]]:
    """Trains teacher and student; returns the student's trainer and test accuracies."""
    keras.utils.set_random_seed(0)
    train, test = load_data()
    teacher = _compile(make_model(32, "teacher"), 5e-3)
    teacher.fit(*train, batch_size=64, epochs=teacher_epochs, verbose=0)
    distiller = _compile(Distiller(make_model(8, "student"), teacher), 1e-2)
    distiller.fit(*train, batch_size=64, epochs=epochs, verbose=0)
    accuracies = {
        name: model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
        for name, model in (("teacher", teacher), ("student", distiller))
    }
    return distiller, accuracies


if __name__ == "__main__":
    print(main()[1])
