"""Reductions of sparse tensors."""

from __future__ import annotations

from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operators import OPS
from keras_fn.core.sparse import get_sparse_backend, is_sparse
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops._sparse.entries import (
    columns_of,
    count_elements,
    get_parts,
    join,
    make,
    ravel_positions,
    sizes_of,
    to_tensor,
)


def _reduced(x: Any, axis: Any, keepdims: bool) -> tuple[Any, Any, list[Any], Any]:
    """Returns the indices and values of the entries without the reduced axes, the shape of the
    result, and the number of elements that are reduced to one."""
    indices, values, shape = get_parts(x)
    axes = normalize_axes(axis, len(shape))
    columns = columns_of(indices)
    if keepdims:
        kept = [OPS["zeros_like"](c) if i in axes else c for i, c in enumerate(columns)]
        sizes = [1 if i in axes else n for i, n in enumerate(shape)]
    else:
        kept = [c for i, c in enumerate(columns) if i not in axes]
        sizes = [n for i, n in enumerate(shape) if i not in axes]
    return join(kept, indices), values, sizes, count_elements([shape[i] for i in axes])


def _result_dtype(op: Any, x: Any, **kwargs: Any) -> str:
    spec = KerasTensor(_shape_of_rank(len(sizes_of(x))), current().dtype_name(x))
    return op.op.infer((spec,), kwargs).dtype


def _shape_of_rank(rank: int) -> tuple[None, ...]:
    return (None,) * rank


def keeps_an_axis(x: Any, axis: Any = None, keepdims: bool = False) -> bool:
    """Whether the result of a reduction has an axis: a scalar is dense."""
    rank = len(sizes_of(x))
    return keepdims or len(set(normalize_axes(axis, rank))) < rank


def sum_(op: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = to_tensor(x)
    dtype = _result_dtype(op, x)
    if not keeps_an_axis(x, axis, keepdims):
        return OPS["cast"](OPS["sum"](get_parts(x)[1]), dtype)
    indices, values, sizes, _ = _reduced(x, axis, keepdims)
    return make(indices, OPS["cast"](values, dtype), sizes)


def mean(op: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = to_tensor(x)
    dtype = _result_dtype(op, x)
    wide = "float32" if dtype in ("float16", "bfloat16") else dtype
    axes = normalize_axes(axis, len(sizes_of(x)))
    count = count_elements([sizes_of(x)[i] for i in axes])
    total = sum_(OPS["sum"], OPS["cast"](x, wide), axis, keepdims)
    count = float(count) if isinstance(count, int) else OPS["cast"](count, wide)
    if not is_sparse(total):
        return OPS["cast"](OPS["divide"](total, count), dtype)
    average = get_sparse_backend().map_values(lambda v: OPS["divide"](v, count), total)
    return OPS["cast"](average, dtype)


def _segment_reduce(name: str, values: Any, indices: Any, sizes: list[Any]) -> Any:
    """Reduces the entries with the same index; the result is dense."""
    count = count_elements(sizes)
    position = ravel_positions(columns_of(indices), sizes, indices) if sizes else None
    if position is None:
        position = OPS["cast"](OPS["zeros_like"](values), current().dtype_name(indices))
    return OPS["reshape"](OPS[name](values, position, count), tuple(sizes))


def extremum(op: Any, x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Maximum or minimum: also of the zeros between the entries, if there are any."""
    x = to_tensor(x)
    indices, values, sizes, reduced = _reduced(x, axis, keepdims)
    ones = OPS["ones_like"](values, dtype="int32")
    stored = _segment_reduce("segment_sum", ones, indices, sizes)
    extremum = _segment_reduce(f"segment_{op.__name__}", values, indices, sizes)
    bound = OPS["maximum" if op.__name__ == "max" else "minimum"]
    result = OPS["where"](OPS["less"](stored, reduced), bound(extremum, 0), extremum)
    result = OPS["cast"](result, current().dtype_name(values))
    return result if initial is None else bound(result, initial)


def _count(x: Any, axis: Any, keepdims: bool) -> tuple[Any, Any]:
    """Returns the number of values that are not 0, and the number of elements."""
    x = to_tensor(x)
    indices, values, sizes, reduced = _reduced(x, axis, keepdims)
    ones = OPS["cast"](OPS["not_equal"](values, 0), "int32")
    return _segment_reduce("segment_sum", ones, indices, sizes), reduced


def count_nonzero(op: Any, x: Any, axis: Any = None) -> Any:
    return _count(x, axis, False)[0]


def any_(op: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return OPS["greater"](_count(x, axis, keepdims)[0], 0)


def all_(op: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return OPS["equal"](*_count(x, axis, keepdims))
