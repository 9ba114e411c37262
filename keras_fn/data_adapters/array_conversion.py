"""Arrays out of whatever holds numbers: NumPy, pandas, lists, tensors of any framework."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import settings


def as_array(x: Any, what: str, source: str) -> Any:
    """Returns a host array, or a tensor of the backend on its device.

    Args:
        x: An array, a data frame or a column of one, nested lists, or a tensor. Those of other
            frameworks than the backend's are brought to the host.
        what: How errors name it.
        who: Who refuses it.

    Raises:
        DTypeError: Text, categories, dates or objects.
        SpecError: It is a scalar, or ragged.
    """
    if current().is_tensor(x):
        array = _on_device(x)
    else:
        array = _host_array(x, what, source)
        if array.dtype.kind not in "biufcV":
            raise DTypeError(
                source,
                expected=f"{what} that are numbers",
                received=_kind(x, array),
                fix=_fix(array),
            )
        if array.dtype == np.float64:
            array = array.astype(settings.floatx)
    if len(array.shape) == 0:
        raise _misfit(source, what, "a single number")
    return array


def _on_device(x: Any) -> Any:
    """A tensor of the backend; where it leaves tensors where they are, on the default device."""
    backend = current()
    if not hasattr(backend, "to_device"):
        return x
    return backend.to_device(x)  # pyright: ignore[reportAttributeAccessIssue]


def _host_array(x: Any, what: str, source: str) -> np.ndarray:
    if hasattr(x, "iloc"):
        return _of_pandas(x, what, source)
    if hasattr(x, "detach"):
        return _of_torch(x)
    try:
        return np.asarray(x)
    except ValueError as error:
        raise _misfit(source, what, f"lists of different lengths ({error})") from None


def _of_torch(x: Any) -> np.ndarray:
    """A tensor of PyTorch that feeds another backend."""
    x = x.detach().cpu()
    try:
        return np.asarray(x)
    except TypeError:  # bfloat16, which NumPy has not
        return np.asarray(x.float())


def _of_pandas(x: Any, what: str, source: str) -> np.ndarray:
    """The numbers of a DataFrame of shape (rows, columns), or of a Series of shape (rows,)."""
    frame = x if hasattr(x, "columns") else x.to_frame(x.name or "of the Series")
    refused = {
        str(name): str(dtype)
        for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if dtype.kind not in "biufc"
    }
    if refused:
        told = ", ".join(f"{name!r} ({dtype})" for name, dtype in refused.items())
        raise DTypeError(
            source,
            expected=f"{what} whose columns are numbers",
            received=f"the columns {told}",
            fix="encode them as numbers, for example with pandas.get_dummies(frame), or "
            "column.astype('category').cat.codes; leave out what is no feature",
        )
    # The types of pandas's own ("Int64", sparse ones) name that of NumPy which they extend.
    natives = [getattr(d, "numpy_dtype", getattr(d, "subtype", d)) for d in frame.dtypes]
    dtype = np.result_type(*natives) if natives else np.dtype(settings.floatx)
    if dtype.kind != "c" and frame.isna().to_numpy().any():
        dtype = np.dtype(settings.floatx)
        return x.astype(dtype).to_numpy(dtype, na_value=np.nan)
    return x.to_numpy(dtype)


def _kind(x: Any, array: np.ndarray) -> str:
    if array.dtype.kind == "O" and array.shape == ():
        return f"a {type(x).__name__}"
    names = {"O": "Python objects", "U": "text", "S": "bytes", "M": "dates", "m": "times"}
    return f"an array of {names.get(array.dtype.kind, array.dtype)}"


def _fix(array: np.ndarray) -> str:
    if array.dtype.kind == "O" and array.shape == ():
        return "pass an array; what is sparse or ragged is made dense first, as by .toarray()"
    return "encode text and categories as numbers, for example with a vocabulary"


def _misfit(source: str, what: str, received: str) -> SpecError:
    return SpecError(
        source,
        expected=f"{what}: arrays whose first axis is the samples",
        received=received,
        fix="stack the samples into one array",
    )
