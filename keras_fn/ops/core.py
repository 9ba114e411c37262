"""Conversions, shapes, casts and gradients of whole tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.types import Tensor, TensorLike


def convert_to_tensor(
    x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """Makes a tensor of the backend.

    Args:
        x: Array, nested list, number, Variable or tensor.
        dtype: Its dtype; by default that of `x`, and `floatx()` for Python floats.
        sparse: False to make a sparse tensor dense.
        ragged: False to make a ragged tensor dense.

    Returns:
        The tensor; a KerasTensor stays one.

    Example:
        >>> convert_to_tensor([1.0, 2.0]).shape == (2,)
        True
    """
    symbolic = context.current.symbolic
    backend = current()
    if not symbolic and backend.is_tensor(x):
        name = None if dtype is None else dtypes.standardize_dtype(dtype)
        return backend.convert_to_tensor(x, name)
    if symbolic or isinstance(x, KerasTensor):
        spec = spec_of(x)
        name = dtypes.standardize_dtype(dtype) if dtype else dtypes.result_type(spec.dtype)
        if isinstance(x, KerasTensor) and x.dtype == name:
            return x
        if isinstance(x, KerasTensor):
            return cast(x, name)
        return KerasTensor(spec.shape, name, record_history=False)
    value = x.value if isinstance(x, Variable) else x
    return backend.convert_to_tensor(value, dtypes.standardize_dtype(dtype) if dtype else None)


def array(x: TensorLike, dtype: Any = None) -> Tensor:
    """Makes a tensor of the backend; see `convert_to_tensor`.

    Example:
        >>> convert_to_numpy(array([1, 2], dtype="float32")).tolist()
        [1.0, 2.0]
    """
    return convert_to_tensor(x, dtype=dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """Returns the value of a tensor as a NumPy array.

    Example:
        >>> convert_to_numpy(convert_to_tensor([1, 2])).tolist()
        [1, 2]
    """
    if isinstance(x, KerasTensor):
        return x.__array__()  # raises: no value yet
    if isinstance(x, np.ndarray) and not current().is_tensor(x):
        return x
    return current().convert_to_numpy(convert_to_tensor(x))


def _cast_spec(x: TensorSpec, dtype: Any) -> TensorSpec:
    return TensorSpec(x.shape, dtypes.standardize_dtype(dtype))


@op(rule=Rule(_cast_spec))
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """Converts to another dtype.

    Example:
        >>> convert_to_numpy(cast([1.7, 2.0], "int32")).tolist()
        [1, 2]
    """
    ...


def shape(x: TensorLike) -> tuple[Any, ...]:
    """Returns the shape, as a tuple. Sizes that are unknown are None, or scalar tensors.

    Example:
        >>> shape(convert_to_tensor([[1, 2, 3]]))
        (1, 3)
    """
    if isinstance(x, (KerasTensor, Variable)):
        return x.shape
    return current().shape(convert_to_tensor(x))


def dtype(x: TensorLike) -> str:
    """Returns the name of the tensor's dtype.

    Example:
        >>> dtype(convert_to_tensor([1.0]))
        'float32'
    """
    if current().is_tensor(x):
        return current().dtype_name(x)
    return str(dtypes.result_type(spec_of(x).dtype))


def ndim(x: TensorLike) -> int:
    """Returns the number of axes.

    Example:
        >>> ndim([[1, 2]])
        2
    """
    return len(spec_of(x).shape)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of the backend.

    Example:
        >>> is_tensor(convert_to_tensor([1])), is_tensor([1])
        (True, False)
    """
    return current().is_tensor(x)


@op(rule=Rule(lambda x: TensorSpec(x.shape, dtypes.result_type(x.dtype))))
def copy(x: TensorLike) -> Tensor:
    """A tensor that shares no memory with `x`.

    Example:
        >>> convert_to_numpy(copy([1, 2])).tolist()
        [1, 2]
    """
    return convert_to_tensor(x)  # where tensors do not change, nobody can tell


@op(rule=Rule(lambda x: TensorSpec((), "int32")))
def size(x: TensorLike) -> Tensor:
    """The number of elements, as an int32 scalar.

    Example:
        >>> int(size([[1, 2, 3], [4, 5, 6]]))
        6
    """
    count: Any = 1
    for n in shape(x):
        count = count * n
    return convert_to_tensor(count, "int32")


def _view(x: TensorSpec, dtype: Any = None) -> TensorSpec:
    old = dtypes.result_type(x.dtype)
    new = old if dtype is None else dtypes.standardize_dtype(dtype)
    a, b = dtypes.itemsize(old), dtypes.itemsize(new)
    if a == b:
        return TensorSpec(x.shape, new)
    last = x.shape[-1] if x.shape else 1
    if not x.shape or (last is not None and last * a % b):
        raise SpecError(
            "ops.view",
            expected=f"a last axis whose bytes are a multiple of {b}",
            received=f"shape {x.shape}, {a} bytes an element",
            fix="reshape it, or use ops.cast",
        )
    return TensorSpec((*x.shape[:-1], None if last is None else last * a // b), new)


@op(rule=Rule(_view))
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The same bytes, read as another dtype.

    Args:
        x: Tensor of any shape.
        dtype: A dtype; its own by default. Where its elements are of another size, the last axis
            becomes longer or shorter.

    Example:
        >>> convert_to_numpy(view(convert_to_tensor([1.0], "float32"), "int32")).tolist()
        [1065353216]
    """
    ...
