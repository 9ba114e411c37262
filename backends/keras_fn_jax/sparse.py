"""Sparse tensors: `BCOO` of `jax.experimental.sparse`, which is imported when one is first made.

As in JAX, entries may be padding: their indices are out of bounds and their values 0.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp
from jax.core import Tracer

from keras_fn.errors import SpecError

_LARGEST_INDEX = np.iinfo("int32").max
_FEWEST_ENTRIES = 8


def make_sparse(indices: Any, values: Any, shape: tuple[int, ...], is_unique: bool = False) -> Any:
    """Returns a BCOO array. Duplicates are added later, where an op needs it."""
    from jax.experimental.sparse import BCOO

    return BCOO((values, indices), shape=tuple(map(int, shape)), unique_indices=is_unique)


def sparse_from_numpy(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> Any:
    """Copies unique entries to the device, padded to a power of 2."""
    if max(shape, default=0) > _LARGEST_INDEX:
        raise SpecError(
            "A sparse tensor",
            expected=f"axes of at most {_LARGEST_INDEX}, as JAX's indices have 32 bits",
            received=f"shape {tuple(shape)}",
            fix="use fewer rows or columns",
        )
    padded = _pad_indices(indices, shape)
    data = np.zeros(len(padded), values.dtype)
    data[: len(values)] = values
    return make_sparse(jax.device_put(padded), jax.device_put(data), shape, is_unique=True)


def sparse_parts(x: Any) -> tuple[Any, Any]:
    """Returns the indices, of shape (entries, axes), and the values; each index occurs once."""
    x = _unique(x)
    return x.indices, x.data


def map_values(function: Callable[[Any], Any], x: Any) -> Any:
    """Applies an elementwise function that is 0 at 0 to the values."""
    x = _unique(x)
    return make_sparse(x.indices, function(x.data), x.shape, is_unique=x.unique_indices)


def _unique(x: Any) -> Any:
    """Returns a BCOO array of scalars without duplicates: their values are added."""
    from jax.experimental import sparse

    if not isinstance(x, sparse.BCOO):
        x = x.to_bcoo() if hasattr(x, "to_bcoo") else sparse.BCOO.fromdense(x.todense())
    if x.n_batch or x.n_dense:
        x = sparse.bcoo_update_layout(x, n_batch=0, n_dense=0)
    if x.unique_indices:
        return x
    if x.dtype == bool:
        count = _unique(make_sparse(x.indices, x.data.astype("int32"), x.shape))
        return make_sparse(count.indices, count.data > 0, x.shape, is_unique=True)
    if isinstance(x.indices, Tracer):
        result = sparse.bcoo_sum_duplicates(x, nse=x.nse)
        return make_sparse(result.indices, result.data, x.shape, is_unique=True)
    return _sum_duplicates_on_host(x)


def _sum_duplicates_on_host(x: Any) -> Any:
    """Finds equal indices with NumPy: JAX would compile for each number of them."""
    indices = np.asarray(x.indices, np.int64)
    is_entry = np.all(indices < np.asarray(x.shape), axis=1)
    position = np.full(len(indices), np.iinfo(np.int64).max)
    position[is_entry] = indices[is_entry] @ _strides(x.shape)
    found, entry = np.unique(position, return_inverse=True)
    count = len(found) - (not np.all(is_entry))
    first = np.zeros(len(found), np.int64)
    first[entry] = np.arange(len(indices))
    padded = _pad_indices(indices[first[:count]], x.shape)
    data = jax.ops.segment_sum(x.data, entry.reshape(-1), len(padded))
    return make_sparse(jax.device_put(padded), data, x.shape, is_unique=True)


def _strides(shape: tuple[int, ...]) -> np.ndarray:
    return np.cumprod([1, *shape[:0:-1]], dtype=np.int64)[::-1][: len(shape)]


def _pad_indices(indices: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Appends indices out of bounds, up to a power of 2: a new size compiles again."""
    size = _FEWEST_ENTRIES
    while size < len(indices):
        size *= 2
    padded = np.full((size, len(shape)), shape, np.int32)
    padded[: len(indices)] = indices
    return padded


def to_dense(x: Any) -> jax.Array:
    """`BCOO.todense`."""
    if x.dtype == bool:
        return map_values(lambda v: v.astype("int32"), x).todense() > 0
    return x.todense()


def sparse_matmul(x: Any, y: jax.Array) -> jax.Array:
    """Product of a sparse and a dense matrix."""
    return x @ y


def sparse_sparse_matmul(x: Any, y: Any) -> Any:
    """Product of two sparse matrices."""
    return x @ y


def cast_sparse(x: Any, dtype: Any) -> Any:
    """Casts the values to a native dtype."""
    return x if x.dtype == dtype else map_values(lambda v: jnp.asarray(v).astype(dtype), x)
