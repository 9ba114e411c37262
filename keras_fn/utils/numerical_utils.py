"""NumPy utilities for labels and features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current, is_loaded
from keras_fn.errors import SpecError
from keras_fn.types import Scalar, Tensor

if TYPE_CHECKING:
    from keras_fn import ops
else:
    ops = LazyModule("keras_fn.ops")  # arrays need no backend


_Array: TypeAlias = np.ndarray | np.generic | Scalar | Sequence[Any]


def _is_tensor(x: object) -> bool:
    """Returns whether `x` is a tensor of the backend, or symbolic, without loading a backend."""
    if isinstance(x, np.ndarray):
        return False
    return hasattr(x, "_keras_history") or (is_loaded() and current().is_tensor(x))


@overload
def to_categorical(x: _Array, num_classes: int | None = None) -> npt.NDArray[np.float64]: ...
@overload
def to_categorical(x: Tensor, num_classes: int | None = None) -> Tensor: ...
def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot encodes integer labels, for `categorical_crossentropy`.

    Args:
        x: Class indices from 0 to `num_classes - 1`, of any shape: an array, a list, or a tensor of
            the backend. A last axis of size 1 is dropped.
        num_classes: Number of classes; by default the largest class index plus one.

    Returns:
        One-hot vectors of the shape of `x` plus a last axis of size `num_classes`: an array of
        float64; of a tensor, a tensor of `floatx()`.

    Raises:
        ValueError: A class index of an array is negative, not below `num_classes`, or not an
            integer. Of a tensor, an index out of range gives a vector of zeros.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
    """
    if _is_tensor(x):
        if len(x.shape) > 1 and x.shape[-1] == 1:
            x = ops.squeeze(x, -1)
        count = num_classes or int(ops.max(x)) + 1
        return ops.one_hot(ops.cast(x, "int32"), count)
    received = np.asarray(x)
    classes = received.astype("int64")
    if received.dtype.kind not in "biu" and not np.array_equal(classes, received.astype("float64")):
        raise SpecError(
            "to_categorical",
            expected="integer labels",
            received=f"an array of {received.dtype} with fractions",
            fix="round the labels, or encode them as integers first",
        )
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    lowest, highest = int(classes.min(initial=0)), int(classes.max(initial=-1))
    num_classes = num_classes or highest + 1
    if lowest < 0 or highest >= num_classes:
        raise SpecError(
            "to_categorical",
            expected=f"class indices from 0 to {num_classes - 1}",
            received=f"class indices from {lowest} to {highest}",
            fix="pass a larger num_classes, or renumber the classes from 0",
        )
    rows = np.zeros((classes.size, num_classes))
    rows[np.arange(classes.size), classes.ravel()] = 1.0
    return rows.reshape(*classes.shape, num_classes)


@overload
def normalize(x: _Array, axis: int = -1, order: int | float = 2) -> npt.NDArray[Any]: ...
@overload
def normalize(x: Tensor, axis: int = -1, order: int | float = 2) -> Tensor: ...
def normalize(x: Any, axis: int = -1, order: int | float = 2) -> Any:
    """Normalizes an array to unit norm along an axis. Zero vectors stay zero.

    Args:
        x: Array, list, or tensor of the backend, of any shape.
        axis: Axis along which to normalize.
        order: Order of the norm: 2 for the Euclidean norm, 1 for the sum of absolute values.

    Returns:
        A floating-point array of the shape of `x`; of a tensor, a tensor.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])

    Note:
        Keras divides by the wrong norms for `axis=0`, and adds an axis to a vector; this function
        normalizes along the given axis and keeps the shape.
    """
    if _is_tensor(x):
        return ops.normalize(x, axis, order)
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, 1, norm)
