"""ResNet50V2, ResNet101V2, ResNet152V2: the public namespace `keras.applications.resnet_v2`."""

from __future__ import annotations

from functools import partial

from keras_fn import layers
from keras_fn.applications._architecture import (
    Application,
    Architecture,
    Arguments,
    define_application,
    describe,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.applications.resnet import DEPTHS, normalize_and_rectify, stem
from keras_fn.types import Tensor

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def _features(x: Tensor, _: Arguments, depths: tuple[int, ...]) -> Tensor:
    x = stem(x, is_normalized=False)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            strides = 2 if stage < len(depths) - 1 and i == depth - 1 else 1
            x = _block(x, 64 << stage, strides, i == 0, f"conv{stage + 2}_block{i + 1}")
    return normalize_and_rectify(x, "post")


def _block(x: Tensor, filters: int, strides: int, has_projection: bool, name: str) -> Tensor:
    """Applies a bottleneck whose convolutions come after normalization and activation."""
    activated = normalize_and_rectify(x, f"{name}_preact")
    shortcut = x
    if has_projection:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(activated)
    elif strides > 1:
        shortcut = layers.MaxPooling2D(1, strides=strides)(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(activated)
    x = normalize_and_rectify(x, f"{name}_1")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = normalize_and_rectify(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _define(depth: int, count: int) -> Application:
    architecture = Architecture(
        title=f"ResNet{depth}V2",
        published=f"resnet{depth}v2",
        features=partial(_features, depths=DEPTHS[depth]),
    )
    doc = describe(
        architecture,
        f"residual blocks with the activation first, {depth} weight layers",
        module="resnet_v2",
        mode="tf",
        paper='He et al., "Identity Mappings in Deep Residual Networks", 2016.\n'
        "    https://arxiv.org/abs/1603.05027",
        count=count,
    )
    return define_application(architecture, f"resnet{depth}v2", doc, __name__)


ResNet50V2 = _define(50, 23_564_800)
ResNet101V2 = _define(101, 42_626_560)
ResNet152V2 = _define(152, 58_331_648)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
