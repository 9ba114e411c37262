"""Ops that select: slices, indices, one-hot codes, order."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, product
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import equal, greater_equal, less
from keras_fn.ops.core import cast
from keras_fn.ops.creation import arange
from keras_fn.ops.reductions import any as any_
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.shapes import expand_dims, reshape
from keras_fn.ops.unary import logical_not


def _getitem(x: Spec, key: Any) -> Spec:
    keys = list(key) if isinstance(key, tuple) else [key]
    picks = [spec_of(k) if _is_array(k) else None for k in keys]
    used = sum(_axes_used(k, pick) for k, pick in zip(keys, picks, strict=True))
    if used > len(x.shape):
        raise SpecError(
            "indexing",
            expected=f"at most {len(x.shape)} indices",
            given=f"{used} for a tensor of shape {x.shape}",
            fix="drop an index",
        )
    sizes = list(x.shape)
    kept: list[int | None] = []
    gathered: list[Shape] = []  # shapes of the indices that pick elements
    places: list[int] = []  # where they stand among the keys
    first = 0  # where the first of them stands in the result
    for place, (k, pick) in enumerate(zip(keys, picks, strict=True)):
        if k is None:
            kept.append(1)
        elif k is Ellipsis:
            free = len(x.shape) - used
            kept += sizes[:free]
            del sizes[:free]
        elif isinstance(k, slice):
            kept.append(_sliced(sizes.pop(0), k))
        else:
            first = first if places else len(kept)
            places.append(place)
            gathered.append(_picked(k, pick, sizes, x.shape))
    # NumPy: the axes of indices that stand apart come first. An integer beside a tensor is one.
    apart = any(picks) and places != list(range(places[0], places[0] + len(places)))
    kept += sizes
    at = 0 if apart else first
    kept[at:at] = broadcast(*gathered, who="indexing") if gathered else ()
    return Spec(tuple(kept), x.dtype)


def _is_array(k: Any) -> bool:
    return hasattr(k, "shape") or isinstance(k, list)


def _axes_used(k: Any, pick: Spec | None) -> int:
    if k is None or k is Ellipsis:
        return 0
    return len(pick.shape) if pick is not None and pick.dtype == "bool" else 1


def _picked(k: Any, pick: Spec | None, sizes: list[int | None], shape: Shape) -> Shape:
    """Takes the axes that an index picks from off `sizes`; returns the shape that it gives."""
    if pick is not None and pick.dtype == "bool":
        del sizes[: len(pick.shape)]
        return (None,)  # as many as hold
    size = sizes.pop(0)
    if pick is not None:
        return pick.shape
    if size is not None and not -size <= k < size:
        raise SpecError(
            "indexing", expected=f"an index from {-size} to {size - 1}",
            given=f"{k} for a tensor of shape {shape}", fix="check the index",
        )  # fmt: skip
    return ()


def _sliced(size: int | None, key: slice) -> int | None:
    bounds = (key.start, key.stop, key.step)
    if size is None or any(b is not None and not isinstance(b, (int, np.integer)) for b in bounds):
        return None
    return len(range(*key.indices(size)))


@op(rule=Rule(_getitem))
def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]`: integers, slices, `...`, None for a new axis, or tensors of integers.

    Example:
        >>> convert_to_numpy(getitem([[1, 2], [3, 4]], (..., 0))).tolist()
        [1, 3]
    """


