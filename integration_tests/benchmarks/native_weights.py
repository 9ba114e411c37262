"""Weights for the native programs, drawn with NumPy."""

import math
from typing import Any

import numpy as np

_SHAPES: dict[str, list[tuple[int, ...]]] = {
    "mlp": [(784, 64), (64,), (64, 64), (64,), (64, 10), (10,)],
    "resnet": [
        (3, 3, 3, 32), (32,), (3, 3, 32, 64), (64,), *[(3, 3, 64, 64), (64,)] * 5,
        (64, 256), (256,), (256, 10), (10,),
    ],
    "ticket": [
        (1000, 64), (1000, 64), (64, 512), (128, 512), (512,), (64, 128), (32, 128), (128,),
        (172, 1), (1,), (172, 4), (4,),
    ],
    "convolutions": [
        (3, 3, 3, 16), (16,), *[(3, 3, 16, 16), (16,)] * 47, (16, 10), (10,),
    ],
    "masked_lstm": [(1000, 64), (64, 512), (128, 512), (512,), (128, 4), (4,)],
    "masked_gru": [(1000, 64), (64, 384), (128, 384), (2, 384), (128, 4), (4,)],
    "transformer": [
        (1000, 128),
        *[(1, 128), (128,), (128, 384), (384,), (128, 128), (128,),
          (1, 128), (128,), (128, 512), (512,), (512, 128), (128,)] * 4,
        (1, 128), (128,), (128, 1000), (1000,),
    ],
    "attention": [(128, 384), (384,), (128, 128), (128,)],
}  # fmt: skip


def weights(name: str) -> list[Any]:
    """Initial weights: Glorot-uniform matrices, zeros for vectors, ones for scales."""
    return [_draw(shape) for shape in _SHAPES[name]]


def dense_weights(count: int) -> list[Any]:
    """The same for a chain of dense layers."""
    return [_draw(shape) for shape in shapes("dense_stack", count)]


def _draw(shape: tuple[int, ...]) -> Any:
    if len(shape) == 1:
        return np.zeros(shape, "float32")
    if shape[0] == 1:
        return np.ones(shape, "float32")
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
    return np.random.default_rng(0).uniform(-limit, limit, shape).astype("float32")


def shapes(name: str, count: int = 200) -> list[tuple[int, ...]]:
    """The shapes of all weights of a model; of `count` layers for `dense_stack`."""
    if name == "dense_stack":
        return [(64, 64), (64,)] * count
    return {"vgg19": _vgg19, "resnet50": _resnet50}.get(name, lambda: _SHAPES[name])()


def draw_weights(name: str) -> list[Any]:
    """Draws all weights of a model that is only built, as fast as NumPy can."""
    random = np.random.default_rng(0)
    return [random.random(shape, dtype="float32") for shape in shapes(name)]


def count(name: str) -> int:
    """Returns the number of parameters of a model."""
    return sum(math.prod(shape) for shape in shapes(name))


def _vgg19() -> list[tuple[int, ...]]:
    shapes, last = [], 3
    for filters, depth in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(depth):
            shapes += [(3, 3, last, filters), (filters,)]
            last = filters
    return [*shapes, (25088, 4096), (4096,), (4096, 4096), (4096,), (4096, 1000), (1000,)]


def _resnet50() -> list[tuple[int, ...]]:
    shapes, last = _conv_bn(7, 3, 64), 64
    for filters, depth in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for i in range(depth):
            if i == 0:
                shapes += _conv_bn(1, last, 4 * filters)
            shapes += _conv_bn(1, last, filters) + _conv_bn(3, filters, filters)
            shapes += _conv_bn(1, filters, last := 4 * filters)
    return [*shapes, (2048, 1000), (1000,)]


def _conv_bn(size: int, channels: int, filters: int) -> list[tuple[int, ...]]:
    """A convolution and its batch normalization: bias, scale, offset, mean and variance."""
    return [(size, size, channels, filters), *[(filters,)] * 5]
