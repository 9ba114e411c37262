"""InceptionV3: the public namespace `keras.applications.inception_v3`."""

from __future__ import annotations

from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
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
    concatenate,
)
from keras_fn.applications.imagenet_utils import decode_predictions, define_preprocess_input
from keras_fn.types import Tensor

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def _block_a(pooled: int) -> tuple[Branch, ...]:
    """Returns the branches of a block at 35 x 35 elements."""
    return (
        [Conv(64)],
        [Conv(48), Conv(64, 5)],
        [Conv(64), Conv(96, 3), Conv(96, 3)],
        [AVERAGE, Conv(pooled)],
    )


def _block_b(inner: int) -> tuple[Branch, ...]:
    """Returns the branches of a block at 17 x 17 elements; they factor 7 x 7 convolutions."""
    row, column = (1, 7), (7, 1)
    return (
        [Conv(192)],
        [Conv(inner), Conv(inner, row), Conv(192, column)],
        [Conv(inner), *(Conv(inner, size) for size in (column, row, column)), Conv(192, row)],
        [AVERAGE, Conv(192)],
    )


_BLOCKS: tuple[tuple[Branch, ...], ...] = (
    _block_a(32),
    _block_a(64),
    _block_a(64),
    ([Conv(384, 3, 2)], [Conv(64), Conv(96, 3), Conv(96, 3, 2)], [MAXIMUM]),
    _block_b(128),
    _block_b(160),
    _block_b(160),
    _block_b(192),
    (
        [Conv(192), Conv(320, 3, 2)],
        [Conv(192), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, 3, 2)],
        [MAXIMUM],
    ),
)


def _features(x: Tensor, _: Arguments) -> Tensor:
    x = apply_branch(x, STEM)
    for i, branches in enumerate(_BLOCKS):
        x = apply_branches(x, branches, f"mixed{i}")
    for i in range(2):
        x = _block_c(x, i)
    return x


def _block_c(x: Tensor, index: int) -> Tensor:
    """Applies a block at 8 x 8 elements, two of whose branches end in two."""
    ends = [Conv(384, (1, 3))], [Conv(384, (3, 1))]
    branches = [apply_branch(x, [Conv(320)])]
    start = apply_branch(x, [Conv(384)])
    branches.append(apply_branches(start, ends, f"mixed9_{index}"))
    start = apply_branch(x, [Conv(448), Conv(384, 3)])
    branches.append(apply_branches(start, ends, None))
    branches.append(apply_branch(x, [AVERAGE, Conv(192)]))
    return concatenate(branches, f"mixed{9 + index}")


_ARCHITECTURE = Architecture(
    title="InceptionV3",
    features=_features,
    pooling=pool_unnamed,
    published="inception_v3",
    size=299,
    min_size=75,
)
InceptionV3 = define_application(
    _ARCHITECTURE,
    "inception_v3",
    describe(
        _ARCHITECTURE,
        "blocks of parallel convolutions of several sizes",
        module="inception_v3",
        mode="tf",
        paper='Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015.\n'
        "    https://arxiv.org/abs/1512.00567",
        count=21_802_784,
    ),
    __name__,
)
preprocess_input = define_preprocess_input("tf", __name__)


def __dir__() -> list[str]:
    return __all__
