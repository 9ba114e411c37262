"""Ops that change the indices of entries: shapes, axes, parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operators import OPS
from keras_fn.core.sparse import is_sparse, to_dense, warn_made_dense
from keras_fn.ops._rules import normalize_axes, normalize_axis
from keras_fn.ops._sparse.entries import (
    columns_of,
    count_elements,
    get_parts,
    join,
    make,
    ravel_positions,
    sizes_of,
    to_spec,
    to_tensor,
    unravel_positions,
)


def reshape(op: Any, x: Any, newshape: Any) -> Any:
    x = to_tensor(x)
    indices, values, shape = get_parts(x)
    newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if -1 in [n for n in newshape if isinstance(n, int)]:
        known = count_elements([n for n in newshape if not _is_minus_one(n)])
        rest = count_elements(shape) // (max(known, 1) if isinstance(known, int) else known)
        newshape = tuple(rest if _is_minus_one(n) else n for n in newshape)
    if all(isinstance(n, int) for n in (*shape, *newshape)):
        OPS["reshape"].op.infer((KerasTensor(shape), newshape), {})  # raises its error
    position = ravel_positions(columns_of(indices), shape, indices)
    columns = unravel_positions(position, newshape)
    return make(join(columns, indices), values, newshape, is_unique=True)


def _is_minus_one(size: Any) -> bool:
    return isinstance(size, int) and size == -1


def ravel(op: Any, x: Any) -> Any:
    return reshape(op, x, (-1,))


def transpose(op: Any, x: Any, axes: Any = None) -> Any:
    x = to_tensor(x)
    indices, values, shape = get_parts(x)
    rank = len(shape)
    order = tuple(reversed(range(rank))) if axes is None else normalize_axes(axes, rank)
    if sorted(order) != list(range(rank)):
        OPS["transpose"].op.infer((KerasTensor((None,) * rank), axes), {})
    columns = columns_of(indices)
    kept = join([columns[i] for i in order], indices)
    return make(kept, values, [shape[i] for i in order], is_unique=True)


def swapaxes(op: Any, x: Any, axis1: int, axis2: int) -> Any:
    rank = len(sizes_of(x))
    order = list(range(rank))
    i, j = normalize_axis(axis1, rank, "ops.swapaxes"), normalize_axis(axis2, rank, "ops.swapaxes")
    order[i], order[j] = order[j], order[i]
    return transpose(op, x, order)


def moveaxis(op: Any, x: Any, source: Any, destination: Any) -> Any:
    rank = len(sizes_of(x))
    sources, targets = normalize_axes(source, rank), normalize_axes(destination, rank)
    order = [i for i in range(rank) if i not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return transpose(op, x, order)


def expand_dims(op: Any, x: Any, axis: Any) -> Any:
    x = to_tensor(x)
    indices, values, shape = get_parts(x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    rank = len(shape) + len(axes)
    added = {normalize_axis(a, rank, "ops.expand_dims") for a in axes}
    old, sizes = iter(columns_of(indices)), iter(shape)
    zeros = OPS["cast"](OPS["zeros_like"](values), current().dtype_name(indices))
    columns = [zeros if i in added else next(old) for i in range(rank)]
    new_shape = [1 if i in added else next(sizes) for i in range(rank)]
    return make(join(columns, indices), values, new_shape, is_unique=True)


def squeeze(op: Any, x: Any, axis: Any = None) -> Any:
    x = to_tensor(x)
    indices, values, shape = get_parts(x)
    rank = len(shape)
    if axis is None:
        removed = {i for i, n in enumerate(shape) if isinstance(n, int) and n == 1}
    else:
        removed = set(normalize_axes(axis, rank, "ops.squeeze"))
        static = tuple(n if isinstance(n, int) else None for n in shape)
        OPS["squeeze"].op.infer((KerasTensor(static), axis), {})  # raises for other sizes
    columns = [c for i, c in enumerate(columns_of(indices)) if i not in removed]
    sizes = [n for i, n in enumerate(shape) if i not in removed]
    return make(join(columns, indices), values, sizes, is_unique=True)


def concatenate(op: Any, xs: Sequence[Any], axis: int = 0) -> Any:
    if not all(map(is_sparse, xs)):  # a dense part is as large as the others are
        return op([to_dense(x) for x in xs], axis)
    xs = [to_tensor(x) for x in xs]
    parts = [get_parts(x) for x in xs]
    shape = list(parts[0][2])
    OPS["concatenate"].op.infer(([to_spec(x) for x in xs], axis), {})  # raises its errors
    axis = normalize_axis(axis, len(shape), "ops.concatenate")
    offset: Any = 0
    joined = []
    for indices, _, sizes in parts:
        columns = columns_of(indices)
        columns[axis] = columns[axis] + _as_offset(offset, indices)
        joined.append(join(columns, indices))
        offset = offset + sizes[axis]
    shape[axis] = offset
    values = OPS["concatenate"]([v for _, v, _ in parts])
    return make(OPS["concatenate"](joined), values, shape)


def _as_offset(size: Any, like: Any) -> Any:
    return size if isinstance(size, int) else OPS["cast"](size, current().dtype_name(like))


def are_all_sparse(xs: Sequence[Any], axis: int = 0) -> bool:
    return all(map(is_sparse, xs))


def _is_basic_key(x: Any, key: Any) -> bool:
    """Whether a key consists of integers, slices with positive steps, None and an ellipsis."""
    return all(
        item is None
        or item is Ellipsis
        or (isinstance(item, int) and not isinstance(item, bool))
        or (isinstance(item, slice) and _is_forward(item))
        for item in (key if isinstance(key, tuple) else (key,))
    )


def _is_forward(key: slice) -> bool:
    plain = all(n is None or isinstance(n, int) for n in (key.start, key.stop, key.step))
    return plain and (key.step is None or key.step > 0)


def getitem(op: Any, x: Any, key: Any) -> Any:
    """Keeps the entries at the integers and in the slices of a key."""
    if not _is_basic_key(x, key):
        warn_made_dense("ops.getitem")
        return op(to_dense(x), key)
    x = to_tensor(x)
    indices, values, shape = get_parts(x)
    OPS["getitem"].op.infer((to_spec(x), key), {})  # raises its errors
    items = list(key) if isinstance(key, tuple) else [key]
    free = len(shape) - sum(item is not None and item is not Ellipsis for item in items)
    if Ellipsis not in items:
        items.append(Ellipsis)
    at = items.index(Ellipsis)
    items[at : at + 1] = [slice(None)] * free
    old, sizes = iter(columns_of(indices)), iter(shape)
    columns, new_shape, conditions = [], [], []
    zeros = OPS["cast"](OPS["zeros_like"](values), current().dtype_name(indices))
    for item in items:
        if item is None:
            columns.append(zeros)
            new_shape.append(1)
            continue
        column, size = next(old), next(sizes)
        if isinstance(item, int):
            conditions.append(OPS["equal"](column, item if item >= 0 else size + item))
        elif item == slice(None):
            columns.append(column)
            new_shape.append(size)
        else:
            start, stop, step = _bounds(item, size)
            conditions += [OPS["greater_equal"](column, start), OPS["less"](column, stop)]
            if step > 1:
                conditions.append(OPS["equal"]((column - start) % step, 0))
            columns.append((column - start) // step)
            new_shape.append(_length(start, stop, step))
    return keep_entries(columns, values, new_shape, conditions, indices)


def _bounds(key: slice, size: Any) -> tuple[Any, Any, int]:
    if isinstance(size, int):
        return key.indices(size)
    start, stop = key.start or 0, size if key.stop is None else key.stop
    start = start if start >= 0 else OPS["maximum"](size + start, 0)
    if isinstance(stop, int):
        stop = OPS["minimum"](stop, size) if stop >= 0 else size + stop
    return start, stop, key.step or 1


def _length(start: Any, stop: Any, step: int) -> Any:
    if isinstance(start, int) and isinstance(stop, int):
        return max(-(-(stop - start) // step), 0)
    return OPS["maximum"]((stop - start + step - 1) // step, 0)


def keep_entries(
    columns: list[Any], values: Any, shape: list[Any], conditions: list[Any], indices: Any
) -> Any:
    """Returns the entries for which all conditions hold; the others become 0 at index 0."""
    if any(isinstance(n, int) and n == 0 for n in shape):
        return make(join(columns, indices)[:0], values[:0], shape, is_unique=True)
    if not conditions:
        return make(join(columns, indices), values, shape, is_unique=True)
    kept = conditions[0]
    for condition in conditions[1:]:
        kept = OPS["logical_and"](kept, condition)
    columns = [OPS["where"](kept, c, OPS["zeros_like"](c)) for c in columns]
    values = OPS["where"](kept, values, OPS["zeros_like"](values))
    if not shape:  # a scalar is dense
        return OPS["sum"](values)
    return make(join(columns, indices), values, shape)


def is_sparse_item(x: Any, key: Any) -> bool:
    if not _is_basic_key(x, key):
        return False
    items = key if isinstance(key, tuple) else (key,)
    return sum(isinstance(i, int) for i in items) < len(sizes_of(x)) + items.count(None)
