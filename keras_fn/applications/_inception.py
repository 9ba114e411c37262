"""Branches of convolutions, of which the Inception networks are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from keras_fn import layers
from keras_fn.applications._architecture import channel_axis
from keras_fn.types import Tensor


class Conv(NamedTuple):
    """A convolution without bias, a batch normalization and a ReLU.

    Attributes:
        filters: Number of output channels.
        size: Height and width of the kernel.
        strides: Strides; more than 1 go without padding.
        padding: `"same"` or `"valid"`.
    """

    filters: int
    size: int | tuple[int, int] = 1
    strides: int = 1
    padding: str = "same"


class Pool(NamedTuple):
    """Pooling of 3 x 3 elements: the average of each neighborhood, or the maximum in strides of 2.

    Attributes:
        is_average: Whether it is the average.
    """

    is_average: bool


AVERAGE, MAXIMUM = Pool(True), Pool(False)
Branch: TypeAlias = Sequence[Conv | Pool]
"""Layers, one after the other."""

STEM: Branch = (
    Conv(32, 3, 2),
    Conv(32, 3, padding="valid"),
    Conv(64, 3),
    MAXIMUM,
    Conv(80, padding="valid"),
    Conv(192, 3, padding="valid"),
    MAXIMUM,
)
"""The first layers of both networks."""


def apply_branch(x: Tensor, branch: Branch) -> Tensor:
    """Applies layers, one after the other."""
    for step in branch:
        if isinstance(step, Conv):
            x = convolve(x, step)
        elif step.is_average:
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        else:
            x = layers.MaxPooling2D(3, strides=2)(x)
    return x


def apply_branches(x: Tensor, branches: Sequence[Branch], name: str | None) -> Tensor:
    """Applies branches to one tensor and concatenates their channels.

    Args:
        x: The tensor.
        branches: The branches.
        name: Name of the concatenation.
    """
    return concatenate([apply_branch(x, branch) for branch in branches], name)


def concatenate(tensors: list[Tensor], name: str | None = None) -> Tensor:
    """Concatenates the channels of tensors."""
    return layers.Concatenate(channel_axis(3), name=name)(tensors)


def convolve(x: Tensor, conv: Conv, name: str | None = None) -> Tensor:
    """Applies a convolution.

    Args:
        x: The tensor.
        conv: The convolution.
        name: Name of the layer, and the first part of the names of the two that follow.
    """
    x = layers.Conv2D(
        conv.filters,
        conv.size,
        strides=conv.strides,
        padding=conv.padding if conv.strides == 1 else "valid",
        use_bias=False,
        name=name,
    )(x)
    suffixed = [None if name is None else f"{name}_{part}" for part in ("bn", "ac")]
    x = layers.BatchNormalization(channel_axis(3), scale=False, name=suffixed[0])(x)
    return layers.Activation("relu", name=suffixed[1])(x)
