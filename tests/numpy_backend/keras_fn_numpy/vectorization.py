"""Vectorized map: a function over the slices of the first axis."""

from collections.abc import Callable
from typing import Any

import numpy as np


def vectorized_map(function: Callable[..., Any], leaves: Any) -> list[Any]:
    """Runs the function on one slice at a time."""
    slices = [function([x[i] for x in leaves]) for i in range(len(leaves[0]))]
    return [np.stack(column) for column in zip(*slices, strict=True)]
