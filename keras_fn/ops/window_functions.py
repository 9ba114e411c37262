"""Window functions: Bartlett, Blackman, Hamming, Hann, Kaiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.ops._rules import check_at_least
from keras_fn.ops.core import convert_to_tensor
from keras_fn.settings import settings
from keras_fn.types import ArrayLike, Tensor


def _window(function: Callable[..., np.ndarray], size: Any, *options: float) -> Tensor:
    """Computes a window function with NumPy in 64 bits: it is a constant."""
    if isinstance(size, KerasTensor):
        raise SpecError(
            f"ops.{function.__name__}",
            expected="a static size",
            received=f"a KerasTensor of shape {size.shape}",
            fix="pass the size as an integer",
        )
    check_at_least(0, f"ops.{function.__name__}", x=int(size))
    return convert_to_tensor(function(int(size), *options), settings.floatx)


def bartlett(x: ArrayLike) -> Tensor:
    """Bartlett (triangular) window: `1 - |2 * n / (x - 1) - 1|` for n from 0 to `x - 1`.

    Args:
        x: Number of points.

    Returns:
        Tensor of shape `(x,)` and dtype `floatx()`.

    Example:
        >>> convert_to_numpy(bartlett(5)).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _window(np.bartlett, x)


def blackman(x: ArrayLike) -> Tensor:
    """Blackman window: `0.42 - 0.5 * cos(2 pi n / (x - 1)) + 0.08 * cos(4 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        Tensor of shape `(x,)` and dtype `floatx()`.

    Example:
        >>> print(convert_to_numpy(blackman(5))[1:4].round(3))
        [0.34 1.   0.34]
    """
    return _window(np.blackman, x)


def hamming(x: ArrayLike) -> Tensor:
    """Hamming window: `0.54 - 0.46 * cos(2 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        Tensor of shape `(x,)` and dtype `floatx()`.

    Example:
        >>> print(convert_to_numpy(hamming(5)).round(3))
        [0.08 0.54 1.   0.54 0.08]
    """
    return _window(np.hamming, x)


def hanning(x: ArrayLike) -> Tensor:
    """Hann window: `0.5 - 0.5 * cos(2 pi n / (x - 1))`.

    Args:
        x: Number of points.

    Returns:
        Tensor of shape `(x,)` and dtype `floatx()`.

    Example:
        >>> print(convert_to_numpy(hanning(5)).round(3))
        [0.  0.5 1.  0.5 0. ]
    """
    return _window(np.hanning, x)


def kaiser(x: ArrayLike, beta: float) -> Tensor:
    """Kaiser window: `i0(beta * sqrt(1 - (2 * n / (x - 1) - 1)**2)) / i0(beta)`.

    Args:
        x: Number of points.
        beta: Shape parameter: 0 is a rectangular window, 14 a narrow bell.

    Returns:
        Tensor of shape `(x,)` and dtype `floatx()`.

    Example:
        >>> print(convert_to_numpy(kaiser(3, 2.0)).round(3))
        [0.439 1.    0.439]
    """
    return _window(np.kaiser, x, float(beta))
