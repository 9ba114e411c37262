"""Elementwise ops on sparse tensors: on the values of the entries, or of those of two tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.operators import OPS
from keras_fn.core.shapes import is_compatible
from keras_fn.core.sparse import (
    SparseRule,
    get_sparse_backend,
    is_sparse,
    to_dense,
    warn_made_dense,
)
from keras_fn.ops._sparse.entries import (
    NUMBERS,
    as_divisor,
    broadcast,
    broadcast_sizes,
    columns_of,
    get_parts,
    make,
    ravel_positions,
    sizes_of,
    to_tensor,
)


def map_values(op: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """An elementwise op of one operand that is 0 at 0."""
    x = to_tensor(x)
    return get_sparse_backend().map_values(lambda values: op(values, *args, **kwargs), x)


def merge(op: Any, x1: Any, x2: Any) -> Any:
    """An op that is 0 where both operands are: on the entries of either of them."""
    shape = broadcast_sizes(sizes_of(x1), sizes_of(x2))
    if not is_compatible(sizes_of(x1), shape):
        x1 = broadcast(x1, shape)
    if not is_compatible(sizes_of(x2), shape):
        x2 = broadcast(x2, shape)
    (indices1, values1, _), (indices2, values2, _) = get_parts(x1), get_parts(x2)
    indices = OPS["concatenate"]([indices1, indices2])
    zeros1, zeros2 = OPS["zeros_like"](values1), OPS["zeros_like"](values2)
    left = OPS["concatenate"]([values1, OPS["cast"](zeros2, current().dtype_name(values1))])
    right = OPS["concatenate"]([OPS["cast"](zeros1, current().dtype_name(values2)), values2])
    # Both have the same indices, and so the same order of entries.
    indices, left, _ = get_parts(make(indices, left, shape))
    _, right, _ = get_parts(make(OPS["concatenate"]([indices1, indices2]), right, shape))
    return make(indices, op(left, right), shape, is_unique=True)


def are_both_sparse(*operands: Any, **_: Any) -> bool:
    return all(map(is_sparse, operands[:2]))


def is_any_sparse(*operands: Any, **_: Any) -> bool:
    return any(map(is_sparse, operands[:2]))


def union(op: Any, x1: Any, x2: Any) -> Any:
    """An op such as `add`: sparse if both operands are."""
    if are_both_sparse(x1, x2):
        return merge(op, to_tensor(x1), to_tensor(x2))
    other = x2 if is_sparse(x1) else x1
    if not sizes_of(other):
        warn_made_dense(f"ops.{op.__name__}")
    return op(to_dense(x1), to_dense(x2))


def multiply(op: Any, x1: Any, x2: Any) -> Any:
    x1, x2 = to_tensor(x1), to_tensor(x2)
    if are_both_sparse(x1, x2):
        return merge(op, x1, x2)
    if is_sparse(x1):
        return _with_dense(op, x1, x2)
    return _with_dense(lambda a, b: op(b, a), x2, x1)


def _with_dense(op: Any, x: Any, dense: Any) -> Any:
    """Applies `op` to the entries of a sparse tensor and the elements of a dense one there."""
    own, other = sizes_of(x), sizes_of(dense)
    if not other:
        return get_sparse_backend().map_values(lambda values: op(values, dense), x)
    shape = broadcast_sizes(own, other)
    if len(shape) > len(own) or not all(map(_is_same_size, own, shape)):
        x = broadcast(x, shape)
    indices, values, shape = get_parts(x)
    columns = columns_of(indices)[len(shape) - len(other) :]
    # The remainder is 0 along an axis of size 1, which is broadcast, and for padding.
    columns = [c % as_divisor(size, c) for c, size in zip(columns, other, strict=True)]
    elements = OPS["take"](OPS["ravel"](dense), ravel_positions(columns, other, indices))
    return make(indices, op(values, elements), shape, is_unique=True)


def _is_same_size(size: Any, other: Any) -> bool:
    return not (isinstance(size, int) and isinstance(other, int)) or size == other


def divide(op: Any, x1: Any, x2: Any) -> Any:
    """Division: sparse if only the dividend is, except for a divisor of 0 or NaN.

    Where a divisor is 0 or NaN, the result is NaN and needs an entry. A function that is compiled
    cannot look for such elements: it divides the entries alone.
    """
    if not is_sparse_quotient(x1, x2):
        warn_made_dense(f"ops.{op.__name__}")
        return op(to_dense(x1), to_dense(x2))
    x1, x2 = to_tensor(x1), to_tensor(x2)
    if not isinstance(x2, NUMBERS) and not current().is_traced(x2):
        invalid = OPS["logical_or"](OPS["equal"](x2, 0), OPS["isnan"](x2))
        if bool(OPS["any"](invalid)):
            shape = broadcast_sizes(sizes_of(x1), sizes_of(x2))
            places = OPS["nonzero"](OPS["broadcast_to"](invalid, shape))
            indices = OPS["cast"](OPS["stack"](list(places), axis=1), "int64")
            zeros = OPS["zeros_like"](OPS["getitem"](indices, (slice(None), 0)))
            values = OPS["cast"](zeros, current().dtype_name(x1))
            x1 = merge(OPS["add"], x1, make(indices, values, shape, is_unique=True))
    return _with_dense(op, x1, x2)


def is_sparse_quotient(x1: Any, x2: Any) -> bool:
    if isinstance(x2, NUMBERS) and (x2 == 0 or math.isnan(x2)):
        return False
    return is_sparse(x1) and not is_sparse(x2)


def map_values_if(op: Any, *args: Any, is_zero_at_zero: Callable[..., bool], **kwargs: Any) -> Any:
    """An elementwise op that is 0 at 0 for some of its arguments only."""
    if is_zero_at_zero(*args, **kwargs):
        return map_values(op, *args, **kwargs)
    warn_made_dense(f"ops.{op.__name__}")
    return op(*map(to_dense, args), **kwargs)


def conditional_rule(is_zero_at_zero: Callable[..., bool]) -> SparseRule:
    """Returns the rule of an elementwise op that is 0 at 0 for some of its arguments."""
    return SparseRule(partial(map_values_if, is_zero_at_zero=is_zero_at_zero), is_zero_at_zero)


def clips_around_zero(x: Any, x_min: Any, x_max: Any) -> bool:
    bounds = (x_min, x_max)
    if not is_sparse(x) or not all(b is None or isinstance(b, NUMBERS) for b in bounds):
        return False
    return (x_min is None or x_min <= 0) and (x_max is None or x_max >= 0)


def is_positive_power(x1: Any, x2: Any) -> bool:
    return is_sparse(x1) and isinstance(x2, NUMBERS) and x2 > 0


def is_compared_with_zero(x1: Any, x2: Any) -> bool:
    return is_sparse(x1) and isinstance(x2, NUMBERS) and x2 == 0
