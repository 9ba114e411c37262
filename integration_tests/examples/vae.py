"""A variational autoencoder of digits; the same code for all backends.

Kingma and Welling, "Auto-Encoding Variational Bayes", 2013. https://arxiv.org/abs/1312.6114
"""

from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.datasets import digits

LATENT = 4


class Sampling(layers.Layer):
    """Samples from a normal distribution with the given mean and log variance."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs: Any) -> Any:
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


def make_encoder() -> Any:
    """Returns a model from images to mean, log variance and a sample."""
    image = keras.Input((64,))
    x = layers.Dense(128, activation="relu")(image)
    mean, log_variance = layers.Dense(LATENT)(x), layers.Dense(LATENT)(x)
    outputs = [mean, log_variance, Sampling()([mean, log_variance])]
    return keras.Model(image, outputs, name="encoder")


def make_decoder() -> Any:
    """Returns a model from samples to the logits of pixels."""
    latent = keras.Input((LATENT,))
    x = layers.Dense(128, activation="relu")(latent)
    return keras.Model(latent, layers.Dense(64)(x), name="decoder")


class VAE(keras.Model):
    """Trains encoder and decoder on the evidence lower bound (ELBO)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = make_encoder(), make_decoder()
        names = ("loss", "reconstruction", "divergence")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    def call(self, images: Any) -> Any:
        mean, _, _ = self.encoder(images)
        return ops.sigmoid(self.decoder(mean))

    def negative_elbo(self, images: Any) -> tuple[Any, dict[str, Any]]:
        """Returns the loss, and the loss and its two parts by name."""
        mean, log_variance, latent = self.encoder(images, training=True)
        logits = self.decoder(latent, training=True)
        per_pixel = ops.binary_crossentropy(images, logits, from_logits=True)
        reconstruction = ops.mean(ops.sum(per_pixel, axis=-1))
        distance = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
        divergence = 0.5 * ops.mean(ops.sum(distance, axis=-1))
        loss = reconstruction + divergence
        parts = {"loss": loss, "reconstruction": reconstruction, "divergence": divergence}
        return loss, parts

    def train_step(self, data: Any) -> dict[str, Any]:
        images = data
        variables = self.trainable_variables
        (_, parts), grads = keras.value_and_grad(self.negative_elbo, variables, has_aux=True)(
            images
        )
        self.optimizer.apply(grads, variables)
        for name, value in parts.items():
            self.trackers[name].update_state(value)
        return {name: metric.result() for name, metric in self.trackers.items()}


def load_images() -> tuple[np.ndarray, np.ndarray]:
    """Returns training and test digits as rows of 64 pixels from 0 to 1."""
    (x, _), (x_test, _) = digits.load_data()
    return tuple(a.reshape(-1, 64).astype("float32") / 16 for a in (x, x_test))


def main(epochs: int = 30) -> tuple[Any, dict[str, list[float]]]:
    """Trains the model; returns it and its history."""
    keras.utils.set_random_seed(0)
    vae = VAE()
    vae.compile(keras.optimizers.Adam(3e-3))
    history = vae.fit(load_images()[0], batch_size=64, epochs=epochs, verbose=0).history
    return vae, history


if __name__ == "__main__":
    model, record = main()
    print({name: values[-1] for name, values in record.items()})
