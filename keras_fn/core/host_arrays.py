"""Arrays, tables and tensors of any library, as NumPy arrays on the host."""

from typing import Any

import numpy as np

from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import settings


def to_host_array(x: Any, name: str, source: str) -> np.ndarray:
    """Returns an array, a table, nested lists, or a tensor of any framework as a NumPy array.

    Args:
        x: The data.
        name: The argument, for errors.
        source: The caller, for errors.

    Raises:
        DTypeError: A table has columns that are not numbers.
        SpecError: Lists of different lengths.
    """
    if hasattr(x, "iloc"):
        return _from_pandas(x, name, source)
    if hasattr(x, "detach"):
        return _from_torch(x)
    try:
        return np.asarray(x)
    except ValueError as error:
        raise not_stackable(source, name, f"lists of different lengths ({error})") from None


def _from_torch(x: Any) -> np.ndarray:
    """Converts a PyTorch tensor that is data for another backend."""
    x = x.detach().cpu()
    try:
        return np.asarray(x)
    except TypeError:  # NumPy has no bfloat16
        return np.asarray(x.float())


def _from_pandas(x: Any, name: str, source: str) -> np.ndarray:
    """Converts a DataFrame to shape (rows, columns), a Series to shape (rows,)."""
    frame = x if hasattr(x, "columns") else x.to_frame(x.name or "of the Series")
    refused = {
        str(column): str(dtype)
        for column, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if dtype.kind not in "biufc"
    }
    if refused:
        columns = ", ".join(f"{column!r} ({dtype})" for column, dtype in refused.items())
        raise DTypeError(
            source,
            expected=f"{name} whose columns are numbers",
            received=f"the columns {columns}",
            fix="encode them as numbers, for example with pandas.get_dummies(frame), or "
            "column.astype('category').cat.codes; drop columns that are not features",
        )
    # Extension dtypes ("Int64", sparse ones) name the NumPy dtype that they extend.
    natives = [getattr(d, "numpy_dtype", getattr(d, "subtype", d)) for d in frame.dtypes]
    dtype = np.result_type(*natives) if natives else np.dtype(settings.floatx)
    if dtype.kind != "c" and frame.isna().to_numpy().any():
        dtype = np.dtype(settings.floatx)
        return x.astype(dtype).to_numpy(dtype, na_value=np.nan)
    return x.to_numpy(dtype)


def not_stackable(source: str, name: str, received: str) -> SpecError:
    """Returns the error for data that is not an array of samples.

    Args:
        source: The caller.
        name: The argument.
        received: What it is.
    """
    return SpecError(
        source,
        expected=f"{name}: arrays whose first axis is the samples",
        received=received,
        fix="stack the samples into one array",
    )
