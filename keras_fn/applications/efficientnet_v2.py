"""EfficientNetV2: EfficientNet with plain convolutions in its first stages, which train faster.

Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", 2021.
https://arxiv.org/abs/2104.00298
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    build_model,
    channel_axis,
    describe,
)
from keras_fn.applications._efficientnet import (
    Network,
    Stage,
    apply_network,
    classify,
)
from keras_fn.applications.imagenet_utils import (
    MEAN,
    STANDARD_DEVIATION,
    decode_predictions,
    define_preprocess_input,
)
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.initializers import Constant
from keras_fn.models import Model
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2S",
    "EfficientNetV2M",
    "EfficientNetV2L",
    "decode_predictions",
    "preprocess_input",
]

# Kernel size, blocks, channels, expansion, strides.
_BASE = (
    Stage(3, 1, 16, 1, 1, is_fused=True),
    Stage(3, 2, 32, 4, 2, is_fused=True),
    Stage(3, 2, 48, 4, 2, is_fused=True),
    Stage(3, 3, 96, 4, 2),
    Stage(3, 5, 112, 6, 1),
    Stage(3, 8, 192, 6, 2),
)
_SMALL = (
    Stage(3, 2, 24, 1, 1, is_fused=True),
    Stage(3, 4, 48, 4, 2, is_fused=True),
    Stage(3, 4, 64, 4, 2, is_fused=True),
    Stage(3, 6, 128, 4, 2),
    Stage(3, 9, 160, 6, 1),
    Stage(3, 15, 256, 6, 2),
)
_MEDIUM = (
    Stage(3, 3, 24, 1, 1, is_fused=True),
    Stage(3, 5, 48, 4, 2, is_fused=True),
    Stage(3, 5, 80, 4, 2, is_fused=True),
    Stage(3, 7, 160, 4, 2),
    Stage(3, 14, 176, 6, 1),
    Stage(3, 18, 304, 6, 2),
    Stage(3, 5, 512, 6, 1),
)
_LARGE = (
    Stage(3, 4, 32, 1, 1, is_fused=True),
    Stage(3, 7, 64, 4, 2, is_fused=True),
    Stage(3, 7, 96, 4, 2, is_fused=True),
    Stage(3, 10, 192, 4, 2),
    Stage(3, 19, 224, 6, 1),
    Stage(3, 25, 384, 6, 2),
    Stage(3, 7, 640, 6, 1),
)
_LAST_ARGS = """
    include_preprocessing: Whether the model scales the images itself. Without it, it expects the
        values that its own scaling results in."""


class _Application(Protocol):
    """The function of a variant of EfficientNetV2."""

    def __call__(
        self,
        include_top: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        include_preprocessing: bool = True,
        name: str = ...,
    ) -> Model: ...


def _scale_images(x: Tensor, standardizes: bool) -> Tensor:
    """Applies the scaling that the published weights expect."""
    axis = channel_axis(3)
    if not standardizes or x.shape[axis] != 3:
        return layers.Rescaling(1 / 128, -1)(x)
    x = layers.Rescaling(1 / 255)(x)
    variance = [deviation**2 for deviation in STANDARD_DEVIATION]
    return layers.Normalization(axis, MEAN, variance)(x)


def _round_channels(channels: float) -> int:
    return max(8, int(channels + 4) // 8 * 8)


def _features(x: Tensor, arguments: Arguments, network: Network, standardizes: bool) -> Tensor:
    """Applies the scaling of the images, if it is included, and the layers up to the classifier."""
    if arguments.include_preprocessing:
        x = _scale_images(x, standardizes)
    return apply_network(x, network)


def _architecture(
    variant: str, stages: tuple[Stage, ...], size: int, width: float = 1.0, depth: float = 1.0
) -> Architecture:
    """Returns the architecture of a variant."""
    is_base = stages is _BASE
    network = Network(
        stages=stages,
        stem_channels=32 if is_base else stages[0].channels,
        width=width,
        depth=depth,
        round_channels=_round_channels,
        momentum=0.9,
        pads_strides=False,
        scales_drop_rate=False,
        depthwise_name="dwconv2",
    )
    return Architecture(
        title=f"EfficientNetV2{variant}",
        features=partial(_features, network=network, standardizes=is_base),
        classifier=partial(classify, dropout=0.2, bias_initializer=Constant(0.0)),
        published=f"efficientnetv2-{variant.lower()}",
        size=size,
    )


def _define(architecture: Architecture, count: int) -> _Application:
    """Returns the function of an architecture with `count` parameters without its classifier."""

    def application(
        include_top: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        include_preprocessing: bool = True,
        name: str = architecture.published,
    ) -> Model:
        arguments = Arguments(
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            include_preprocessing=include_preprocessing,
            name=name,
        )
        return build_model(architecture, arguments)

    application.__name__ = application.__qualname__ = architecture.title
    application.__doc__ = describe(
        architecture,
        "inverted residual blocks, the first ones with plain convolutions",
        module="efficientnet_v2",
        mode=None,
        paper='Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", 2021.\n'
        "    https://arxiv.org/abs/2104.00298",
        count=count,
        last_args=_LAST_ARGS,
    )
    return application


EfficientNetV2B0 = _define(_architecture("B0", _BASE, 224), 5919312)
EfficientNetV2B1 = _define(_architecture("B1", _BASE, 240, 1.0, 1.1), 6931124)
EfficientNetV2B2 = _define(_architecture("B2", _BASE, 260, 1.1, 1.2), 8769374)
EfficientNetV2B3 = _define(_architecture("B3", _BASE, 300, 1.2, 1.4), 12930622)
EfficientNetV2S = _define(_architecture("S", _SMALL, 384), 20331360)
EfficientNetV2M = _define(_architecture("M", _MEDIUM, 480), 53150388)
EfficientNetV2L = _define(_architecture("L", _LARGE, 480), 117746848)
preprocess_input = define_preprocess_input(None, __name__)


def __dir__() -> list[str]:
    return __all__
