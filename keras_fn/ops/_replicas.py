"""Tensors of a whole batch, of which each process has its rows."""

from typing import Any

from keras_fn.core.replicas import ReplicaBatch, sum_over_replicas
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import zeros
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.types import Tensor


def gather_rows(x: Tensor, replica: ReplicaBatch) -> Tensor:
    """Returns a tensor of the whole batch, of which each process has its rows.

    Args:
        x: The rows of this process. What has another number of rows is returned as it is.
        replica: Which rows these are.
    """
    sizes = shape_of(x)
    if not sizes or (isinstance(sizes[0], int) and sizes[0] != replica.rows):
        return x
    dtype = dtype_of(x)
    own: Any = cast(x, "int32") if dtype == "bool" else x
    after = replica.total - replica.start - replica.count
    padding = [zeros((rows, *sizes[1:]), dtype_of(own)) for rows in (replica.start, after)]
    padded = concatenate([padding[0], own[: replica.count], padding[1]], axis=0)
    whole = sum_over_replicas(padded)
    return cast(whole, "bool") if dtype == "bool" else whole
