"""Indexing: getitem, take, take_along_axis, unravel_index, select."""

from __future__ import annotations

import builtins
import typing
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, check_at_least, normalize_axis, number_type, product
from keras_fn.ops.arithmetic import add, floor_divide, mod, subtract
from keras_fn.ops.core import cast
from keras_fn.ops.logic import greater_equal, less, where
from keras_fn.types import IndexLike, Tensor, TensorLike


def _getitem_spec(x: TensorSpec, key: Any) -> TensorSpec:
    keys = list(key) if isinstance(key, tuple) else [key]
    index_specs = [spec_of(k) if _is_array(k) else None for k in keys]
    for k, spec in zip(keys, index_specs, strict=True):
        _check_index(k, spec)
    consumed = sum(_count_axes(k, spec) for k, spec in zip(keys, index_specs, strict=True))
    if consumed > len(x.shape):
        raise SpecError(
            "indexing, ops.getitem",
            expected=f"at most {len(x.shape)} indices",
            received=f"{consumed} for a tensor of shape {x.shape}",
            fix="remove an index",
        )
    sizes = list(x.shape)
    kept: list[int | None] = []
    index_shapes: list[Shape] = []  # of the integers, integer tensors and masks
    index_positions: list[int] = []  # their positions among the keys
    first = 0  # the position of the first of them in the result
    for position, (k, spec) in enumerate(zip(keys, index_specs, strict=True)):
        if k is None:
            kept.append(1)
        elif k is Ellipsis:
            free = len(x.shape) - consumed
            kept += sizes[:free]
            del sizes[:free]
        elif isinstance(k, builtins.slice):
            kept.append(_slice_size(sizes.pop(0), k))
        else:
            first = first if index_positions else len(kept)
            index_positions.append(position)
            index_shapes.append(_consume_axes(k, spec, sizes, x.shape))
    # As in NumPy, the axes of index tensors come first if the indices are not adjacent. An integer
    # next to an index tensor counts as one.
    is_separated = any(index_specs) and index_positions != list(
        range(index_positions[0], index_positions[0] + len(index_positions))
    )
    kept += sizes
    at = 0 if is_separated else first
    kept[at:at] = broadcast(*index_shapes, source="indexing, ops.getitem") if index_shapes else ()
    return TensorSpec(tuple(kept), x.dtype)


def _is_array(k: Any) -> bool:
    return hasattr(k, "shape") or isinstance(k, list)


def _check_index(k: Any, spec: TensorSpec | None) -> None:
    """Raises a DTypeError for what is not an index: a float, text, a tensor of floats."""
    if spec is None:
        fits = k is None or k is Ellipsis or isinstance(k, (int, np.integer, builtins.slice))
    else:
        dtype = dtypes.result_type(spec.dtype)
        fits = dtype == "bool" or dtypes.is_int(dtype) or 0 in spec.shape
    if not fits:
        raise DTypeError(
            "indexing, ops.getitem",
            expected="integers, slices, ..., None, integer tensors or boolean masks",
            received=f"an index {k!r:.200} of type {type(k).__name__}"
            if spec is None
            else f"an index of dtype {spec.dtype}",
            fix="cast it to int32",
        )


def _count_axes(k: Any, spec: TensorSpec | None) -> int:
    if k is None or k is Ellipsis:
        return 0
    return len(spec.shape) if spec is not None and spec.dtype == "bool" else 1


def _consume_axes(k: Any, spec: TensorSpec | None, sizes: list[int | None], shape: Shape) -> Shape:
    """Removes the axes that an index consumes from `sizes`; returns the shape of the result."""
    if spec is not None and spec.dtype == "bool":
        del sizes[: len(spec.shape)]
        return (None,)  # the number of true elements
    size = sizes.pop(0)
    if spec is not None:
        return spec.shape
    if size is not None and not -size <= k < size:
        raise SpecError(
            "indexing, ops.getitem",
            expected=f"an index from {-size} to {size - 1}",
            received=f"{k} for a tensor of shape {shape}",
            fix="check the index",
        )
    return ()


def _slice_size(size: int | None, key: builtins.slice) -> int | None:
    bounds = (key.start, key.stop, key.step)
    if size is None or any(b is not None and not isinstance(b, (int, np.integer)) for b in bounds):
        return None
    return len(range(*key.indices(size)))


