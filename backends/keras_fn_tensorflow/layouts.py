"""How a tensor stores its elements: dense, sparse or ragged."""

from typing import Any

import tensorflow as tf


def is_sparse(x: Any) -> bool:
    """Returns whether `x` is a `tf.SparseTensor` or a sparse gradient."""
    return isinstance(x, (tf.SparseTensor, tf.IndexedSlices))


def is_ragged(x: Any) -> bool:
    """Returns whether `x` is a `tf.RaggedTensor`."""
    return isinstance(x, tf.RaggedTensor)
