"""How a tensor stores its elements: dense, sparse or ragged."""

from typing import Any

import torch


def is_sparse(x: Any) -> bool:
    """Returns whether `x` is a tensor in a sparse layout: COO, CSR ..."""
    return isinstance(x, torch.Tensor) and x.layout is not torch.strided


def is_ragged(x: Any) -> bool:
    """Returns whether `x` is a nested tensor, in either layout."""
    return isinstance(x, torch.Tensor) and x.is_nested
