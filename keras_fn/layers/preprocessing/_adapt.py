"""Batches of the data that `adapt` is given: arrays, or anything that yields batches."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.host_arrays import to_host_array
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.ragged import is_ragged
from keras_fn.core.sparse import is_sparse, to_dense
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError

_SCALARS = (str, bytes, bool, int, float, complex)


def iterate_batches(
    data: Any, source: str, batch_size: int | None = None, steps: int | None = None
) -> Iterator[Any]:
    """Yields the batches of inputs that `adapt` is to see, as the source holds them.

    Args:
        data: An array or a tensor of any framework, a table, or a list of numbers or text: the
            whole data set. Or what yields batches: a list or tuple of arrays, a tf.data dataset, a
            torch DataLoader, a Grain data set, a `PyDataset`, a generator. Of a batch `(x, y)` or
            `(x, y, sample_weight)` only `x` is used.
        source: The layer, for errors.
        batch_size: The number of samples in a batch of a whole data set: all of them by default.
        steps: The maximum number of batches, which data that never ends needs.

    Returns:
        Arrays, tensors of any framework, tables, or lists.

    Raises:
        SpecError: There is no batch, or the inputs are several tensors.
        DTypeError: It is neither an array nor something that yields batches.
    """
    for argument, value in (("batch_size", batch_size), ("steps", steps)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise SpecError(
                f"{source}, adapt",
                expected=f"{argument} as a positive integer, or None",
                received=f"{argument}={value!r}",
                fix=f"for example {argument}=32",
            )
    count = 0
    for batch in islice(_all_batches(data, source, batch_size), steps):
        yield batch
        count += 1
    if count == 0:
        raise SpecError(
            f"{source}, adapt",
            expected="at least one batch",
            received="data that yields none",
            fix="pass data that is not empty; a generator that has ended cannot be read again",
        )


def to_numbers(batch: Any, source: str) -> np.ndarray:
    """Returns a batch as a NumPy array of numbers.

    Args:
        batch: A batch, as `iterate_batches` yields it.
        source: The layer, for errors.

    Raises:
        DTypeError: It holds text or other objects.
        SpecError: It is ragged.
    """
    if isinstance(batch, Variable):
        batch = batch.value
    if is_ragged(batch):
        raise SpecError(
            f"{source}, adapt",
            expected="samples of one shape",
            received="a ragged tensor",
            fix="pass its values: data.map(lambda x: x.flat_values)",
        )
    if type(batch) is not np.ndarray and is_sparse(batch):
        batch = batch.toarray() if hasattr(batch, "toarray") else to_dense(batch)
    if current().is_tensor(batch):
        array = current().convert_to_numpy(batch)
    else:
        array = to_host_array(batch, "data", f"{source}, adapt")
    if array.dtype.kind not in "biufV":  # V: half precision that NumPy does not know
        raise DTypeError(
            f"{source}, adapt",
            expected="data that are real numbers",
            received=f"{str(batch)[:80]} of dtype {array.dtype}",
            fix="encode text and categories as numbers first, for example with StringLookup",
        )
    return array.astype("float32") if array.dtype.kind == "V" else array


def _all_batches(data: Any, source: str, batch_size: int | None) -> Iterator[Any]:
    if isinstance(data, (KerasTensor, dict)) or data is None:
        raise _unsupported(data, source)
    is_list = isinstance(data, (list, tuple)) and not _holds_arrays(data)
    if is_list or _is_array(data) or isinstance(data, _SCALARS):
        yield from _split(data, batch_size)
    elif hasattr(data, "__iter__") or hasattr(data, "__next__"):
        for batch in data:
            yield _inputs_of(batch, source)
    else:
        raise _unsupported(data, source)


def _split(data: Any, batch_size: int | None) -> Iterator[Any]:
    """Yields a whole data set in batches; one that cannot be split, or an empty one, at once."""
    rows: Any = data.iloc if hasattr(data, "iloc") else data
    if isinstance(data, (list, tuple)):
        size = len(data)
    else:
        shape = tuple(getattr(data, "shape", ()))
        size = shape[0] if shape else 1
    if size == 0:
        return
    if batch_size is None or size is None or size <= batch_size:
        yield data
        return
    for start in range(0, size, batch_size):
        yield rows[start : start + batch_size]


def _inputs_of(batch: Any, source: str) -> Any:
    """Returns the inputs of a batch; loaders yield `(x, y)` as a list, too."""
    if isinstance(batch, (list, tuple)) and not all(isinstance(x, _SCALARS) for x in batch):
        is_packed = isinstance(batch, tuple) or _holds_arrays(batch)
        batch = batch[0] if is_packed else batch
    if isinstance(batch, dict) or batch is None:
        raise _unsupported(batch, source)
    return batch


def _is_array(x: Any) -> bool:
    return (
        isinstance(x, Variable)
        or hasattr(x, "__array__")
        or hasattr(x, "dtype")
        or hasattr(x, "iloc")
        or current().is_tensor(x)
        or is_sparse(x)
    )


def _holds_arrays(xs: Any) -> bool:
    """Returns whether there are arrays of at least one axis among the elements, or in tuples."""
    return any(
        hasattr(x, "iloc")
        or (_is_array(x) and len(x.shape) > 0)
        or (isinstance(x, tuple) and _holds_arrays(x))
        for x in xs
    )


def _unsupported(data: Any, source: str) -> SpecError:
    if isinstance(data, dict):
        names = ", ".join(map(repr, data))
        return SpecError(
            f"{source}, adapt",
            expected="the values of one feature",
            received=f"a dict of {names}"[:200],
            fix="pass one of its arrays; of a data set, data.map(lambda x: x[name])",
        )
    return DTypeError(
        f"{source}, adapt",
        expected="an array, a tensor, or something that yields batches of them",
        received="None" if data is None else f"an object of type {type(data).__name__}",
        fix="pass an array, a list, a tf.data dataset, a DataLoader or a generator of batches",
    )
