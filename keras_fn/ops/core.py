"""Conversion of tensors and arrays, casts, shapes and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.host_text import TEXT_FIX
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.ragged import is_ragged, pad_ragged_tensor
from keras_fn.core.scopes import context
from keras_fn.core.sparse import is_sparse
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.types import DTypeLike, Tensor, TensorLike


def convert_to_tensor(
    x: TensorLike,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
) -> Tensor:
    """Converts an array, a number or nested lists of numbers to a tensor of the backend.

    Args:
        x: Array, nested list, number, Variable or tensor.
        dtype: The dtype of the result. By default the dtype of `x`, and `floatx()` for Python
            floats.
        sparse: False to convert a sparse tensor to a dense one; else it stays sparse.
        ragged: False to convert a ragged tensor, whose samples have unequal lengths, to a dense one
            that is padded with zeros.

    Returns:
        A tensor of the backend, of the shape of `x`; a KerasTensor for a KerasTensor.

    Example:
        >>> convert_to_tensor([1.0, 2.0]).shape == (2,)
        True
    """
    value: Any = x
    if sparse is False and is_sparse(value):
        value = densify(value)
    if ragged is False and is_ragged(value):
        value = pad_ragged_tensor(value)
    symbolic = context.current.symbolic
    backend = current()
    if not symbolic and backend.is_tensor(value):
        name = None if dtype is None else dtypes.standardize_dtype(dtype)
        return backend.convert_to_tensor(value, name)
    if symbolic or isinstance(value, KerasTensor):
        spec = spec_of(value)
        name = dtypes.standardize_dtype(dtype) if dtype else dtypes.result_type(spec.dtype)
        if isinstance(value, KerasTensor):
            return value if value.dtype == name else cast(value, name)
        return KerasTensor(spec.shape, name, record_history=False)
    if isinstance(value, Variable):
        value = value.value
    return backend.convert_to_tensor(value, dtypes.standardize_dtype(dtype) if dtype else None)


@op(rule=Rule(lambda x: TensorSpec(x.shape, dtypes.result_type(x.dtype))))
def densify(x: TensorLike) -> Tensor:
    """Returns a sparse tensor as a dense one; other tensors are returned as they are.

    Args:
        x: Tensor of any shape.
    """
    return convert_to_tensor(x)


def array(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Converts an array, a number or nested lists to a tensor; see `convert_to_tensor`.

    Args:
        x: Array, nested list, number, Variable or tensor.
        dtype: The dtype of the result; by default the dtype of `x`.

    Returns:
        A tensor of the backend, of the shape of `x`.

    Example:
        >>> convert_to_numpy(array([1, 2], dtype="float32")).tolist()
        [1.0, 2.0]
    """
    return convert_to_tensor(x, dtype=dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """Returns the value of a tensor as a NumPy array.

    Args:
        x: Tensor, Variable, array, number or nested lists.

    Returns:
        An array of the shape and dtype of `x`, which can be written to: a copy of a tensor's value,
        or `x` itself if it is a NumPy array.

    Raises:
        TypeError: `x` is a KerasTensor, which has no value.

    Example:
        >>> convert_to_numpy(convert_to_tensor([1, 2])).tolist()
        [1, 2]
    """
    value: Any = x
    if isinstance(value, KerasTensor):
        return value.__array__()  # raises: no value yet
    if isinstance(value, np.ndarray) and not current().is_tensor(value):
        return value
    return current().convert_to_numpy(convert_to_tensor(value))


def _cast_spec(x: TensorSpec, dtype: DTypeLike) -> TensorSpec:
    if x.dtype == "string" and dtype != "string":
        raise DTypeError("ops.cast", expected="numbers", received="text", fix=TEXT_FIX)
    return TensorSpec(x.shape, dtypes.standardize_dtype(dtype))


@op(rule=Rule(_cast_spec))
def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """Casts a tensor to another dtype.

    Args:
        x: Tensor of any shape.
        dtype: The new dtype. Floats are truncated toward zero when cast to integers.

    Returns:
        A tensor of the shape of `x`, of the new dtype.

    Example:
        >>> convert_to_numpy(cast([1.7, 2.0], "int32")).tolist()
        [1, 2]
    """
    ...


def shape(x: TensorLike) -> tuple[Any, ...]:
    """Returns the shape of a tensor, as a tuple.

    Args:
        x: Tensor, Variable, array, number or nested lists.

    Returns:
        The sizes of the axes: integers. An unknown size is None for a KerasTensor, and an int32
        scalar tensor inside a function that TensorFlow traces.

    Example:
        >>> shape(convert_to_tensor([[1, 2, 3]]))
        (1, 3)
    """
    value: Any = x
    if isinstance(value, (KerasTensor, Variable)):
        return value.shape
    return current().shape(convert_to_tensor(value))


def dtype(x: TensorLike) -> str:
    """Returns the name of a tensor's dtype, such as `"float32"`.

    Example:
        >>> dtype(convert_to_tensor([1.0]))
        'float32'
    """
    value: Any = x
    if current().is_tensor(value):
        return current().dtype_name(value)
    return str(dtypes.result_type(spec_of(value).dtype))


def ndim(x: TensorLike) -> int:
    """Returns the number of axes of a tensor.

    Example:
        >>> ndim([[1, 2]])
        2
    """
    value: Any = x
    return len(value.shape if hasattr(value, "shape") else spec_of(value).shape)


def is_tensor(x: object) -> bool:
    """Returns whether `x` is a tensor of the backend.

    Example:
        >>> is_tensor(convert_to_tensor([1])), is_tensor([1])
        (True, False)
    """
    return current().is_tensor(x)


@op(rule=Rule(lambda x: TensorSpec(x.shape, dtypes.result_type(x.dtype))))
def copy(x: TensorLike) -> Tensor:
    """Returns a copy of a tensor that shares no memory with it.

    Example:
        >>> convert_to_numpy(copy([1, 2])).tolist()
        [1, 2]
    """
    return convert_to_tensor(x)  # tensors that cannot change need no copy


@op(rule=Rule(lambda x: TensorSpec((), "int32")))
def size(x: TensorLike) -> Tensor:
    """Returns the number of elements, as an int32 scalar.

    Example:
        >>> int(size([[1, 2, 3], [4, 5, 6]]))
        6
    """
    count: Any = 1
    for n in shape(x):
        count = count * n
    return convert_to_tensor(count, "int32")


def _view_spec(x: TensorSpec, dtype: DTypeLike | None = None) -> TensorSpec:
    old = dtypes.result_type(x.dtype)
    new = old if dtype is None else dtypes.standardize_dtype(dtype)
    old_size, new_size = dtypes.itemsize(old), dtypes.itemsize(new)
    if old_size == new_size:
        return TensorSpec(x.shape, new)
    last = x.shape[-1] if x.shape else 1
    if not x.shape or (last is not None and last * old_size % new_size):
        raise SpecError(
            "ops.view",
            expected=f"a last axis whose bytes are a multiple of {new_size}",
            received=f"shape {x.shape}, {old_size} bytes an element",
            fix="reshape it, or use ops.cast",
        )
    return TensorSpec((*x.shape[:-1], None if last is None else last * old_size // new_size), new)


@op(rule=Rule(_view_spec))
def view(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Reinterprets the bytes of a tensor as another dtype (a bit cast).

    Args:
        x: Tensor of any shape.
        dtype: The new dtype; by default the dtype of `x`.

    Returns:
        A tensor of that dtype, of the shape of `x`. If the elements of the new dtype are larger or
        smaller, the last axis is shorter or longer.

    Raises:
        SpecError: The bytes of the last axis are not a multiple of the new element size.

    Example:
        >>> convert_to_numpy(view(convert_to_tensor([1.0], "float32"), "int32")).tolist()
        [1065353216]
    """
    ...
