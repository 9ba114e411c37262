"""InceptionResNetV2: the public namespace `keras.applications.inception_resnet_v2`."""

from __future__ import annotations

from typing import NamedTuple

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    channel_axis,
    define_application,
    describe,
    pool_unnamed,
)
from keras_fn.applications._inception import (
    AVERAGE,
    MAXIMUM,
    STEM,
    Branch,
    Conv,
    apply_branch,
    apply_branches,
    convolve,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.layers.merging.custom_scale_layer import CustomScaleLayer
from keras_fn.types import Tensor

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]


class _Stage(NamedTuple):
    """A block that changes the shape, then residual blocks.

    Attributes:
        name: Name of the first block.
        entry: Its branches.
        prefix: First part of the names of the residual blocks.
        branches: Their branches.
        scales: The factor of each residual.
    """

    name: str
    entry: tuple[Branch, ...]
    prefix: str
    branches: tuple[Branch, ...]
    scales: tuple[float, ...]


_STAGES = (
    _Stage(
        "mixed_5b",
        (
            [Conv(96)],
            [Conv(48), Conv(64, 5)],
            [Conv(64), Conv(96, 3), Conv(96, 3)],
            [AVERAGE, Conv(64)],
        ),
        "block35",
        ([Conv(32)], [Conv(32), Conv(32, 3)], [Conv(32), Conv(48, 3), Conv(64, 3)]),
        (0.17,) * 10,
    ),
    _Stage(
        "mixed_6a",
        ([Conv(384, 3, 2)], [Conv(256), Conv(256, 3), Conv(384, 3, 2)], [MAXIMUM]),
        "block17",
        ([Conv(192)], [Conv(128), Conv(160, (1, 7)), Conv(192, (7, 1))]),
        (0.1,) * 20,
    ),
    _Stage(
        "mixed_7a",
        (
            [Conv(256), Conv(384, 3, 2)],
            [Conv(256), Conv(288, 3, 2)],
            [Conv(256), Conv(288, 3), Conv(320, 3, 2)],
            [MAXIMUM],
        ),
        "block8",
        ([Conv(192)], [Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1))]),
        (*(0.2,) * 9, 1.0),
    ),
)


def _features(x: Tensor, _: Arguments) -> Tensor:
    x = apply_branch(x, STEM)
    for stage in _STAGES:
        x = apply_branches(x, stage.entry, stage.name)
        for i, scale in enumerate(stage.scales, 1):
            name = f"{stage.prefix}_{i}"
            x = _residual_block(x, stage.branches, scale, name)
            if scale < 1:  # the last block has no activation
                x = layers.Activation("relu", name=f"{name}_ac")(x)
    return convolve(x, Conv(1536), "conv_7b")


def _residual_block(x: Tensor, branches: tuple[Branch, ...], scale: float, name: str) -> Tensor:
    """Adds what branches make of the input to it, times a factor."""
    mixed = apply_branches(x, branches, f"{name}_mixed")
    channels = x.shape[channel_axis()]
    residual = layers.Conv2D(channels, 1, padding="same", name=f"{name}_conv")(mixed)
    return CustomScaleLayer(scale)([x, residual])


_ARCHITECTURE = Architecture(
    title="InceptionResNetV2",
    features=_features,
    pooling=pool_unnamed,
    published="inception_resnet_v2",
    size=299,
    min_size=75,
)
InceptionResNetV2 = define_application(
    _ARCHITECTURE,
    "inception_resnet_v2",
    describe(
        _ARCHITECTURE,
        "blocks of parallel convolutions in residual branches",
        module="inception_resnet_v2",
        mode="tf",
        paper='Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual '
        'Connections on\n    Learning", 2016. https://arxiv.org/abs/1602.07261',
        count=54_336_736,
    ),
    __name__,
)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
