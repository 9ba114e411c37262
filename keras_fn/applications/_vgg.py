"""VGG16 and VGG19: stacks of 3x3 convolutions.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", 2014. https://arxiv.org/abs/1409.1556
"""

from __future__ import annotations

from functools import partial

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    pool_unnamed,
    predict_classes,
)
from keras_fn.types import Tensor

_FILTERS = (64, 128, 256, 512, 512)
PAPER = """Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", 2014. https://arxiv.org/abs/1409.1556"""


def _features(x: Tensor, _: Arguments, depths: tuple[int, ...]) -> Tensor:
    """Applies blocks of convolutions, `depths` of them in each, with pooling after a block."""
    for block, (depth, filters) in enumerate(zip(depths, _FILTERS, strict=True), 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{i}"
            )(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    return x


def _classify(x: Tensor, arguments: Arguments) -> Tensor:
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return predict_classes(x, arguments)


def vgg(depths: tuple[int, ...]) -> Architecture:
    """Returns a VGG architecture.

    Args:
        depths: Numbers of convolutions in its five blocks.
    """
    count = sum(depths) + 3
    return Architecture(
        title=f"VGG{count}",
        published=f"vgg{count}",
        features=partial(_features, depths=depths),
        classifier=_classify,
        pooling=pool_unnamed,
    )
