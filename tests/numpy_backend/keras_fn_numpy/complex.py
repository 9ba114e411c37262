"""Conversion between complex tensors and pairs of real numbers."""

from typing import Any

import numpy as np


def view_as_complex(x: Any) -> Any:
    """Views pairs along the last axis as complex numbers."""
    return np.ascontiguousarray(x).view(np.result_type(x, "complex64"))[..., 0]


def view_as_real(x: Any) -> Any:
    """Views complex numbers as pairs along a new last axis."""
    return np.stack([x.real, x.imag], -1)
