"""Gradients through the layers, of inputs and weights, against finite differences."""

import numpy as np
import pytest

from keras_fn import Variable, layers, ops
from keras_fn.backend.loader import current

FIRST = {"data_format": "channels_first"}
LAYERS = {
    "Conv1D": (lambda: layers.Conv1D(3, 2, padding="causal", dilation_rate=2), (2, 6, 2)),
    "Conv2D": (lambda: layers.Conv2D(3, 3, strides=2, padding="same"), (2, 5, 6, 2)),
    "Conv2D, groups": (lambda: layers.Conv2D(4, 2, groups=2, **FIRST), (2, 4, 5, 4)),
    "Conv3D": (lambda: layers.Conv3D(2, 2), (1, 3, 4, 3, 2)),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(3, 3, strides=2), (2, 4, 2)),
    "Conv2DTranspose": (
        lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1),
        (1, 3, 4, 2),
    ),
    "Conv2DTranspose, dilation": (
        lambda: layers.Conv2DTranspose(2, 2, dilation_rate=2, **FIRST), (1, 2, 3, 4),
    ),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), (1, 4, 4, 3)),
    "SeparableConv1D": (lambda: layers.SeparableConv1D(3, 2, strides=2), (2, 5, 2)),
    "MaxPooling2D": (lambda: layers.MaxPooling2D(2, padding="same"), (2, 5, 4, 2)),
    "MaxPooling1D, overlap": (lambda: layers.MaxPooling1D(3, strides=1), (2, 6, 2)),
    "AveragePooling2D": (lambda: layers.AveragePooling2D(2, padding="same"), (2, 5, 4, 2)),
    "AveragePooling3D": (lambda: layers.AveragePooling3D(2, strides=1), (1, 3, 3, 3, 2)),
    "GlobalMaxPooling2D": (layers.GlobalMaxPooling2D, (2, 3, 4, 2)),
    "GlobalAveragePooling1D": (lambda: layers.GlobalAveragePooling1D(**FIRST), (2, 3, 4)),
    "UpSampling2D": (lambda: layers.UpSampling2D(2, interpolation="bicubic"), (1, 3, 4, 2)),
    "Cropping1D": (lambda: layers.Cropping1D((1, 2)), (2, 6, 2)),
    "ZeroPadding2D": (lambda: layers.ZeroPadding2D(((1, 0), (2, 1))), (1, 2, 3, 2)),
    "BatchNormalization": (lambda: layers.BatchNormalization(axis=1), (3, 2, 4)),
    "BatchNormalization, renorm": (
        lambda: layers.BatchNormalization(
            renorm=True, renorm_clipping={"rmin": 1.0, "rmax": 1.0, "dmax": 0.0}
        ),
        (4, 3),
    ),
    "LayerNormalization": (lambda: layers.LayerNormalization(axis=[1, 2]), (2, 3, 4)),
    "RMSNormalization": (layers.RMSNormalization, (2, 3, 4)),
    "GroupNormalization": (lambda: layers.GroupNormalization(2), (2, 3, 4)),
    "UnitNormalization": (layers.UnitNormalization, (2, 4)),
    "PReLU": (lambda: layers.PReLU("ones", shared_axes=[1]), (2, 3, 4)),
    "ELU": (lambda: layers.ELU(0.5), (2, 5)),
    "Softmax": (lambda: layers.Softmax([1, 2]), (2, 3, 4)),
}  # fmt: skip
STEP = 1e-2


CALLS = [(name, False) for name in LAYERS] + [(n, True) for n in LAYERS if n.startswith("Batch")]


@pytest.mark.parametrize(("name", "training"), CALLS)
def test_gradients_are_the_slopes_of_the_loss(name, training):
    make, shape = LAYERS[name]
    random = np.random.default_rng(0)
    # Distinct values, none near 0: a step then crosses no kink.
    values = random.permutation(np.linspace(-2, 2.1, int(np.prod(shape)))).reshape(shape)
    x = Variable(values.astype("float32"))
    layer = make()
    size = ops.convert_to_numpy(layer(x.value)).size
    wave = np.cos(np.arange(size)).astype("float32")
    for variable in layer.trainable_variables:
        variable.assign(random.uniform(0.2, 1.0, variable.shape))

    def loss():
        y = ops.reshape(layer(x, training=training), (-1,))
        return ops.sum(ops.multiply(y, wave)), None

    variables = [x, *layer.trainable_variables]
    _, gradients = current().value_and_grad(loss, variables)()
    for variable, gradient in zip(variables, gradients, strict=True):
        direction = random.normal(size=variable.shape)
        direction /= np.linalg.norm(direction) or 1.0
        start = variable.numpy().astype("float64")
        ends = []
        for sign in (1, -1):
            variable.assign(start + sign * STEP * direction)
            ends.append(float(ops.convert_to_numpy(loss()[0])))
        variable.assign(start)
        slope = (ends[0] - ends[1]) / (2 * STEP)
        found = float((ops.convert_to_numpy(gradient) * direction).sum())
        assert found == pytest.approx(slope, rel=5e-3, abs=5e-3), variable.path


def test_embedding_rows_that_were_not_taken_get_no_gradient():
    layer = layers.Embedding(4, 2)
    layer.build()

    def loss():
        return ops.sum(layer(np.array([1, 3, 1], "int32"))), None

    _, (gradient,) = current().value_and_grad(loss, [layer.embeddings])()
    expected = [[0, 0], [2, 2], [0, 0], [1, 1]]
    assert ops.convert_to_numpy(gradient).tolist() == expected
