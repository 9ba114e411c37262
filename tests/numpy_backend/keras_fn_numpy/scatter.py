"""Scatter: a copy of a tensor with updates at indices."""

from typing import Any

import numpy as np

from keras_fn_numpy.tensors import cast, convert_to_tensor


@np.errstate(all="ignore")
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """Scatters to a copy; rows out of range are dropped."""
    indices = np.asarray(indices)
    if indices.dtype == bool:
        raise IndexError("indices are integers")
    indices = indices.astype("int64")
    y, rows = np.array(inputs), indices.reshape(-1, indices.shape[-1])
    depth = rows.shape[1]
    inside = ((rows >= [-n for n in y.shape[:depth]]) & (rows < y.shape[:depth])).all(-1)
    updates = np.broadcast_to(cast(updates, y.dtype), (*indices.shape[:-1], *y.shape[depth:]))
    updates = np.asarray(updates).reshape(len(rows), *y.shape[depth:])[inside]
    targets = tuple(rows[inside].T)
    if reduction is None:
        y[targets] = updates
    else:
        combine = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
        combine[reduction].at(y, targets, updates)
    return convert_to_tensor(y)
