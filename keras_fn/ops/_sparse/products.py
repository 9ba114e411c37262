"""Products of sparse tensors with dense and sparse ones."""

from __future__ import annotations

from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operators import OPS
from keras_fn.core.sparse import get_sparse_backend, is_sparse
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops._sparse.elementwise import are_both_sparse
from keras_fn.ops._sparse.entries import (
    as_divisor,
    broadcast,
    broadcast_sizes,
    columns_of,
    count_elements,
    get_parts,
    join,
    make,
    ravel_positions,
    sizes_of,
    to_tensor,
)


def matmul(op: Any, x1: Any, x2: Any) -> Any:
    x1, x2 = to_tensor(x1), to_tensor(x2)
    specs = [KerasTensor((1, 1), current().dtype_name(x), record_history=False) for x in (x1, x2)]
    dtype = OPS["matmul"].op.infer(tuple(specs), {}).dtype
    if dtype == "bool":
        counts = matmul(op, *[OPS["cast"](x, "int32") for x in (x1, x2)])
        return OPS["not_equal"](counts, 0)
    x1, x2 = OPS["cast"](x1, dtype), OPS["cast"](x2, dtype)
    if not are_both_sparse(x1, x2) and is_sparse(x2):
        return _product_from_right(x1, x2)
    shape1, shape2 = sizes_of(x1), sizes_of(x2)
    if len(shape1) == 1:
        product = matmul(op, OPS["expand_dims"](x1, 0), x2)
        return OPS["squeeze"](product, -2 if len(shape2) > 1 else 0)
    if len(shape2) == 1:
        return OPS["squeeze"](matmul(op, x1, OPS["expand_dims"](x2, 1)), -1)
    if len(shape1) == 2 and len(shape2) == 2:
        backend = get_sparse_backend()
        product = backend.sparse_sparse_matmul if is_sparse(x2) else backend.sparse_matmul
        return product(x1, x2)
    if len(shape2) == 2:
        rows = OPS["reshape"](x1, (count_elements(shape1[:-1]), shape1[-1]))
        return OPS["reshape"](matmul(op, rows, x2), (*shape1[:-1], shape2[-1]))
    return _batched_product(op, x1, x2)


def _batched_product(op: Any, x1: Any, x2: Any) -> Any:
    """One product of a block-diagonal matrix: each matrix of a batch is one of its blocks."""
    shape1, shape2 = sizes_of(x1), sizes_of(x2)
    batch = broadcast_sizes(shape1[:-2], shape2[:-2])
    if not is_sparse(x1):
        raise AssertionError("the first factor is sparse")
    x1 = broadcast(x1, (*batch, *shape1[-2:]))
    if is_sparse(x2):
        x2 = broadcast(x2, (*batch, *shape2[-2:]))
    else:
        x2 = OPS["broadcast_to"](x2, (*batch, *shape2[-2:]))
    (rows, inner), columns = shape1[-2:], shape2[-1]
    count = count_elements(batch)
    indices, values, _ = get_parts(x1)
    *leading, row, column = columns_of(indices)
    block = ravel_positions(leading, batch, indices)
    blocks = join(
        [block * as_divisor(rows, row) + row, block * as_divisor(inner, row) + column], indices
    )
    diagonal = make(blocks, values, (count * rows, count * inner), is_unique=True)
    product = matmul(op, diagonal, OPS["reshape"](x2, (count * inner, columns)))
    return OPS["reshape"](product, (*batch, rows, columns))


def _product_from_right(x1: Any, x2: Any) -> Any:
    """Dense times sparse: the transpose of the product of the transposes."""
    rank1, rank2 = len(sizes_of(x1)), len(sizes_of(x2))
    if rank1 == 1:
        product = _product_from_right(OPS["expand_dims"](x1, 0), x2)
        return OPS["squeeze"](product, -2 if rank2 > 1 else 0)
    if rank2 == 1:
        return OPS["squeeze"](_product_from_right(x1, OPS["expand_dims"](x2, 1)), -1)
    x1, x2 = OPS["swapaxes"](x1, -1, -2), OPS["swapaxes"](x2, -1, -2)
    if rank2 == 2 and rank1 > 2:  # one sparse matrix for all
        x2 = OPS["reshape"](x2, (*(1,) * (rank1 - 2), *sizes_of(x2)))
    return OPS["swapaxes"](matmul(OPS["matmul"], x2, x1), -1, -2)


def dense(op: Any, x: Any, kernel: Any, bias: Any = None) -> Any:
    product = OPS["matmul"](x, kernel)
    return product if bias is None else OPS["add"](product, bias)


def dot(op: Any, x1: Any, x2: Any) -> Any:
    rank1, rank2 = len(sizes_of(x1)), len(sizes_of(x2))
    if not rank1 or not rank2:
        return OPS["multiply"](x1, x2)
    return tensordot(op, x1, x2, ((rank1 - 1,), (max(rank2 - 2, 0),)))


def is_sparse_dot(x1: Any, x2: Any) -> bool:
    if not sizes_of(x1) or not sizes_of(x2):
        return True
    return is_sparse_contraction(x1, x2, ((-1,), (max(len(sizes_of(x2)) - 2, 0),)))


def is_sparse_contraction(x1: Any, x2: Any, axes: Any = 2) -> bool:
    return are_both_sparse(x1, x2)


def tensordot(op: Any, x1: Any, x2: Any, axes: Any = 2) -> Any:
    """A contraction as one product of matrices."""
    x1, x2 = to_tensor(x1), to_tensor(x2)
    shape1, shape2 = sizes_of(x1), sizes_of(x2)
    if isinstance(axes, int):
        axes = tuple(range(len(shape1) - axes, len(shape1))), tuple(range(axes))
    left, right = (normalize_axes(a, len(s)) for a, s in zip(axes, (shape1, shape2), strict=True))
    rows = [i for i in range(len(shape1)) if i not in left]
    columns = [i for i in range(len(shape2)) if i not in right]
    kept1, kept2 = [shape1[i] for i in rows], [shape2[i] for i in columns]
    inner = count_elements([shape1[i] for i in left])
    x1 = OPS["reshape"](OPS["transpose"](x1, (*rows, *left)), (count_elements(kept1), inner))
    x2 = OPS["transpose"](x2, (*right, *columns))
    x2 = OPS["reshape"](x2, (inner, count_elements(kept2)))
    return OPS["reshape"](matmul(op, x1, x2), (*kept1, *kept2))
