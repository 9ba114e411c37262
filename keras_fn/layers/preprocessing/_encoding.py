"""Encoding of categories: integer ids as one-hot, multi-hot, count and tf-idf vectors."""

from typing import Any

from keras_fn.core.dtypes import is_int, standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.core.sparse import to_dense
from keras_fn.errors import check_choice
from keras_fn.layers._arguments import argument_error, check_flag
from keras_fn.ops._sparse.encoding import bincount as sparse_bincount
from keras_fn.ops.arithmetic import minimum, multiply, sign
from keras_fn.ops.core import cast, convert_to_tensor, shape as shape_of
from keras_fn.ops.creation import arange, ones, zeros
from keras_fn.ops.encoding import one_hot
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import greater_equal, less, logical_and, where
from keras_fn.ops.manipulation import broadcast_to, expand_dims, reshape, squeeze
from keras_fn.ops.scatter import scatter_update
from keras_fn.types import DTypeLike, Shape, Tensor

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_SUMS = ("float32", "float64", "int32", "int64")  # which hold counts exactly


def check_sparse(layer: Any, sparse: Any) -> bool:
    """Returns whether vectors are sparse, which indices cannot be.

    Args:
        layer: A layer with an `output_mode`.
        sparse: The argument.

    Raises:
        SpecError: It is not a boolean, or True where the output is indices.
    """
    if check_flag(layer, "sparse", sparse) and layer.output_mode == "int":
        raise argument_error(
            layer, "sparse", "False with output_mode='int'", sparse, "set another output_mode"
        )
    return bool(sparse)


def encode_categorical(
    ids: Any,
    output_mode: str,
    depth: int,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    count_weights: Any = None,
    idf_weights: Any = None,
) -> Tensor:
    """Encodes ids of categories.

    Args:
        ids: Integers of shape `(..., n)`, concrete or symbolic. Ids below 0, or of `depth` or more,
            are not encoded.
        output_mode: `"int"`: the ids. `"one_hot"`: a vector for each id, in place of a last axis of
            size 1. For each row along the last axis, `"multi_hot"`: 1 for each id in the row;
            `"count"`: the number of times that each id occurs in it, or the sum of its weights;
            `"tf_idf"`: that number times the id's inverse document frequency.
        depth: The number of categories.
        dtype: The dtype of the result; `floatx()` by default.
        sparse: Whether the result is a sparse tensor.
        count_weights: The weight of each id in `"count"`, of the shape of `ids`.
        idf_weights: The inverse document frequencies, of shape `(depth,)`.

    Returns:
        The ids; `(..., depth)` with a vector for each row; or with a vector for each id
        `(..., n, depth)`, and for n = 1 `(..., depth)` unless `ids` has one axis alone.

    Example:
        >>> from keras_fn.layers.preprocessing._encoding import encode_categorical
        >>> convert_to_numpy(encode_categorical([[0, 2, 2]], "count", depth=3)).tolist()
        [[1.0, 0.0, 2.0]]
    """
    check_choice("encode_categorical", "output_mode", output_mode, OUTPUT_MODES)
    dtype = standardize_dtype(dtype)
    ids = to_dense(convert_to_tensor(ids))
    if output_mode == "int":
        return cast(ids, dtype)
    if context.current.symbolic or isinstance(ids, KerasTensor):
        shape = encoded_shape(tuple(ids.shape), output_mode, depth)
        return KerasTensor(shape, dtype, sparse=sparse, record_history=False)
    if not is_int(standardize_dtype(ids.dtype)):
        ids = cast(ids, "int32")
    if output_mode == "one_hot":
        if len(ids.shape) > 1 and ids.shape[-1] == 1:
            ids = squeeze(ids, -1)
        return one_hot(ids, depth, dtype=dtype, sparse=sparse)
    if len(ids.shape) == 0:
        ids = expand_dims(ids, 0)
        count_weights = None if count_weights is None else reshape(count_weights, (1,))
    sum_dtype = dtype if dtype in _SUMS else "float32"
    counts = (_count_sparse if sparse else _count)(ids, count_weights, depth, sum_dtype)
    if output_mode == "multi_hot":
        counts = minimum(counts, 1) if not sparse else sign(counts)
    if output_mode == "tf_idf":
        counts = multiply(counts, cast(idf_weights, sum_dtype))
    return cast(counts, dtype)


def encoded_shape(shape: Shape, output_mode: str, depth: int | None) -> Shape:
    """Returns the shape that ids of a shape are encoded to.

    Args:
        shape: The shape of the ids.
        output_mode: See `encode_categorical`.
        depth: The number of categories; None if it is unknown.
    """
    if output_mode == "int":
        return tuple(shape)
    if output_mode == "one_hot" and not (len(shape) > 1 and shape[-1] == 1):
        return (*shape, depth)
    return (*shape[:-1], depth)


def _count(ids: Any, weights: Any, depth: int, dtype: str) -> Any:
    """Returns the number of times that each id occurs in a row, or the sum of its weights."""
    *leading, length = shape_of(ids)
    rank = len(leading)
    is_counted = logical_and(greater_equal(ids, 0), less(ids, depth))
    ids = where(is_counted, ids, depth)  # a column that is cut off
    if rank > 1:
        ids = reshape(ids, (-1, length))
    if rank > 0:
        rows = shape_of(ids)[0]
        row = broadcast_to(expand_dims(arange(rows, dtype=ids.dtype), 1), (rows, length))
        indices = stack([row, ids], -1)
        counts = zeros((rows, depth + 1), dtype)
    else:
        indices, counts = expand_dims(ids, -1), zeros((depth + 1,), dtype)
    updates = ones((), dtype)
    if weights is not None:
        weights = cast(weights, dtype)
        updates = reshape(weights, (-1, length)) if rank > 1 else weights
    counts = scatter_update(counts, indices, updates, reduction="add")[..., :depth]
    return reshape(counts, (*leading, depth)) if rank > 1 else counts


def _count_sparse(ids: Any, weights: Any, depth: int, dtype: str) -> Any:
    *leading, length = shape_of(ids)
    ids = where(less(ids, depth), ids, -1)
    weights = ones(shape_of(ids), dtype) if weights is None else cast(weights, dtype)
    if len(leading) > 1:
        ids, weights = reshape(ids, (-1, length)), reshape(weights, (-1, length))
    counts = sparse_bincount(ids, weights, depth, dtype)
    return reshape(counts, (*leading, depth)) if len(leading) > 1 else counts
