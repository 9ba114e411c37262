"""Vectorized map: a function over the slices of the first axis."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from keras_fn_torch.tensors import Tensor


def vectorized_map(function: Callable[..., Any], leaves: Sequence[Tensor]) -> list[Tensor]:
    """`torch.vmap`, or one slice at a time if the function needs concrete values."""
    try:
        return torch.vmap(function, randomness="different")(list(leaves))
    except RuntimeError:
        rows = zip(*(x.unbind(0) for x in leaves), strict=True)
        results = [function(list(row)) for row in rows]
        return [torch.stack(column) for column in zip(*results, strict=True)]
