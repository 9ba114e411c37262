"""Weights for the hand-written programs, drawn by NumPy."""

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
}  # fmt: skip


def weights(name: str) -> list[Any]:
    """Glorot-uniform matrices, zeros for vectors."""
    return [draw(shape) for shape in _SHAPES[name]]


def draw(shape: tuple[int, ...]) -> Any:
    if len(shape) == 1:
        return np.zeros(shape, "float32")
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
    return np.random.default_rng(0).uniform(-limit, limit, shape).astype("float32")


def dense_weights(count: int) -> list[Any]:
    return [w for _ in range(count) for w in (draw((64, 64)), draw((64,)))]


def draw_vgg19() -> list[Any]:
    """All weights of VGG19."""
    random = np.random.default_rng(0)
    return [random.random(shape, dtype="float32") for shape in vgg19_shapes()]


def vgg19_shapes() -> list[tuple[int, ...]]:
    shapes, last = [], 3
    for filters, depth in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(depth):
            shapes += [(3, 3, last, filters), (filters,)]
            last = filters
    return [*shapes, (25088, 4096), (4096,), (4096, 4096), (4096,), (4096, 1000), (1000,)]
