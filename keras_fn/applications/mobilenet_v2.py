"""MobileNetV2: the public namespace `keras.applications.mobilenet_v2`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    build_model,
    channel_axis,
    check_alpha,
    describe,
    pad_for_strides,
    pool_unnamed,
    predict_classes,
    published_size,
    round_channels,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.applications.published_weights import MOBILENET_V2_ALPHAS, MOBILENET_V2_SIZES
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.models import Model
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Channels, blocks, and strides of the first block.
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
_EXPANSION = 6


def _features(x: Tensor, _: Arguments, alpha: float) -> Tensor:
    channels = round_channels(32 * alpha)
    x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
    x = _normalize(x, "bn_Conv1", "Conv1_relu")
    blocks = [
        (filters, strides if i == 0 else 1)
        for filters, depth, strides in _STAGES
        for i in range(depth)
    ]
    for i, (filters, strides) in enumerate(blocks):
        filters = round_channels(int(filters * alpha))
        x = _block(x, i, channels, filters, strides)
        channels = filters
    # The last convolution becomes wider, but not narrower.
    x = layers.Conv2D(round_channels(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    return _normalize(x, "Conv_1_bn", "out_relu")


def _block(x: Tensor, i: int, channels: int, filters: int, strides: int) -> Tensor:
    """Applies an inverted residual block: wide inside, and narrow where its input is added."""
    prefix = f"block_{i}_" if i else "expanded_conv_"
    shortcut = x
    if i:
        x = layers.Conv2D(
            _EXPANSION * channels, 1, padding="same", use_bias=False, name=f"{prefix}expand"
        )(x)
        x = _normalize(x, f"{prefix}expand_BN", f"{prefix}expand_relu")
    if strides == 2:
        x = layers.ZeroPadding2D(pad_for_strides(x, 3), name=f"{prefix}pad")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        use_bias=False,
        padding="same" if strides == 1 else "valid",
        name=f"{prefix}depthwise",
    )(x)
    x = _normalize(x, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalize(x, f"{prefix}project_BN")
    if strides == 1 and channels == filters:
        return layers.Add(name=f"{prefix}add")([shortcut, x])
    return x


def _normalize(x: Tensor, name: str, activation_name: str = "") -> Tensor:
    """Applies batch normalization, and ReLU6 if it has a name."""
    x = layers.BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)
    return layers.ReLU(6.0, name=activation_name)(x) if activation_name else x


def _classify(x: Tensor, arguments: Arguments) -> Tensor:
    return predict_classes(layers.GlobalAveragePooling2D()(x), arguments)


_ARCHITECTURE = Architecture(
    title="MobileNetV2",
    published="mobilenet_v2_1.0_224",
    features=partial(_features, alpha=1.0),
    classifier=_classify,
    pooling=pool_unnamed,
)


def MobileNetV2(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: PathLike | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike | None = "softmax",
    name: str | None = None,
) -> Model:
    arguments = Arguments(
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name or "",
    )
    check_alpha("MobileNetV2", alpha, arguments, MOBILENET_V2_ALPHAS)
    shape = input_shape
    if shape is None and include_top and isinstance(input_tensor, KerasTensor):
        shape = tuple(input_tensor.shape[1:])
    size, label = published_size(arguments, MOBILENET_V2_SIZES, shape)
    arguments = replace(arguments, name=name or f"mobilenetv2_{alpha:0.2f}_{label}")
    architecture = replace(
        _ARCHITECTURE,
        published=f"mobilenet_v2_{float(alpha)}_{size}",
        size=size,
        features=partial(_features, alpha=alpha),
    )
    return build_model(architecture, arguments)


MobileNetV2.__doc__ = describe(
    _ARCHITECTURE,
    "inverted residual blocks of depthwise convolutions, for phones",
    module="mobilenet_v2",
    mode="tf",
    paper='Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018.\n'
    "    https://arxiv.org/abs/1801.04381",
    count=2_257_984,
    first_args="""
    alpha: Width multiplier: factor of the number of channels of each layer. Pretrained weights
        exist for 0.35, 0.5, 0.75, 1, 1.3 and 1.4.""",
)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
