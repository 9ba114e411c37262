"""Window functions: Bartlett, Blackman, Hamming, Hann, Kaiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.ops.core import convert_to_tensor
from keras_fn.settings import settings
from keras_fn.types import Tensor

# ---------------------------------------------------------------- windows


def _window(make: Callable[..., np.ndarray], size: Any, *options: Any) -> Tensor:
    """A window is a constant: NumPy works it out in 64 bits."""
    if isinstance(size, KerasTensor):
        raise SpecError(
            f"ops.{make.__name__}",
            expected="a size that is known where the graph is built",
            received=f"a KerasTensor of shape {size.shape}",
            fix="give the size as an integer",
        )
    return convert_to_tensor(make(int(size), *options), settings.floatx)


def bartlett(x: Any) -> Tensor:
    """Triangular window: `1 - |2 * n / (x - 1) - 1|` for n from 0 to `x - 1`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> convert_to_numpy(bartlett(5)).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _window(np.bartlett, x)


def blackman(x: Any) -> Tensor:
    """Window `0.42 - 0.5 * cos(2 pi n / (x - 1)) + 0.08 * cos(4 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(blackman(5))[1:4].round(3))
        [0.34 1.   0.34]
    """
    return _window(np.blackman, x)


def hamming(x: Any) -> Tensor:
    """Window `0.54 - 0.46 * cos(2 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(hamming(5)).round(3))
        [0.08 0.54 1.   0.54 0.08]
    """
    return _window(np.hamming, x)


def hanning(x: Any) -> Tensor:
    """Window `0.5 - 0.5 * cos(2 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(hanning(5)).round(3))
        [0.  0.5 1.  0.5 0. ]
    """
    return _window(np.hanning, x)


def kaiser(x: Any, beta: float) -> Tensor:
    """Window `i0(beta * sqrt(1 - (2 * n / (x - 1) - 1)**2)) / i0(beta)`.

    Args:
        x: Number of points.
        beta: Shape of the window: 0 is a rectangle, 14 is close to a bell.

    Returns:
        A tensor of shape `(x,)`.

    Example:
        >>> print(convert_to_numpy(kaiser(3, 2.0)).round(3))
        [0.439 1.    0.439]
    """
    return _window(np.kaiser, x, float(beta))
