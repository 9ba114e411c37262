"""MobileNetV3: the public namespace `keras.applications.mobilenet_v3`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    build_model,
    channel_axis,
    check_alpha,
    describe,
    pad_for_strides,
    round_channels,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.models import Model
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor

__all__ = ["decode_predictions", "preprocess_input"]


class _Block(NamedTuple):
    """An inverted residual block: a row of the tables in the paper."""

    kernel_size: int
    expansion: float
    """Channels inside for each channel of the input."""
    filters: int
    """Channels of the output."""
    attention: Literal["SE", ""]
    """Squeeze and excitation, or none."""
    activation: Literal["RE", "HS"]
    """ReLU or hard swish."""
    strides: int


@dataclass(frozen=True)
class _Network:
    """The blocks of a network, and the channels of the layer before its classifier."""

    label: str
    last_filters: int
    blocks: tuple[_Block, ...]


_SMALL = _Network(
    "small",
    1024,
    (
        _Block(3, 1, 16, "SE", "RE", 2),
        _Block(3, 72 / 16, 24, "", "RE", 2),
        _Block(3, 88 / 24, 24, "", "RE", 1),
        _Block(5, 4, 40, "SE", "HS", 2),
        *[_Block(5, 6, 40, "SE", "HS", 1)] * 2,
        *[_Block(5, 3, 48, "SE", "HS", 1)] * 2,
        _Block(5, 6, 96, "SE", "HS", 2),
        *[_Block(5, 6, 96, "SE", "HS", 1)] * 2,
    ),
)
_LARGE = _Network(
    "large",
    1280,
    (
        _Block(3, 1, 16, "", "RE", 1),
        _Block(3, 4, 24, "", "RE", 2),
        _Block(3, 3, 24, "", "RE", 1),
        _Block(5, 3, 40, "SE", "RE", 2),
        *[_Block(5, 3, 40, "SE", "RE", 1)] * 2,
        _Block(3, 6, 80, "", "HS", 2),
        _Block(3, 2.5, 80, "", "HS", 1),
        *[_Block(3, 2.3, 80, "", "HS", 1)] * 2,
        *[_Block(3, 6, 112, "SE", "HS", 1)] * 2,
        _Block(5, 6, 160, "SE", "HS", 2),
        *[_Block(5, 6, 160, "SE", "HS", 1)] * 2,
    ),
)


@dataclass(frozen=True)
class _Variant:
    """A network with the arguments that only these architectures have."""

    network: _Network
    alpha: float
    minimalistic: bool
    dropout_rate: float
    include_preprocessing: bool

    def activate(self, x: Tensor) -> Tensor:
        """Applies hard swish, or ReLU in the minimalistic networks."""
        return _rectify(x) if self.minimalistic else layers.Activation("hard_swish")(x)


def _rectify(x: Tensor) -> Tensor:
    return layers.ReLU()(x)


def _normalize(x: Tensor, name: str) -> Tensor:
    return layers.BatchNormalization(
        axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=f"{name}_bn"
    )(x)


def _convolve(x: Tensor, filters: int, name: str) -> Tensor:
    """Applies a 1x1 convolution and batch normalization."""
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)
    return _normalize(x, name)


def _features(x: Tensor, _: Arguments, variant: _Variant) -> Tensor:
    if variant.include_preprocessing:
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    channels = 16
    x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
    x = variant.activate(_normalize(x, "conv"))
    for i, block in enumerate(variant.network.blocks):
        filters = round_channels(block.filters * variant.alpha)
        prefix = f"expanded_conv_{i}_" if i else "expanded_conv_"
        x = _apply_block(x, block, variant, channels, filters, prefix, has_expansion=i > 0)
        channels = filters
    return variant.activate(_convolve(x, round_channels(channels * 6), "conv_1"))


def _apply_block(
    x: Tensor,
    block: _Block,
    variant: _Variant,
    channels: int,
    filters: int,
    prefix: str,
    has_expansion: bool,
) -> Tensor:
    shortcut = x
    activate: Callable[[Tensor], Tensor] = (
        variant.activate if block.activation == "HS" else _rectify
    )
    expanded = round_channels(channels * block.expansion)
    if has_expansion:
        x = activate(_convolve(x, expanded, f"{prefix}expand"))
    kernel_size = 3 if variant.minimalistic else block.kernel_size
    if block.strides == 2:
        padding = pad_for_strides(x, kernel_size)
        x = layers.ZeroPadding2D(padding, name=f"{prefix}depthwise_pad")(x)
    x = layers.DepthwiseConv2D(
        kernel_size,
        strides=block.strides,
        padding="same" if block.strides == 1 else "valid",
        use_bias=False,
        name=f"{prefix}depthwise",
    )(x)
    x = activate(_normalize(x, f"{prefix}depthwise"))
    if block.attention and not variant.minimalistic:
        x = _weight_channels(x, expanded, f"{prefix}squeeze_excite")
    x = _convolve(x, filters, f"{prefix}project")
    if block.strides == 1 and channels == filters:
        return layers.Add(name=f"{prefix}add")([shortcut, x])
    return x


def _weight_channels(x: Tensor, channels: int, prefix: str) -> Tensor:
    """Applies squeeze and excitation: a factor for each channel, from the means of all of them."""
    factors = layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}_avg_pool")(x)
    squeezed = round_channels(channels * 0.25)
    factors = layers.Conv2D(squeezed, 1, padding="same", name=f"{prefix}_conv")(factors)
    factors = layers.ReLU(name=f"{prefix}_relu")(factors)
    factors = layers.Conv2D(channels, 1, padding="same", name=f"{prefix}_conv_1")(factors)
    factors = layers.ReLU(6.0)(factors + 3.0) * (1 / 6)  # a hard sigmoid
    return layers.Multiply(name=f"{prefix}_mul")([x, factors])


def _classify(x: Tensor, arguments: Arguments, variant: _Variant) -> Tensor:
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    filters = variant.network.last_filters
    if variant.alpha > 1:
        filters = round_channels(filters * variant.alpha)
    x = variant.activate(layers.Conv2D(filters, 1, padding="same", name="conv_2")(x))
    if variant.dropout_rate > 0:
        x = layers.Dropout(variant.dropout_rate)(x)
    x = layers.Conv2D(arguments.classes, 1, padding="same", name="logits")(x)
    x = layers.Flatten()(x)
    return layers.Activation(arguments.classifier_activation, name="predictions")(x)


def _architecture(title: str, variant: _Variant) -> Architecture:
    style = "_minimalistic" if variant.minimalistic else ""
    return Architecture(
        title=title,
        published=f"mobilenet_v3_{variant.network.label}{style}_224_{float(variant.alpha)}",
        takes_any_size=True,
        features=partial(_features, variant=variant),
        classifier=partial(_classify, variant=variant),
    )


def _build(title: str, variant: _Variant, arguments: Arguments) -> Model:
    published = (1.0,) if variant.minimalistic else (0.75, 1.0)
    check_alpha(title, variant.alpha, arguments, published)
    return build_model(_architecture(title, variant), arguments)


def MobileNetV3Small(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: PathLike | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: ActivationLike | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Small",
) -> Model:
    arguments = Arguments(
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    variant = _Variant(_SMALL, alpha, minimalistic, dropout_rate, include_preprocessing)
    return _build("MobileNetV3Small", variant, arguments)


def MobileNetV3Large(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: PathLike | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: ActivationLike | None = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Large",
) -> Model:
    arguments = Arguments(
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    variant = _Variant(_LARGE, alpha, minimalistic, dropout_rate, include_preprocessing)
    return _build("MobileNetV3Large", variant, arguments)


def _describe(title: str, network: _Network, count: int) -> str:
    return describe(
        _architecture(title, _Variant(network, 1.0, False, 0.2, True)),
        f"found by a search for fast networks on phones, the {network.label} one",
        module="mobilenet_v3",
        mode=None,
        paper='Howard et al., "Searching for MobileNetV3", 2019. https://arxiv.org/abs/1905.02244',
        count=count,
        first_args="""
    alpha: Width multiplier: factor of the number of channels of each layer. Pretrained weights
        exist for 0.75 and 1, and for 1 if `minimalistic`.
    minimalistic: Whether to use only 3x3 kernels and ReLU, and no squeeze and excitation.
    dropout_rate: Dropout rate before the classifier.
    include_preprocessing: Whether the model scales images from the range 0 to 255 to the range
        -1 to 1 itself; without it, it expects scaled ones.""",
    )


MobileNetV3Small.__doc__ = _describe("MobileNetV3Small", _SMALL, 939_120)
MobileNetV3Large.__doc__ = _describe("MobileNetV3Large", _LARGE, 2_996_352)
preprocess_input = define_preprocess_input(None, __name__)


def __dir__() -> list[str]:
    return __all__
