"""Xception: the public namespace `keras.applications.xception`."""

from __future__ import annotations

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    channel_axis,
    define_application,
    describe,
    pool_unnamed,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.types import Tensor

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

# Of the blocks in the middle: filters of their convolutions, and whether they halve the size.
_BLOCKS = (
    ((128, 128), True),
    ((256, 256), True),
    ((728, 728), True),
    *[((728, 728, 728), False)] * 8,
    ((728, 1024), True),
)


def _features(x: Tensor, _: Arguments) -> Tensor:
    for i, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{i}"
        x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
        x = _rectify(_normalize(x, f"{name}_bn"), f"{name}_act")
    for i, (filters, is_halved) in enumerate(_BLOCKS, 2):
        x = _residual_block(x, filters, is_halved, f"block{i}")
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = _rectify(_separable_conv(x, filters, name), f"{name}_act")
    return x


def _residual_block(x: Tensor, filters: tuple[int, ...], is_halved: bool, name: str) -> Tensor:
    """Applies separable convolutions, and adds the input or its projection."""
    shortcut = x
    if is_halved:
        shortcut = layers.Conv2D(filters[-1], 1, strides=2, padding="same", use_bias=False)(x)
        shortcut = _normalize(shortcut)
    for i, count in enumerate(filters, 1):
        if (name, i) != ("block2", 1):  # which follows an activation
            x = _rectify(x, f"{name}_sepconv{i}_act")
        x = _separable_conv(x, count, f"{name}_sepconv{i}")
    if is_halved:
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.add([x, shortcut])


def _separable_conv(x: Tensor, filters: int, name: str) -> Tensor:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalize(x, f"{name}_bn")


def _normalize(x: Tensor, name: str | None = None) -> Tensor:
    return layers.BatchNormalization(channel_axis(), name=name)(x)


def _rectify(x: Tensor, name: str) -> Tensor:
    return layers.Activation("relu", name=name)(x)


_ARCHITECTURE = Architecture(
    title="Xception",
    features=_features,
    pooling=pool_unnamed,
    published="xception",
    size=299,
    min_size=71,
)
Xception = define_application(
    _ARCHITECTURE,
    "xception",
    describe(
        _ARCHITECTURE,
        "residual blocks of separable convolutions",
        module="xception",
        mode="tf",
        paper='Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016.\n'
        "    https://arxiv.org/abs/1610.02357",
        count=20_861_480,
    ),
    __name__,
)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
