"""Matching of datasets with variables: the check of shape and dtype, and the converted value."""

import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.variable import Variable
from keras_fn.saving.errors import ModelFileError, error_context, sanitize_for_display
from keras_fn.saving.hdf5.datatypes import can_read_as

FIX = "load the file into the model it was saved from"


class DatasetDescription(Protocol):
    """The shape and dtype of a dataset."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...


class WeightsFile(Protocol):
    """A checked file of weights, in HDF5 or safetensors.

    Attributes:
        name: Its name in error messages.
        groups: The paths of the groups that can have attributes.
    """

    name: str

    @property
    def groups(self) -> Collection[str]: ...
    @property
    def datasets(self) -> Mapping[str, DatasetDescription]: ...
    def attribute_names(self, path: str) -> list[str]: ...
    def attribute(self, path: str, name: str) -> Any: ...
    def read(self, path: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray: ...
    def background_checks(self) -> AbstractContextManager[None]: ...


def check_compatible(file: WeightsFile, path: str, variable: Variable) -> None:
    """Checks that a dataset has the shape of a variable, and a dtype of the same kind.

    Args:
        file: The file.
        path: The path of the dataset.
        variable: The variable.

    Raises:
        ModelFileError: It has not, or does not exist.
    """
    info, dtype = file.datasets.get(path), numpy_dtype(variable.dtype)
    with error_context(sanitize_for_display(path)):
        if info is None or info.shape != variable.shape:
            raise ModelFileError(
                f"the weight {variable.name!r} has another shape"
                if info
                else "the dataset is missing",
                expected=f"{variable.name!r} of shape {variable.shape}",
                received=f"shape {info.shape}" if info else "",
                fix=FIX,
            )
        if not can_read_as(info.dtype, dtype) and not _is_counter(info, dtype):
            raise ModelFileError(
                f"the weight {variable.name!r} has another kind of dtype",
                expected=dtype.name,
                received=info.dtype.name,
                fix=FIX,
            )


def read_for_variable(file: WeightsFile, path: str, variable: Variable) -> np.ndarray:
    """Returns a dataset in the shape and dtype of a variable; warns if the precision differs.

    Args:
        file: The file.
        path: The path of the dataset, which `check_compatible` accepted.
        variable: The variable.
    """
    info, dtype = file.datasets[path], numpy_dtype(variable.dtype)
    if _is_counter(info, dtype):
        value = file.read(path, variable.shape, info.dtype)
        if value.astype(dtype) == value:
            return value.astype(dtype)
    if info.dtype != dtype and info.dtype.kind == "f":
        message = f"{file.name}, {path}: read as {dtype}, the file has {info.dtype}"
        warnings.warn(message, stacklevel=2)
    return file.read(path, variable.shape, dtype)


def slice_reader(
    file: WeightsFile, path: str, variable: Variable
) -> Callable[[tuple[slice, ...]], np.ndarray]:
    """Returns a function of an index that reads a part of a dataset as `read_for_variable` does.

    A file that has slices reads those that are needed. Another one reads the whole dataset at the
    first call, and it is held until the function is.

    Args:
        file: The file.
        path: The path of the dataset, which `check_compatible` accepted.
        variable: The variable.
    """
    info, dtype = file.datasets[path], numpy_dtype(variable.dtype)
    read_slice = getattr(file, "read_slice", None)
    if read_slice is not None and info.dtype == dtype:
        return lambda index: read_slice(path, index, variable.shape, dtype)
    whole: list[np.ndarray] = []

    def read(index: tuple[slice, ...]) -> np.ndarray:
        if not whole:
            whole.append(read_for_variable(file, path, variable))
        return whole[0][index] if index else whole[0]

    return read


def _is_counter(info: DatasetDescription, dtype: np.dtype) -> bool:
    """Returns whether it is an integer scalar for an integer: a step count in int32 or int64."""
    return info.shape == () and info.dtype.kind in "iu" and dtype.kind in "iu"
