"""A small network that learns from a large one what digits look like; once for all backends.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015.
https://arxiv.org/abs/1503.02531
"""

from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.datasets import digits


def make(units: int, name: str) -> Any:
    """Returns a network from pictures to the logits of ten digits."""
    picture = keras.Input((8, 8, 1))
    x = layers.Conv2D(units, 3, activation="relu")(picture)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2 * units, 3, activation="relu")(x))
    return keras.Model(picture, layers.Dense(10)(x), name=name)


class Distiller(keras.Model):
    """Trains a student on labels and on what its teacher thinks.

    Args:
        student: The network to train.
        teacher: A trained network; it stays as it is.
        share: Weight of the labels, relative to the teacher.
        temperature: What logits are divided by: higher ones show more of the teacher's doubts.
    """

    def __init__(
        self, student: Any, teacher: Any, share: float = 0.2, temperature: float = 3.0
    ) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher
        self.teacher.trainable = False
        self.share, self.temperature = share, temperature
        self.distance = keras.metrics.Mean(name="distance")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.student(x, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        known = ops.softmax(self.teacher(x, training=False) / self.temperature)

        def loss() -> Any:
            logits = self.student(x, training=True)
            guessed = ops.log_softmax(logits / self.temperature)
            # Gradients of softened targets are smaller by the temperature's square.
            distance = -ops.mean(ops.sum(known * guessed, axis=-1)) * self.temperature**2
            hard = self.compute_loss(x, y, logits)
            return self.share * hard + (1 - self.share) * distance, (logits, distance)

        variables = self.student.trainable_variables
        (total, (logits, distance)), grads = keras.value_and_grad(loss, variables, has_aux=True)()
        self.optimizer.apply(grads, variables)
        for metric in self.metrics:
            if metric.name in ("loss", "distance"):
                metric.update_state(total if metric.name == "loss" else distance)
        return self.compute_metrics(x, y, logits)


def data() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Returns pictures and labels: to train on, and to test on."""
    return tuple((x[..., None].astype("float32") / 16, y) for x, y in digits.load_data())


def _compiled(model: Any, rate: float) -> Any:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def main(teacher_epochs: int = 12, epochs: int = 12) -> tuple[Any, dict[str, float]]:
    """Trains teacher and student; returns the student's trainer and test accuracies."""
    keras.utils.set_random_seed(0)
    train, test = data()
    teacher = _compiled(make(32, "teacher"), 5e-3)
    teacher.fit(*train, batch_size=64, epochs=teacher_epochs, verbose=0)
    distiller = _compiled(Distiller(make(8, "student"), teacher), 1e-2)
    distiller.fit(*train, batch_size=64, epochs=epochs, verbose=0)
    accuracies = {
        name: model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
        for name, model in (("teacher", teacher), ("student", distiller))
    }
    return distiller, accuracies


if __name__ == "__main__":
    print(main()[1])
