"""The blocks and stages of EfficientNet, which both versions share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from keras_fn import layers
from keras_fn.applications._architecture import Arguments, channel_axis, pad_for_strides
from keras_fn.initializers import VarianceScaling
from keras_fn.types import InitializerLike, Tensor

_DROP_RATE = 0.2  # of the residual branch of a block after the last one


class Stage(NamedTuple):
    """Blocks of one kind. Only the first one has strides, and changes the number of channels.

    Attributes:
        kernel_size: Height and width of the kernel.
        repeats: Number of blocks, in the smallest network.
        channels: Number of output channels, in the smallest network.
        expansion: Number of channels inside a block, as a multiple of its input channels.
        strides: Strides of the first block.
        is_fused: Whether one convolution is in the place of the first two, without attention.
    """

    kernel_size: int
    repeats: int
    channels: int
    expansion: int
    strides: int
    is_fused: bool = False


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of one of the versions.

    Attributes:
        stages: Its stages, before scaling.
        stem_channels: Number of channels of the first convolution, before scaling.
        width: Factor of the numbers of channels.
        depth: Factor of the numbers of blocks.
        round_channels: Function that rounds a number of channels.
        momentum: Momentum of the batch normalizations.
        pads_strides: Whether padding is a layer of its own before a convolution with strides.
        scales_drop_rate: Whether the drop rates count the blocks after scaling.
        depthwise_name: Last part of the name of the depthwise convolutions.
    """

    stages: tuple[Stage, ...]
    stem_channels: int
    width: float
    depth: float
    round_channels: Callable[[float], int]
    momentum: float
    pads_strides: bool
    scales_drop_rate: bool
    depthwise_name: str

    def scale_channels(self, channels: int) -> int:
        """Returns a scaled number of channels."""
        return self.round_channels(channels * self.width)

    def scale_repeats(self, repeats: int) -> int:
        """Returns a scaled number of blocks."""
        return math.ceil(repeats * self.depth)


def apply_network(x: Tensor, network: Network) -> Tensor:
    """Applies the stem, the stages, and the last convolution.

    Args:
        x: The images, scaled.
        network: The network.
    """
    x = _convolve(x, network, network.scale_channels(network.stem_channels), 3, "stem_", 2)
    repeats = [network.scale_repeats(stage.repeats) for stage in network.stages]
    counted = repeats if network.scales_drop_rate else [s.repeats for s in network.stages]
    axis, index = channel_axis(), 0
    for i, (stage, count) in enumerate(zip(network.stages, repeats, strict=True), 1):
        block = _fused_block if stage.is_fused else _block
        for j in range(count):
            inputs, name = x, f"block{i}{chr(ord('a') + j)}_"
            strides = stage.strides if j == 0 else 1
            x = block(x, network, stage, strides, name)
            if strides == 1 and x.shape[axis] == inputs.shape[axis]:
                x = _add_shortcut(x, inputs, _DROP_RATE * index / sum(counted), name)
            index += 1
    return _convolve(x, network, network.scale_channels(1280), 1, "top_")


def classify(
    x: Tensor, arguments: Arguments, dropout: float, bias_initializer: InitializerLike = "zeros"
) -> Tensor:
    """Applies the classifier.

    Args:
        x: The features.
        arguments: The arguments of the function.
        dropout: Rate of the dropout before it.
        bias_initializer: Initializer of its bias.
    """
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout, name="top_dropout")(x)
    return layers.Dense(
        arguments.classes,
        activation=arguments.classifier_activation,
        kernel_initializer=VarianceScaling(1 / 3, "fan_out", "uniform"),
        bias_initializer=bias_initializer,
        name="predictions",
    )(x)


def _block(inputs: Tensor, network: Network, stage: Stage, strides: int, name: str) -> Tensor:
    """Applies an inverted residual block: wide, depthwise, with attention to channels, narrow."""
    channels = inputs.shape[channel_axis()]
    inner = channels * stage.expansion
    x = inputs
    if stage.expansion != 1:
        x = _convolve(x, network, inner, 1, f"{name}expand_")
    x, padding = _pad(x, network, stage.kernel_size, strides, f"{name}dwconv_pad")
    x = layers.DepthwiseConv2D(
        stage.kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        depthwise_initializer=_kernel_initializer(),
        name=f"{name}{network.depthwise_name}",
    )(x)
    x = _normalize(x, network, name)
    x = _squeeze_and_excite(x, channels // 4, inner, name)
    channels = network.scale_channels(stage.channels)
    return _convolve(x, network, channels, 1, f"{name}project_", is_active=False)


def _fused_block(x: Tensor, network: Network, stage: Stage, strides: int, name: str) -> Tensor:
    """Applies an inverted residual block with a plain convolution as its first layer."""
    size, channels = stage.kernel_size, network.scale_channels(stage.channels)
    if stage.expansion == 1:
        return _convolve(x, network, channels, size, f"{name}project_", strides)
    inner = x.shape[channel_axis()] * stage.expansion
    x = _convolve(x, network, inner, size, f"{name}expand_", strides)
    return _convolve(x, network, channels, 1, f"{name}project_", is_active=False)


def _add_shortcut(x: Tensor, inputs: Tensor, rate: float, name: str) -> Tensor:
    """Adds the input of a block, in training only the input for random samples."""
    if rate > 0:
        x = layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.add([x, inputs], name=f"{name}add")


def _squeeze_and_excite(x: Tensor, reduced: int, channels: int, name: str) -> Tensor:
    """Multiplies the channels with factors that depend on their averages."""
    shape = (channels, 1, 1) if channel_axis() == 1 else (1, 1, channels)
    factors = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    factors = layers.Reshape(shape, name=f"{name}se_reshape")(factors)
    for filters, activation, part in (
        (max(1, reduced), "swish", "se_reduce"),
        (channels, "sigmoid", "se_expand"),
    ):
        factors = layers.Conv2D(
            filters,
            1,
            padding="same",
            activation=activation,
            kernel_initializer=_kernel_initializer(),
            name=f"{name}{part}",
        )(factors)
    return layers.multiply([x, factors], name=f"{name}se_excite")


def _convolve(
    x: Tensor,
    network: Network,
    filters: int,
    kernel_size: int,
    name: str,
    strides: int = 1,
    is_active: bool = True,
) -> Tensor:
    """Applies a convolution without bias and a batch normalization, whose names begin alike."""
    x, padding = _pad(x, network, kernel_size, strides, f"{name}conv_pad")
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer=_kernel_initializer(),
        name=f"{name}conv",
    )(x)
    return _normalize(x, network, name, is_active)


def _normalize(x: Tensor, network: Network, name: str, is_active: bool = True) -> Tensor:
    x = layers.BatchNormalization(channel_axis(3), network.momentum, name=f"{name}bn")(x)
    return layers.Activation("swish", name=f"{name}activation")(x) if is_active else x


def _pad(
    x: Tensor, network: Network, kernel_size: int, strides: int, name: str
) -> tuple[Tensor, str]:
    """Returns the padded input of a convolution, and the padding that it still needs."""
    if strides == 1 or not network.pads_strides:
        return x, "same"
    return layers.ZeroPadding2D(pad_for_strides(x, kernel_size), name=name)(x), "valid"


def _kernel_initializer() -> VarianceScaling:
    return VarianceScaling(2.0, "fan_out", "truncated_normal")
