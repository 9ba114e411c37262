"""Array manipulation: shapes, axes, joining, splitting, padding, repetition."""

from typing import Any

import numpy as np

from keras_fn_numpy.reductions import _axes

flip: Any = np.flip  # more than their types say, as lists of axes

repeat: Any = np.repeat


def reshape(x: Any, newshape: Any) -> Any:
    """NumPy names the argument otherwise."""
    return np.reshape(x, newshape)


def tile(x: Any, repeats: Any) -> Any:
    """NumPy names the argument otherwise."""
    return np.tile(x, repeats)


def squeeze(x: Any, axis: Any = None) -> Any:
    """One axis or several."""
    return np.squeeze(x, _axes(axis))


def concatenate(xs: Any, axis: int | None = 0) -> Any:
    """Here `axis` may come by position."""
    return np.concatenate(xs, axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices along an axis."""
    del num
    return list(np.moveaxis(x, axis, 0))


def pad_nd(x: Any, widths: Any, mode: str, value: float) -> Any:
    """`np.pad`, which takes a value in mode "constant" only."""
    options = {"constant_values": value} if mode == "constant" else {}
    return np.pad(x, widths, mode, **options)  # type: ignore[call-overload]
