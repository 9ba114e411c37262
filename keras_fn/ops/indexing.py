"""Indexing: getitem, take, selection by conditions."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, product
from keras_fn.ops.arithmetic import add, floor_divide, mod, subtract
from keras_fn.ops.core import cast
from keras_fn.ops.logic import greater_equal, less, where
from keras_fn.types import Tensor, TensorLike


def _getitem(x: TensorSpec, key: Any) -> TensorSpec:
    keys = list(key) if isinstance(key, tuple) else [key]
    picks = [spec_of(k) if _is_array(k) else None for k in keys]
    used = sum(_axes_used(k, pick) for k, pick in zip(keys, picks, strict=True))
    if used > len(x.shape):
        raise SpecError(
            "indexing",
            expected=f"at most {len(x.shape)} indices",
            received=f"{used} for a tensor of shape {x.shape}",
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
        elif isinstance(k, builtins.slice):
            kept.append(_sliced(sizes.pop(0), k))
        else:
            first = first if places else len(kept)
            places.append(place)
            gathered.append(_picked(k, pick, sizes, x.shape))
    # NumPy: the axes of indices that stand apart come first. An integer beside a tensor is one.
    apart = any(picks) and places != list(range(places[0], places[0] + len(places)))
    kept += sizes
    at = 0 if apart else first
    kept[at:at] = broadcast(*gathered, source="indexing") if gathered else ()
    return TensorSpec(tuple(kept), x.dtype)


def _is_array(k: Any) -> bool:
    return hasattr(k, "shape") or isinstance(k, list)


def _axes_used(k: Any, pick: TensorSpec | None) -> int:
    if k is None or k is Ellipsis:
        return 0
    return len(pick.shape) if pick is not None and pick.dtype == "bool" else 1


def _picked(k: Any, pick: TensorSpec | None, sizes: list[int | None], shape: Shape) -> Shape:
    """Takes the axes that an index picks from off `sizes`; returns the shape that it gives."""
    if pick is not None and pick.dtype == "bool":
        del sizes[: len(pick.shape)]
        return (None,)  # as many as hold
    size = sizes.pop(0)
    if pick is not None:
        return pick.shape
    if size is not None and not -size <= k < size:
        raise SpecError(
            "indexing",
            expected=f"an index from {-size} to {size - 1}",
            received=f"{k} for a tensor of shape {shape}",
            fix="check the index",
        )
    return ()


def _sliced(size: int | None, key: builtins.slice) -> int | None:
    bounds = (key.start, key.stop, key.step)
    if size is None or any(b is not None and not isinstance(b, (int, np.integer)) for b in bounds):
        return None
    return len(range(*key.indices(size)))


@op(rule=Rule(_getitem))
def getitem(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`: integers, slices, `...`, None for a new axis, or tensors of integers.

    Example:
        >>> convert_to_numpy(getitem([[1, 2], [3, 4]], (..., 0))).tolist()
        [1, 3]
    """
    ...


def _take(x: TensorSpec, indices: TensorSpec, axis: int | None = None) -> TensorSpec:
    if axis is None:
        return TensorSpec(indices.shape, x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take")
    return TensorSpec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


@op(rule=Rule(_take))
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements or slices of `x` at `indices` along `axis`; negative indices count from the end.

    Args:
        x: Tensor of any shape.
        indices: Integers of any shape.
        axis: The axis; None for the flattened tensor.

    Example:
        >>> convert_to_numpy(take([10, 20, 30], [2, 0])).tolist()
        [30, 10]
    """
    ...


def _take_along_axis(x: TensorSpec, indices: TensorSpec, axis: int | None = None) -> TensorSpec:
    if axis is None:
        return TensorSpec((product(indices.shape),), x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take_along_axis")
    a = [1 if i == axis else n for i, n in enumerate(x.shape)]
    shape = list(broadcast(tuple(a), indices.shape, source="ops.take_along_axis"))
    shape[axis] = indices.shape[axis]
    return TensorSpec(tuple(shape), x.dtype)


@op(rule=Rule(_take_along_axis))
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements of `x` at `indices` along `axis`, position by position along the others.

    Example:
        >>> convert_to_numpy(take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1)).tolist()
        [[20], [30]]
    """
    ...


def _unravel_index(indices: TensorSpec, shape: Any) -> tuple[TensorSpec, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    return (TensorSpec(indices.shape, dtypes.result_type(indices.dtype)),) * len(sizes)


@op(rule=Rule(_unravel_index))
def unravel_index(indices: TensorLike, shape: Any) -> Any:
    """The indices along each axis that lead to the same element as those of the flattened tensor.

    Args:
        indices: Integers of any shape; negative ones count from the end. Those out of range are
            clipped.
        shape: Sizes of the tensor that they are for.

    Returns:
        A tuple with a tensor for each axis, of the shape and dtype of `indices`.

    Example:
        >>> [int(i) for i in unravel_index(5, (2, 3))]
        [1, 2]
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = dtypes.result_type(spec_of(indices).dtype)
    wide = dtypes.result_type(dtype, "int32")
    total: Any = 1
    for size in sizes:
        total = total * size
    rest = cast(indices, wide)
    rest = where(less(rest, 0), add(rest, total), rest)
    rest = where(less(rest, 0), 0, where(greater_equal(rest, total), subtract(total, 1), rest))
    found = []
    for size in reversed(sizes):
        found.append(cast(mod(rest, size), dtype))
        rest = floor_divide(rest, size)
    return tuple(reversed(found))


@op
def select(
    condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0
) -> Tensor:
    """Each element from the choice that belongs to the first condition that holds there.

    Args:
        condlist: Booleans: tensors that broadcast with the choices.
        choicelist: As many tensors.
        default: What stands where no condition holds.

    Example:
        >>> x = convert_to_tensor([1, 2, 3, 4])
        >>> convert_to_numpy(select([x < 2, x > 3], [x * 10, x * 100], 0)).tolist()
        [10, 0, 0, 400]
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise SpecError(
            "ops.select",
            expected="as many choices as conditions, one or more",
            received=f"{len(condlist)} conditions and {len(choicelist)} choices",
            fix="give a choice for each condition, and default for the rest",
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result
