"""A generative adversarial network of digits; the same code for all backends.

A model with a custom `train_step(self, data)` and two optimizers: the discriminator learns to
distinguish generated digits from real ones, the generator to deceive it.
Goodfellow et al., "Generative Adversarial Networks", 2014. https://arxiv.org/abs/1406.2661
"""

from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.datasets import digits

NOISE = 16


def make_generator() -> Any:
    """Returns a model from noise to images with values from 0 to 1."""
    noise = keras.Input((NOISE,))
    x = layers.Dense(128, activation="relu")(noise)
    return keras.Model(noise, layers.Dense(64, activation="sigmoid")(x), name="generator")


def make_discriminator() -> Any:
    """Returns a model from images to logits, positive for real ones."""
    image = keras.Input((64,))
    x = layers.Dropout(0.2)(layers.Dense(128, activation="leaky_relu")(image))
    return keras.Model(image, layers.Dense(1)(x), name="discriminator")


class GAN(keras.Model):
    """Trains a generator and a discriminator against each other."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = make_generator(), make_discriminator()
        self.seed_generator = keras.random.SeedGenerator(1)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("d_loss", "g_loss")}

    def compile(self, generator_optimizer: Any, discriminator_optimizer: Any) -> None:
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def build(self, input_shape: Any) -> None:
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def call(self, images: Any) -> Any:
        return self.discriminator(images)

    def train_step(self, data: Any) -> dict[str, Any]:
        real = data
        count = ops.shape(real)[0]
        noise = keras.random.normal((count, NOISE), seed=self.seed_generator)

        def discriminator_loss() -> Any:
            generated = ops.stop_gradient(self.generator(noise))
            logits = self.discriminator(ops.concatenate([real, generated]), training=True)
            # One-sided label smoothing, against an overconfident discriminator.
            labels = ops.concatenate([0.9 * ops.ones((count, 1)), ops.zeros((count, 1))])
            return self.loss_fn(labels, logits)

        def generator_loss() -> Any:
            logits = self.discriminator(self.generator(noise, training=True))
            return self.loss_fn(ops.ones((count, 1)), logits)

        d_loss = self._update(discriminator_loss, self.discriminator, self.discriminator_optimizer)
        g_loss = self._update(generator_loss, self.generator, self.generator_optimizer)
        self.trackers["d_loss"].update_state(d_loss)
        self.trackers["g_loss"].update_state(g_loss)
        return {name: metric.result() for name, metric in self.trackers.items()}

    def _update(self, loss: Any, network: Any, optimizer: Any) -> Any:
        variables = network.trainable_variables
        value, grads = keras.value_and_grad(loss, variables)()
        optimizer.apply(grads, variables)
        return value


def load_images() -> np.ndarray:
    """Returns the digits as rows of 64 pixels from 0 to 1."""
    (x, _), _ = digits.load_data()
    return x.reshape(-1, 64).astype("float32") / 16


def main(epochs: int = 40) -> tuple[Any, dict[str, list[float]]]:
    """Trains the model; returns it and its history."""
    keras.utils.set_random_seed(0)
    gan = GAN()
    gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
    history = gan.fit(load_images(), batch_size=64, epochs=epochs, verbose=0).history
    return gan, history


if __name__ == "__main__":
    model, record = main()
    print({name: values[-1] for name, values in record.items()})