def _take(x: Spec, indices: Spec, axis: int | None = None) -> Spec:
    if axis is None:
        return Spec(indices.shape, x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take")
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


@op(rule=Rule(_take))
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Elements or slices of `x` at `indices` along `axis`; negative indices count from the end.

    Args:
        x: Tensor of any shape.
        indices: Integers of any shape.
        axis: The axis; None for the flattened tensor.

    Example:
        >>> convert_to_numpy(take([10, 20, 30], [2, 0])).tolist()
        [30, 10]
    """


def _take_along_axis(x: Spec, indices: Spec, axis: int | None = None) -> Spec:
    if axis is None:
        return Spec((product(indices.shape),), x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take_along_axis")
    a = [1 if i == axis else n for i, n in enumerate(x.shape)]
    shape = list(broadcast(tuple(a), indices.shape, who="ops.take_along_axis"))
    shape[axis] = indices.shape[axis]
    return Spec(tuple(shape), x.dtype)


@op(rule=Rule(_take_along_axis))
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Elements of `x` at `indices` along `axis`, position by position along the others.

    Example:
        >>> convert_to_numpy(take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1)).tolist()
        [[20], [30]]
    """


@op
def one_hot(
    x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """A vector for each integer: 1 at that index, else 0; all 0 for an index out of range.

    Args:
        x: Integers of any shape.
        num_classes: Size of the new axis.
        axis: Where the new axis stands.
        dtype: Dtype of the result; `floatx()` by default.
        sparse: Sparse tensors are for backends that have them; here False.

    Example:
        >>> convert_to_numpy(one_hot([1, 0], 2)).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if sparse:
        raise ValueError("ops.one_hot: sparse=True is not supported; use a dense tensor.")
    place = normalize_axis(axis, len(x.shape) + 1, "ops.one_hot")
    rank = len(x.shape) + 1
    classes = reshape(
        arange(num_classes, dtype="int32"), [num_classes if i == place else 1 for i in range(rank)]
    )
    return cast(equal(expand_dims(x, place), classes), dtypes.standardize_dtype(dtype))


def _sort(x: Spec, axis: int | None = -1) -> Spec:
    return Spec((product(x.shape),) if axis is None else x.shape, x.dtype)


@op(rule=Rule(_sort))
def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Elements in rising order along `axis`, NaN last; flattened for None.

    Example:
        >>> convert_to_numpy(sort([3, 1, 2])).tolist()
        [1, 2, 3]
    """


@op(rule=Rule(lambda x, axis=-1: Spec(_sort(x, axis).shape, "int32")))
def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Indices (int32) that would sort `x` along `axis`; ties keep their order.

    Example:
        >>> convert_to_numpy(argsort([3, 1, 2])).tolist()
        [1, 2, 0]
    """


def _top_k(x: Spec, k: int, sorted: bool = True) -> tuple[Spec, Spec]:
    shape = (*x.shape[:-1], k)
    return Spec(shape, x.dtype), Spec(shape, "int32")


@op(rule=Rule(_top_k))
def top_k(x: Tensor, k: int, sorted: bool = True) -> Any:
    """The pair of the `k` largest elements of the last axis and their indices (int32).

    Args:
        x: Tensor of rank 1 or more.
        k: How many.
        sorted: Whether they come in falling order.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in top_k([1, 5, 3], 2)]
        [[5, 3], [1, 2]]
    """


@op
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Whether the prediction for the target is among the `k` largest.

    Args:
        targets: Class indices of shape `(batch,)`.
        predictions: Scores of shape `(batch, classes)`.
        k: How many of the largest count.

    Example:
        >>> convert_to_numpy(in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1)).tolist()
        [True, False]
    """
    largest, _ = top_k(predictions, k)
    score = take_along_axis(predictions, expand_dims(cast(targets, "int32"), -1), axis=-1)
    return greater_equal(reshape(score, (-1,)), getitem(largest, (slice(None), k - 1)))


@op
def digitize(x: Tensor, bins: Any) -> Tensor:
    """Index (int32) of the bin that each element falls in: the number of edges at or below it.

    Example:
        >>> convert_to_numpy(digitize([0.5, 2.5], [1.0, 2.0])).tolist()
        [0, 2]
    """
    # Not below, rather than at or above: NaN comes after all edges.
    return sum_(cast(logical_not(less(expand_dims(x, -1), bins)), "int32"), -1)


@op
def multi_hot(
    inputs: Tensor,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """One vector for the integers of each row: 1 at each of their indices, else 0.

    Args:
        inputs: Integers of shape `(n,)` or `(batch, n, ...)`.
        num_classes: Size of the new axis. Its old name `num_tokens` is taken, too.
        axis: Where the new axis stands among those of `inputs`, that of the integers included.
        dtype: Dtype of the result; `floatx()` by default.
        sparse: Sparse tensors are for backends that have them; here False.
        **kwargs: `num_tokens`.

    Example:
        >>> convert_to_numpy(multi_hot([[0, 2]], 3)).tolist()
        [[1.0, 0.0, 1.0]]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs or num_classes is None:
        raise SpecError(
            "ops.multi_hot", expected="num_classes",
            given=", ".join(kwargs) or "none", fix="say how many classes there are",
        )  # fmt: skip
    codes = one_hot(inputs, num_classes, axis, dtype, sparse)
    place = normalize_axis(axis, len(codes.shape), "ops.multi_hot")
    # One row of integers becomes one vector. The new axis may stand before that of the integers.
    first = 0 if len(inputs.shape) == 1 else 1
    return max_(codes, axis=first + (place <= first))


@op
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: Tensor of any shape.
        x2: Tensor of any shape.
        assume_unique: Whether no element is in one tensor twice. It makes no difference here:
            all are compared with all.
        invert: Whether to say which elements are not among them.

    Returns:
        Booleans, of the shape of `x1`.

    Example:
        >>> convert_to_numpy(isin([1, 2], [2, 3])).tolist()
        [False, True]
    """
    del assume_unique
    found = any_(equal(expand_dims(x1, -1), reshape(x2, (-1,))), -1)
    return logical_not(found) if invert else found
