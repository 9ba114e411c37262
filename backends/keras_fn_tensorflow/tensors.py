"""Tensors and variables: `tf.Tensor`, and `tf.Variable`, which is assigned in place."""

from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.settings import settings

_TENSORS = (tf.Tensor, tf.Variable)
_PYTHON = {bool: tf.bool, int: tf.int32}


@cache
def has_gpu() -> bool:
    """Whether this process computes on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, eager or of a graph, or a variable of TensorFlow."""
    return isinstance(x, _TENSORS)


def convert_to_tensor(x: Any, dtype: str | None = None) -> tf.Tensor:
    """Makes a tensor. Python floats are `floatx()`, Python integers int32."""
    if isinstance(x, _TENSORS):
        x = tf.convert_to_tensor(x)
        return x if dtype is None else cast(x, dtype)
    if isinstance(x, (list, tuple)) and any(hasattr(leaf, "dtype") for leaf in tree.flatten(x)):
        x = tf.convert_to_tensor(tree.map_structure(_packable, x))
        return x if dtype is None else cast(x, dtype)
    if dtype is None and not hasattr(x, "dtype"):
        native = _PYTHON.get(type(x))
        return tf.convert_to_tensor(x, native or _dtype_of_data(x))
    if hasattr(x, "dtype") and dtype is not None:  # TensorFlow casts no arrays by itself
        return cast(tf.convert_to_tensor(x), dtype)
    try:
        return tf.convert_to_tensor(x, None if dtype is None else _native(dtype))
    except (TypeError, ValueError):  # it makes no booleans of numbers, and no integers of floats
        array = np.asarray(x)
        if dtype is None or array.dtype.kind not in "biuf":
            raise
        return cast(tf.convert_to_tensor(array), dtype)


def borrow(x: np.ndarray) -> tf.Tensor:
    """TensorFlow copies always."""
    return tf.convert_to_tensor(x)


batch_rows = borrow


def _packable(x: Any) -> Any:
    """A leaf of a list that holds tensors: NumPy scalars are none, so they pack as numbers."""
    return x if hasattr(x, "__tf_tensor__") or is_tensor(x) else np.asarray(x).item()


def _dtype_of_data(x: Any) -> tf.DType | None:
    kind = np.asarray(x).dtype.kind
    return _native(settings.floatx) if kind == "f" else tf.int32 if kind in "iu" else None


@cache
def _native(dtype: str) -> tf.DType:
    return tf.as_dtype(dtype)


def convert_to_numpy(x: tf.Tensor) -> np.ndarray:
    """Copies to the host."""
    return np.asarray(x.numpy())


def cast(x: tf.Tensor, dtype: str) -> tf.Tensor:
    """Converts to another dtype."""
    native = _native(dtype)
    return x if x.dtype is native or x.dtype == native else tf.cast(x, native)


@cache
def _name(dtype: Any) -> str:
    return standardize_dtype(dtype)


def dtype_name(x: Any) -> str:
    """The name of the dtype of `x`, or of `x` if it is one."""
    return _name(getattr(x, "dtype", x))


def shape(x: tf.Tensor) -> tuple[Any, ...]:
    """The sizes: scalar tensors for those that a graph does not know."""
    sizes = x.shape.as_list()
    if None in sizes:
        dynamic = tf.shape(x)
        sizes = [dynamic[i] if size is None else size for i, size in enumerate(sizes)]
    return tuple(sizes)


def batch_indices(order: np.ndarray, batch_size: int) -> list[tf.Tensor]:
    """The indices of each batch."""
    return [tf.constant(order[i : i + batch_size]) for i in range(0, len(order), batch_size)]


def gather_rows(x: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """The samples of a batch."""
    return tf.gather(x, indices)


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> tf.Variable:
    """A variable that outlives the graph, if one is being made."""
    with tf.init_scope():
        return tf.Variable(value, dtype=_native(dtype), trainable=trainable, name=name)


def assign(handle: tf.Variable, value: tf.Tensor) -> tf.Variable:
    """Sets the variable in place, in a graph too."""
    handle.assign(value, read_value=False)
    return handle


def assign_add(handle: tf.Variable, value: Any) -> tf.Variable:
    """Adds in place, in a graph too."""
    if handle.shape.rank and not is_tensor(value):
        value = tf.fill(handle.shape, tf.cast(value, handle.dtype))  # it does not broadcast
    handle.assign_add(value, read_value=False)
    return handle


def set_trainable(handle: tf.Variable, trainable: bool) -> None:
    """Says whether a GradientTape watches the variable by itself."""
    # TensorFlow has no public way to change its mind.
    handle._trainable = trainable  # type: ignore[attr-defined]
