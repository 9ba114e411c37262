"""Converts NumPy arrays, pandas tables, nested lists and tensors of any framework to arrays."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import SupportsToDevice
from keras_fn.backend.loader import current, supports
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.host_arrays import not_stackable, to_host_array
from keras_fn.core.sparse import is_sparse
from keras_fn.data_adapters.host_rows import HostRows
from keras_fn.data_adapters.sparse_rows import SparseRows
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import settings


def convert_to_array(x: Any, name: str, source: str, float64: str | None = None) -> Any:
    """Converts data to a host array, or leaves it a tensor of the backend.

    Args:
        x: An array, a DataFrame or a Series, nested lists, or a tensor. Tensors of other
            frameworks are copied to the host.
        name: The argument, for errors.
        source: The model, for errors.
        float64: What NumPy's default dtype becomes; `config.floatx()` by default.

    Returns:
        A NumPy array, or a tensor on the current device.

    Raises:
        DTypeError: Text, categories, dates or Python objects.
        SpecError: A scalar, or ragged lists.
    """
    is_array = type(x) is np.ndarray
    if not is_array and isinstance(x, HostRows):
        return _standardize_dtype(x, float64)
    if not is_array and is_sparse(x):
        array = _standardize_dtype(SparseRows.of(x), float64)
    elif not is_array and current().is_tensor(x):
        array = _move_to_device(x)
    else:
        array = x if is_array else to_host_array(x, name, source)
        if array.dtype.kind not in "biufcV":
            raise DTypeError(
                source,
                expected=f"{name} that are numbers",
                received=_describe(x, array),
                fix=_suggest_fix(array),
            )
        array = _standardize_dtype(array, float64)
    if len(array.shape) == 0:
        raise not_stackable(source, name, "a single number")
    return array


def _standardize_dtype(array: Any, float64: str | None) -> Any:
    """Casts NumPy's default dtype."""
    if array.dtype != np.float64:
        return array
    return array.astype(numpy_dtype(float64 or settings.floatx))


def check_sample_counts(named: Sequence[tuple[str, Any]], source: str) -> int:
    """Checks that arrays have the same number of samples.

    Args:
        named: Each array with its name for errors; None instead of an array is skipped.
        source: The model, for errors.

    Returns:
        The number of samples.

    Raises:
        SpecError: The arrays differ in it, or are empty.
    """
    counts = {name: array.shape[0] for name, array in named if array is not None}
    if len(set(counts.values())) > 1:
        raise SpecError(
            source,
            expected="arrays with the same number of samples",
            received=", ".join(f"{name}: {n}" for name, n in counts.items()),
            fix="cut or complete the shorter ones",
        )
    size = next(iter(counts.values()))
    if size == 0:
        raise SpecError(
            source,
            expected="at least one sample",
            received="empty arrays",
            fix="check where they come from",
        )
    return size


def _move_to_device(x: Any) -> Any:
    """Moves a tensor to the current device where the backend does not do so by itself."""
    backend = current()
    if not supports("to_device"):
        return x
    return cast(SupportsToDevice, backend).to_device(x)


def _describe(x: Any, array: np.ndarray) -> str:
    if array.dtype.kind == "O" and array.shape == ():
        return f"a {type(x).__name__}"
    names = {"O": "Python objects", "U": "text", "S": "bytes", "M": "dates", "m": "times"}
    return f"an array of {names.get(array.dtype.kind, array.dtype)}"


def _suggest_fix(array: np.ndarray) -> str:
    if array.dtype.kind == "O" and array.shape == ():
        return "pass an array; convert sparse or ragged data to dense first, for example .toarray()"
    return "encode text and categories as numbers, for example with a vocabulary"
