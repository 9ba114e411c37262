"""How a tensor stores its elements: dense, sparse or ragged."""

import sys
from typing import Any


def is_sparse(x: Any) -> bool:
    """Returns whether `x` is a sparse array of JAX."""
    module = sys.modules.get("jax.experimental.sparse")
    return module is not None and isinstance(x, module.JAXSparse)
