"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

from typing import Any

import numpy as np

from keras_fn_numpy.reductions import as_tuple

flip: Any = np.flip  # accept more than their type stubs declare, such as lists of axes

repeat: Any = np.repeat


def reshape(x: Any, newshape: Any) -> Any:
    """`np.reshape`."""
    return np.reshape(x, newshape)


def tile(x: Any, repeats: Any) -> Any:
    """`np.tile`."""
    return np.tile(x, repeats)


def squeeze(x: Any, axis: Any = None) -> Any:
    """`np.squeeze`."""
    return np.squeeze(x, as_tuple(axis))


def concatenate(xs: Any, axis: int | None = 0) -> Any:
    """`np.concatenate`, with a positional axis."""
    return np.concatenate(xs, axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """Returns the slices along an axis."""
    del num
    return list(np.moveaxis(x, axis, 0))


def pad_nd(x: Any, widths: Any, mode: str, value: float) -> Any:
    """`np.pad`, which accepts a value in mode "constant" only."""
    options = {"constant_values": value} if mode == "constant" else {}
    return np.pad(x, widths, mode, **options)  # type: ignore[call-overload]
