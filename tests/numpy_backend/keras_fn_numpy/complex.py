"""Complex numbers and pairs of real ones."""

from typing import Any

import numpy as np


def view_as_complex(x: Any) -> Any:
    """Pairs along the last axis as complex numbers."""
    return np.ascontiguousarray(x).view(np.result_type(x, "complex64"))[..., 0]


def view_as_real(x: Any) -> Any:
    """Complex numbers as pairs along a last axis."""
    return np.stack([x.real, x.imag], -1)
