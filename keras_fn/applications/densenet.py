"""DenseNet121, DenseNet169, DenseNet201: the public namespace `keras.applications.densenet`."""

from __future__ import annotations

from functools import partial

from keras_fn import layers
from keras_fn.applications._architecture import (
    Application,
    Architecture,
    Arguments,
    channel_axis,
    define_application,
    describe,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.applications.resnet import normalize_and_rectify
from keras_fn.types import Tensor

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_DEPTHS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
_GROWTH_RATE = 32  # channels that a layer adds


def _features(x: Tensor, _: Arguments, depths: tuple[int, ...]) -> Tensor:
    x = layers.ZeroPadding2D(3)(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = normalize_and_rectify(x, "conv1")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    channels = 64
    for stage, depth in enumerate(depths, 2):
        if stage > 2:
            channels //= 2
            x = _transition(x, channels, f"pool{stage - 1}")
        for i in range(1, depth + 1):
            x = _dense_layer(x, f"conv{stage}_block{i}")
        channels += depth * _GROWTH_RATE
    x = layers.BatchNormalization(axis=channel_axis(3), epsilon=1.001e-5, name="bn")(x)
    return layers.Activation("relu", name="relu")(x)


def _dense_layer(x: Tensor, name: str) -> Tensor:
    """Concatenates the input with 32 new channels, which are computed through a bottleneck."""
    new = normalize_and_rectify(x, f"{name}_0")
    new = layers.Conv2D(4 * _GROWTH_RATE, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = normalize_and_rectify(new, f"{name}_1")
    new = layers.Conv2D(_GROWTH_RATE, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(axis=channel_axis(3), name=f"{name}_concat")([x, new])


def _transition(x: Tensor, channels: int, name: str) -> Tensor:
    """Halves the height and width between two stages, after a projection to fewer channels."""
    x = normalize_and_rectify(x, name)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _define(depth: int, count: int) -> Application:
    architecture = Architecture(
        title=f"DenseNet{depth}",
        published=f"densenet{depth}",
        features=partial(_features, depths=_DEPTHS[depth]),
    )
    doc = describe(
        architecture,
        f"each layer sees the outputs of all earlier ones of its stage, {depth} weight layers",
        module="densenet",
        mode="torch",
        paper='Huang et al., "Densely Connected Convolutional Networks", 2017.\n'
        "    https://arxiv.org/abs/1608.06993",
        count=count,
    )
    return define_application(architecture, f"densenet{depth}", doc, __name__)


DenseNet121 = _define(121, 7_037_504)
DenseNet169 = _define(169, 12_642_880)
DenseNet201 = _define(201, 18_321_984)
preprocess_input = define_preprocess_input("torch", __name__)


def __dir__() -> list[str]:
    return __all__
