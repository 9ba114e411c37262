"""ResNet50, ResNet101, ResNet152: the public namespace `keras.applications.resnet`."""

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
from keras_fn.types import Tensor

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Numbers of blocks in the four stages, by the number of weight layers."""


def normalize(x: Tensor, name: str) -> Tensor:
    """Applies batch normalization with the epsilon of these networks."""
    return layers.BatchNormalization(axis=channel_axis(3), epsilon=1.001e-5, name=f"{name}_bn")(x)


def normalize_and_rectify(x: Tensor, name: str) -> Tensor:
    """Applies batch normalization and ReLU."""
    return layers.Activation("relu", name=f"{name}_relu")(normalize(x, name))


def stem(x: Tensor, is_normalized: bool) -> Tensor:
    """Applies the first convolution and pooling: the images become a quarter as high and wide."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if is_normalized:
        x = normalize_and_rectify(x, "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def _features(x: Tensor, _: Arguments, depths: tuple[int, ...]) -> Tensor:
    x = stem(x, is_normalized=True)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            strides = 2 if stage > 0 and i == 0 else 1
            x = _block(x, 64 << stage, strides, i == 0, f"conv{stage + 2}_block{i + 1}")
    return x


def _block(x: Tensor, filters: int, strides: int, has_projection: bool, name: str) -> Tensor:
    """Applies a bottleneck: three convolutions, added to the input or a projection of it."""
    shortcut = x
    if has_projection:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = normalize(shortcut, f"{name}_0")
    x = layers.Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x)
    x = normalize_and_rectify(x, f"{name}_1")
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = normalize_and_rectify(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = normalize(x, f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _define(depth: int, count: int) -> Application:
    architecture = Architecture(
        title=f"ResNet{depth}",
        published=f"resnet{depth}",
        features=partial(_features, depths=DEPTHS[depth]),
    )
    doc = describe(
        architecture,
        f"residual blocks of three convolutions, with {depth} weight layers",
        module="resnet",
        mode="caffe",
        paper='He et al., "Deep Residual Learning for Image Recognition", 2015.\n'
        "    https://arxiv.org/abs/1512.03385",
        count=count,
    )
    return define_application(architecture, f"resnet{depth}", doc, __name__)


ResNet50 = _define(50, 23_587_712)
ResNet101 = _define(101, 42_658_176)
ResNet152 = _define(152, 58_370_944)
preprocess_input = define_preprocess_input("caffe", __name__)


def __dir__() -> list[str]:
    return __all__
