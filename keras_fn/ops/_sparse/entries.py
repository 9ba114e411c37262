"""Entries of sparse tensors: their indices and values, as dense tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operators import OPS
from keras_fn.core.sparse import get_sparse_backend
from keras_fn.core.variable import Variable

NUMBERS = (bool, int, float)
Parts = tuple[Any, Any, tuple[Any, ...]]
"""Indices of shape (entries, axes), values of shape (entries,), and the sizes of the axes."""


def get_parts(x: Any) -> Parts:
    backend = get_sparse_backend()
    return *backend.sparse_parts(x), current().shape(x)


def make(indices: Any, values: Any, shape: Sequence[Any], is_unique: bool = False) -> Any:
    return get_sparse_backend().make_sparse(indices, values, tuple(shape), is_unique)


def columns_of(indices: Any) -> list[Any]:
    """Returns the indices along each axis."""
    return [OPS["getitem"](indices, (slice(None), i)) for i in range(indices.shape[1])]


def join(columns: Sequence[Any], like: Any) -> Any:
    """Returns columns of indices as one tensor; without columns, one of the length of `like`."""
    if not columns:
        return OPS["getitem"](like, (slice(None), slice(0, 0)))
    return OPS["stack"](list(columns), axis=1)


def ravel_positions(columns: Sequence[Any], shape: Sequence[Any], like: Any) -> Any:
    """Returns the position of each entry in a dense tensor of that shape, flattened."""
    position = OPS["zeros_like"](OPS["getitem"](like, (slice(None), 0))) if not columns else None
    for column, size in zip(columns, shape, strict=True):
        position = column if position is None else position * as_divisor(size, column) + column
    return position


def unravel_positions(position: Any, shape: Sequence[Any]) -> list[Any]:
    columns: list[Any] = []
    for size in list(shape)[:0:-1]:
        size = as_divisor(size, position)
        columns.insert(0, position % size)
        position = position // size
    return [position, *columns] if shape else []


def as_divisor(size: Any, like: Any) -> Any:
    """Returns a size as an operand for indices: the same dtype, and not 0, for divisions."""
    if isinstance(size, int):
        return max(size, 1)
    return OPS["maximum"](OPS["cast"](size, current().dtype_name(like)), 1)


def count_elements(sizes: Sequence[Any]) -> Any:
    return math.prod(sizes)


def sizes_of(x: Any) -> tuple[Any, ...]:
    """Returns the sizes of any operand; None where a symbolic one does not know them."""
    if isinstance(x, (KerasTensor, Variable)):
        return tuple(x.shape)
    return current().shape(x) if current().is_tensor(x) else tuple(getattr(x, "shape", ()))


def to_tensor(x: Any) -> Any:
    """Returns an operand as a tensor, sparse or dense; a matrix of SciPy becomes one."""
    if isinstance(x, NUMBERS):
        return x
    return x.value if isinstance(x, Variable) else current().convert_to_tensor(x)


def broadcast_sizes(*shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    return tuple(
        next((n for n in sizes if not (isinstance(n, int) and n == 1)), 1)
        for sizes in zip(*padded, strict=True)
    )


def arange(size: Any, like: Any) -> Any:
    """Returns the indices below `size`, of the dtype of other indices."""
    return current().ops.arange(0, size, 1, current().dtype_name(like))


def broadcast(x: Any, shape: Sequence[Any]) -> Any:
    """Broadcasts a sparse tensor: the entries are repeated along axes of size 1."""
    indices, values, own = get_parts(x)
    missing = len(shape) - len(own)
    zeros = OPS["cast"](OPS["zeros_like"](values), current().dtype_name(indices))
    columns = [zeros] * missing + columns_of(indices)
    for axis, (size, old) in enumerate(zip(shape, (1,) * missing + tuple(own), strict=True)):
        if not (isinstance(old, int) and old == 1) or (isinstance(size, int) and size == 1):
            continue
        numbers = arange(sizes_of(values)[0] * size, indices)
        entry = numbers // as_divisor(size, numbers)
        columns = [OPS["take"](c, entry, axis=0) for c in columns]
        columns[axis] = numbers % as_divisor(size, numbers)
        values = OPS["take"](values, entry, axis=0)
    return make(join(columns, indices), values, shape)


def to_spec(x: Any) -> KerasTensor:
    """Returns the shape and dtype of a tensor, with None for sizes that a trace does not know."""
    sizes = tuple(n if isinstance(n, int) else None for n in sizes_of(x))
    return KerasTensor(sizes, current().dtype_name(x), record_history=False)
