"""Axes as Keras gives them: one, several, or None for all."""

from collections.abc import Sequence

from keras_fn_torch.tensors import Tensor

Axis = int | Sequence[int] | None


def axes_of(x: Tensor, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.dim()))
    return (axis,) if isinstance(axis, int) else tuple(axis)
