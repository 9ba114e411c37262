"""A whole architecture computes what Keras's computes, given the same weights."""

from typing import Any

import numpy as np

import keras_fn as keras

# Of real Keras 3.15.1 on PyTorch, for `images()` and `drawn_weights`.
NOTED = [
    [-4.448669, 14.293586, 12.976457, -48.60508],
    [19.568653, 0.7460805, 12.317149, -25.320976],
]


def build(keras: Any) -> Any:
    return keras.applications.MobileNetV3Small(
        input_shape=(32, 33, 3), weights=None, classes=4, classifier_activation=None
    )


def drawn_weights(model: Any) -> list[np.ndarray]:
    """Values with which the outputs depend on all weights."""
    random = np.random.default_rng(0)
    values = []
    for weight in model.weights:
        shape, kind = tuple(weight.shape), weight.path.rpartition("/")[2]
        if kind in ("gamma", "moving_variance"):
            values.append(random.uniform(0.7, 1.1, shape))
        elif len(shape) == 1:
            values.append(random.uniform(-0.1, 0.1, shape))
        else:
            inputs = shape[:2] if "depthwise" in weight.path else shape[:-1]
            values.append(random.standard_normal(shape) * np.sqrt(3 / np.prod(inputs)))
    return values


def images() -> np.ndarray:
    x = np.random.default_rng(1).uniform(0, 100, (2, 32, 33, 3))
    x[1] += np.linspace(0, 155, 33)[:, None]
    return x.astype("float32")


def test_outputs_are_those_of_keras():
    model = build(keras)
    model.set_weights(drawn_weights(model))
    np.testing.assert_allclose(model.predict(images(), verbose=0), NOTED, rtol=1e-3, atol=1e-2)