@op(rule=Rule(_getitem_spec))
def getitem(x: TensorLike, key: IndexLike) -> Tensor:
    """Indexing as with NumPy: `x[key]`.

    Args:
        x: Tensor of any shape.
        key: Integers, slices, `...`, None for a new axis, integer tensors or lists (advanced
            indexing), a boolean mask, or a tuple of these.

    Returns:
        Tensor of the dtype of `x`.

    Raises:
        ValueError: There are more indices than axes, or a static index is out of range.

    Example:
        >>> convert_to_numpy(getitem([[1, 2], [3, 4]], (..., 0))).tolist()
        [1, 3]
    """
    ...


def _take_spec(x: TensorSpec, indices: TensorSpec, axis: int | None = None) -> TensorSpec:
    if axis is None:
        return TensorSpec(indices.shape, x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take")
    return TensorSpec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


@op(rule=Rule(_take_spec))
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Gathers elements or slices at indices along an axis.

    Args:
        x: Tensor of any shape.
        indices: Integer tensor of any shape; negative indices count from the end.
        axis: Axis to gather along; None for the flattened tensor.

    Returns:
        Tensor of the dtype of `x`; the axis is replaced by the axes of `indices`.

    Example:
        >>> convert_to_numpy(take([10, 20, 30], [2, 0])).tolist()
        [30, 10]
    """
    ...


def _take_along_axis_spec(
    x: TensorSpec, indices: TensorSpec, axis: int | None = None
) -> TensorSpec:
    if axis is None:
        return TensorSpec((product(indices.shape),), x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take_along_axis")
    other_sizes = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
    shape = list(broadcast(other_sizes, indices.shape, source="ops.take_along_axis"))
    shape[axis] = indices.shape[axis]
    return TensorSpec(tuple(shape), x.dtype)


@op(rule=Rule(_take_along_axis_spec))
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Gathers elements at indices along an axis, separately for each position in the other axes.

    Args:
        x: Tensor of any shape.
        indices: Integer tensor of the rank of `x` that broadcasts with it except for `axis`.
        axis: Axis to gather along; None for the flattened tensors.

    Returns:
        Tensor of the dtype of `x`, with the size of `indices` along `axis`.

    Example:
        >>> convert_to_numpy(take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1)).tolist()
        [[20], [30]]
    """
    ...


def _unravel_index_spec(indices: TensorSpec, shape: int | Sequence[int]) -> tuple[TensorSpec, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    check_at_least(0, shape=shape)
    return (TensorSpec(indices.shape, number_type(indices.dtype)),) * len(sizes)


@op(rule=Rule(_unravel_index_spec, promote=number_type))
def unravel_index(indices: TensorLike, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Converts indices of a flattened tensor to a tuple of indices for each axis.

    Args:
        indices: Integer tensor of any shape. Negative indices count from the end; indices out of
            range are clipped.
        shape: Shape of the tensor that the indices belong to.

    Returns:
        Tuple with a tensor for each axis, of the shape and dtype of `indices`.

    Example:
        >>> [int(i) for i in unravel_index(5, (2, 3))]
        [1, 2]
    """
    check_at_least(0, "ops.unravel_index", shape=shape)
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = dtypes.result_type(spec_of(indices).dtype)
    wide = dtypes.result_type(dtype, "int32")
    total: Any = 1
    for size in sizes:
        total = total * size
    flat = cast(indices, wide)
    flat = where(less(flat, 0), add(flat, total), flat)
    flat = where(less(flat, 0), 0, where(greater_equal(flat, total), subtract(total, 1), flat))
    by_axis = []
    for size in reversed(sizes):
        by_axis.append(cast(mod(flat, size), dtype))
        flat = floor_divide(flat, size)
    return tuple(reversed(by_axis))


@op
def select(
    condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0
) -> Tensor:
    """Selects each element from the choice of the first condition that is true.

    Args:
        condlist: Boolean tensors that broadcast with the choices.
        choicelist: As many tensors.
        default: Value where no condition is true: a number or a tensor.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype.

    Raises:
        ValueError: The numbers of conditions and choices differ, or are 0.

    Example:
        >>> x = convert_to_tensor([1, 2, 3, 4])
        >>> convert_to_numpy(select([x < 2, x > 3], [x * 10, x * 100], 0)).tolist()
        [10, 0, 0, 400]
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise SpecError(
            "ops.select",
            expected="as many choices as conditions, at least one",
            received=f"{len(condlist)} conditions and {len(choicelist)} choices",
            fix="pass one choice for each condition, and default for the rest",
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return typing.cast(Tensor, result)
