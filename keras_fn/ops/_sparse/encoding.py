"""Sparse encodings of class indices."""

from __future__ import annotations

from typing import Any

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operators import OPS
from keras_fn.core.scopes import context
from keras_fn.core.sparse import is_sparse, to_dense, warn_made_dense
from keras_fn.ops._sparse.entries import (
    arange,
    as_divisor,
    count_elements,
    sizes_of,
    to_tensor,
    unravel_positions,
)
from keras_fn.ops._sparse.shapes import keep_entries


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    """Sparse one-hot encoding: one entry for each class index; see `ops.one_hot`.

    Args:
        x: Integer tensor of any shape.
        num_classes: Number of classes.
        axis: The new axis, not negative.
        dtype: Dtype of the result.
    """
    shape = list(sizes_of(x))
    shape.insert(axis, num_classes)
    if context.current.symbolic or isinstance(x, KerasTensor):
        return KerasTensor(tuple(shape), dtype, sparse=True, record_history=False)
    x = to_dense(to_tensor(x))
    index_dtype = "int64"
    classes = OPS["cast"](OPS["ravel"](x), index_dtype)
    shape = list(sizes_of(x))
    # The position of each class index in `x`.
    position = arange(count_elements(shape), classes)
    columns = unravel_positions(position, shape) if shape else []
    columns.insert(axis, classes)
    shape.insert(axis, num_classes)
    is_class = OPS["logical_and"](
        OPS["greater_equal"](classes, 0), OPS["less"](classes, num_classes)
    )
    ones = OPS["cast"](OPS["ones_like"](classes), dtype)
    like = OPS["expand_dims"](classes, 1)
    return keep_entries(columns, ones, shape, [is_class], like)


def bincount(x: Any, weights: Any, bins: int, dtype: str) -> Any:
    """Sparse sums of weights for each integer; see `ops.bincount`.

    Args:
        x: Integers of shape `(n,)` or `(batch, n)`; negative ones are not counted.
        weights: Weights, of the shape of `x`.
        bins: Number of bins: more than the largest integer.
        dtype: Dtype of the result.
    """
    *leading, count = sizes_of(x)
    integers = OPS["cast"](OPS["ravel"](x), "int64")
    values = OPS["cast"](OPS["ravel"](weights), dtype)
    position = arange(count_elements((*leading, count)), integers)
    columns = [*([position // as_divisor(count, position)] if leading else []), integers]
    is_counted = OPS["greater_equal"](integers, 0)
    like = OPS["expand_dims"](integers, 1)
    return keep_entries(columns, values, [*leading, bins], [is_counted], like)


def is_sparse_encoding(*args: Any, **kwargs: Any) -> bool:
    """Whether the argument `sparse` of `one_hot` or `multi_hot` is True."""
    return bool(args[4] if len(args) > 4 else kwargs.get("sparse"))


def is_sparse_bincount(*args: Any, **kwargs: Any) -> bool:
    """Whether the argument `sparse` of `bincount` is True."""
    return bool(args[3] if len(args) > 3 else kwargs.get("sparse"))


def make_operands_dense(op: Any, *args: Any, **kwargs: Any) -> Any:
    """An op that takes class indices: a tensor of them has few zeros, so it can be dense."""
    return op(*[to_dense(a) for a in args], **kwargs)


def take(op: Any, x: Any, indices: Any, axis: int | None = None) -> Any:
    """A lookup in a table, which is dense; so are the vectors of sparse class indices."""
    if is_sparse(x):
        warn_made_dense("ops.take")
    return op(to_dense(x), to_dense(indices), axis)


def densify(op: Any, x: Any) -> Any:
    """The op that makes a sparse tensor dense on purpose."""
    return to_dense(x)
