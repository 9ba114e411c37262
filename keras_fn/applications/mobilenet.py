"""MobileNet: the public namespace `keras.applications.mobilenet`."""

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
    pool_unnamed,
    published_size,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.applications.published_weights import MOBILENET_ALPHAS, MOBILENET_SIZES
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.models import Model
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# Channels and strides of the blocks.
_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def _features(x: Tensor, _: Arguments, alpha: float, depth_multiplier: int) -> Tensor:
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(
        x
    )
    x = _normalize(x, "conv1")
    for i, (filters, strides) in enumerate(_BLOCKS, 1):
        if strides == 2:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
        x = layers.DepthwiseConv2D(
            3,
            padding="same" if strides == 1 else "valid",
            depth_multiplier=depth_multiplier,
            strides=strides,
            use_bias=False,
            name=f"conv_dw_{i}",
        )(x)
        x = _normalize(x, f"conv_dw_{i}")
        x = layers.Conv2D(
            int(filters * alpha), 1, padding="same", use_bias=False, name=f"conv_pw_{i}"
        )(x)
        x = _normalize(x, f"conv_pw_{i}")
    return x


def _normalize(x: Tensor, name: str) -> Tensor:
    """Applies batch normalization and ReLU6."""
    x = layers.BatchNormalization(axis=channel_axis(), name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _classify(x: Tensor, arguments: Arguments, dropout: float) -> Tensor:
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(arguments.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((arguments.classes,), name="reshape_2")(x)
    return layers.Activation(arguments.classifier_activation, name="predictions")(x)


_ARCHITECTURE = Architecture(
    title="MobileNet",
    published="mobilenet_1.0_224",
    features=partial(_features, alpha=1.0, depth_multiplier=1),
    classifier=partial(_classify, dropout=1e-3),
    pooling=pool_unnamed,
)


def MobileNet(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
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
    check_alpha("MobileNet", alpha, arguments, tuple(MOBILENET_ALPHAS))
    if depth_multiplier != 1 and arguments.is_imagenet:
        raise SpecError(
            "MobileNet",
            expected="depth_multiplier=1, with the weights 'imagenet'",
            received=f"depth_multiplier={depth_multiplier!r}",
            fix="pass weights=None",
        )
    size, label = published_size(arguments, MOBILENET_SIZES, input_shape)
    arguments = replace(arguments, name=name or f"mobilenet_{alpha:0.2f}_{label}")
    architecture = replace(
        _ARCHITECTURE,
        published=f"mobilenet_{float(alpha)}_{size}",
        size=size,
        features=partial(_features, alpha=alpha, depth_multiplier=depth_multiplier),
        classifier=partial(_classify, dropout=dropout),
    )
    return build_model(architecture, arguments)


MobileNet.__doc__ = describe(
    _ARCHITECTURE,
    "depthwise separable convolutions, for phones",
    module="mobilenet",
    mode="tf",
    paper='Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision\n'
    '    Applications", 2017. https://arxiv.org/abs/1704.04861',
    count=3_228_864,
    first_args="""
    alpha: Width multiplier: factor of the number of channels of each layer. Pretrained weights
        exist for 0.25, 0.5, 0.75 and 1.
    depth_multiplier: Number of channels of the depthwise convolutions for each input channel.
    dropout: Dropout rate before the classifier.""",
)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
