"""NASNet: the public namespace `keras.applications.nasnet`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    build_model,
    channel_axis,
    describe,
    pad_for_strides,
    pool_unnamed,
    predict_classes,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.naming import name_scope
from keras_fn.errors import SpecError
from keras_fn.models import Model
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


class _Application(Protocol):
    """The function of a variant of NASNet."""

    def __call__(
        self,
        input_shape: Shape | None = None,
        include_top: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        name: str = ...,
    ) -> Model: ...


def _features(
    x: Tensor,
    arguments: Arguments,
    stem_filters: int,
    filters: int,
    depth: int,
    skips_reduction: bool,
) -> Tensor:
    """Applies two reduction cells, and three stages of normal cells with reductions in between.

    A cell takes the outputs of the two cells before it. After a reduction within the network, the
    second one is the output before it, or with `skips_reduction` the one before that.
    """
    _check_sizes(x, arguments)
    x = layers.Conv2D(
        stem_filters,
        3,
        strides=2,
        use_bias=False,
        kernel_initializer="he_normal",
        name="stem_conv1",
    )(x)
    x = _normalize(x, "stem_bn1")
    previous, x = x, _reduction_cell(x, x, filters // 4, "stem_1", None)
    previous, x = x, _reduction_cell(x, previous, filters // 2, "stem_2", "halve")
    for stage in range(3):
        width = filters << stage
        if stage > 0:
            reduced = _reduction_cell(x, previous, width, f"reduce_{stage * depth}", "project")
            previous, x = previous if skips_reduction else x, reduced
        for i in range(depth):
            block = f"{stage * depth + i + (stage > 0)}"
            adjustment = "halve" if i == 0 else "project"
            previous, x = x, _normal_cell(x, previous, width, block, adjustment)
    return layers.Activation("relu")(x)


def _check_sizes(x: Tensor, arguments: Arguments) -> None:
    """Raises a ValueError for an unknown size: the paddings depend on which sizes are odd."""
    if None in x.shape[1:]:
        raise SpecError(
            f"NASNet model {arguments.name!r}",
            expected="images whose height and width are known",
            received=f"shape {tuple(x.shape)}",
            fix="for example input_shape=(224, 224, 3)",
        )


def _normal_cell(x: Tensor, previous: Tensor, filters: int, block: str, adjustment: str) -> Tensor:
    """Applies a cell that keeps the size (figure 4 of the paper, on the left)."""
    with name_scope(f"normal_A_block_{block}"):
        previous = _adjust(previous, filters, block, adjustment)
        x = _project(x, filters, f"normal_{{}}_1_{block}")
        separable = partial(_separable_convs, filters=filters)
        with name_scope("block_1"):
            left = separable(x, 5, f"normal_left1_{block}")
            right = separable(previous, 3, f"normal_right1_{block}")
            x1 = _add(left, right, f"normal_add_1_{block}")
        with name_scope("block_2"):
            left = separable(previous, 5, f"normal_left2_{block}")
            right = separable(previous, 3, f"normal_right2_{block}")
            x2 = _add(left, right, f"normal_add_2_{block}")
        with name_scope("block_3"):
            x3 = _add(_average(x, f"normal_left3_{block}"), previous, f"normal_add_3_{block}")
        with name_scope("block_4"):
            left = _average(previous, f"normal_left4_{block}")
            right = _average(previous, f"normal_right4_{block}")
            x4 = _add(left, right, f"normal_add_4_{block}")
        with name_scope("block_5"):
            x5 = _add(separable(x, 3, f"normal_left5_{block}"), x, f"normal_add_5_{block}")
        return _concatenate([previous, x1, x2, x3, x4, x5], f"normal_concat_{block}")


def _reduction_cell(
    x: Tensor, previous: Tensor, filters: int, block: str, adjustment: str | None
) -> Tensor:
    """Applies a cell that halves the size (figure 4 of the paper, on the right)."""
    with name_scope(f"reduction_A_block_{block}"):
        previous = _adjust(previous, filters, block, adjustment)
        x = _project(x, filters, f"reduction_{{}}_1_{block}")
        padded = layers.ZeroPadding2D(pad_for_strides(x, 3), name=f"reduction_pad_1_{block}")(x)
        separable = partial(_separable_convs, filters=filters)
        with name_scope("block_1"):
            left = separable(x, 5, f"reduction_left1_{block}", strides=2)
            right = separable(previous, 7, f"reduction_right1_{block}", strides=2)
            x1 = _add(left, right, f"reduction_add_1_{block}")
        with name_scope("block_2"):
            left = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{block}")(padded)
            right = separable(previous, 7, f"reduction_right2_{block}", strides=2)
            x2 = _add(left, right, f"reduction_add_2_{block}")
        with name_scope("block_3"):
            left = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{block}")(padded)
            right = separable(previous, 5, f"reduction_right3_{block}", strides=2)
            x3 = _add(left, right, f"reduction_add3_{block}")
        with name_scope("block_4"):
            x4 = _add(x2, _average(x1, f"reduction_left4_{block}"))
        with name_scope("block_5"):
            left = separable(x1, 3, f"reduction_left4_{block}")
            right = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{block}")(padded)
            x5 = _add(left, right, f"reduction_add4_{block}")
        return _concatenate([x2, x3, x4, x5], f"reduction_concat_{block}")


def _adjust(x: Tensor, filters: int, block: str, adjustment: str | None) -> Tensor:
    """Gives the output of an earlier cell the size and the channels of the current cell.

    Args:
        x: The output.
        filters: Number of channels.
        block: Last part of the names of the layers.
        adjustment: `"halve"` the size, `"project"` the channels if their number differs, or None.
    """
    with name_scope("adjust_block"):
        if adjustment == "halve":
            with name_scope(f"adjust_reduction_block_{block}"):
                return _halve(x, filters, block)
        if adjustment == "project" and x.shape[channel_axis()] != filters:
            with name_scope(f"adjust_projection_block_{block}"):
                x = layers.Activation("relu")(x)
                x = _pointwise_conv(x, filters, f"adjust_conv_projection_{block}")
                return _normalize(x, f"adjust_bn_{block}")
        return x


def _halve(x: Tensor, filters: int, block: str) -> Tensor:
    """Halves height and width: half of the channels are of even, half of odd positions."""
    x = layers.Activation("relu", name=f"adjust_relu_1_{block}")(x)
    halves = []
    for i in (1, 2):
        if i == 2:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
            x = layers.Cropping2D(((1, 0), (1, 0)))(x)
        half = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{block}")(x)
        halves.append(_pointwise_conv(half, filters // 2, f"adjust_conv_{i}_{block}"))
    return _normalize(_concatenate(halves), f"adjust_bn_{block}")


def _project(x: Tensor, filters: int, name: str) -> Tensor:
    """Applies a ReLU, a convolution with a kernel of 1 and a batch normalization.

    Args:
        x: The output of the cell before.
        filters: Number of channels.
        name: Names of the layers, with braces for what they are.
    """
    x = layers.Activation("relu")(x)
    x = _pointwise_conv(x, filters, name.format("conv"))
    return _normalize(x, name.format("bn"))


def _separable_convs(
    x: Tensor, kernel_size: int, name: str, filters: int, strides: int = 1
) -> Tensor:
    """Applies two separable convolutions, each after a ReLU and before a batch normalization."""
    with name_scope(f"separable_conv_block_{name}"):
        for i in (1, 2):
            x = layers.Activation("relu")(x)
            padding = "same"
            if i == 1 and strides > 1:
                pads, padding = pad_for_strides(x, kernel_size), "valid"
                x = layers.ZeroPadding2D(pads, name=f"separable_conv_1_pad_{name}")(x)
            x = layers.SeparableConv2D(
                filters,
                kernel_size,
                strides=strides if i == 1 else 1,
                padding=padding,
                use_bias=False,
                name=f"separable_conv_{i}_{name}",
            )(x)
            x = _normalize(x, f"separable_conv_{i}_bn_{name}")
        return x


def _pointwise_conv(x: Tensor, filters: int, name: str) -> Tensor:
    return layers.Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def _normalize(x: Tensor, name: str) -> Tensor:
    return layers.BatchNormalization(channel_axis(), 0.9997, name=name)(x)


def _average(x: Tensor, name: str) -> Tensor:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _add(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    return layers.Add(name=name)([x, y])


def _concatenate(tensors: Sequence[Tensor], name: str | None = None) -> Tensor:
    return layers.Concatenate(channel_axis(), name=name)(tensors)


def _classify(x: Tensor, arguments: Arguments) -> Tensor:
    return predict_classes(layers.GlobalAveragePooling2D()(x), arguments)


def _define(architecture: Architecture, count: int) -> _Application:
    """Returns the function of an architecture with `count` parameters without its classifier."""

    def application(
        input_shape: Shape | None = None,
        include_top: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
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
            name=name,
        )
        return build_model(architecture, arguments)

    application.__name__ = application.__qualname__ = architecture.title
    application.__doc__ = describe(
        architecture,
        "cells that a search found",
        module="nasnet",
        mode="tf",
        paper='Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", '
        "2017.\n    https://arxiv.org/abs/1707.07012",
        count=count,
    )
    return application


NASNetMobile = _define(
    Architecture(
        title="NASNetMobile",
        features=partial(_features, stem_filters=32, filters=44, depth=4, skips_reduction=False),
        classifier=_classify,
        pooling=pool_unnamed,
        published="nasnet_mobile",
        is_sized=True,
    ),
    4_269_716,
)
NASNetLarge = _define(
    Architecture(
        title="NASNetLarge",
        features=partial(_features, stem_filters=96, filters=168, depth=6, skips_reduction=True),
        classifier=_classify,
        pooling=pool_unnamed,
        published="nasnet_large",
        size=331,
        is_sized=True,
    ),
    84_916_818,
)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
