"""Shape and dtype rules shared by many ops. Independent of the backend, and so are the errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec
from keras_fn.types import Axis, DTypeLike

_INTEGERS = (int, np.integer)


def broadcast(*shapes: Shape, source: str = "ops") -> Shape:
    """Returns the shape to which `shapes` broadcast; None is compatible with any size.

    Args:
        *shapes: Shapes with static sizes or None.
        source: Name of the caller, for errors.

    Raises:
        SpecError: Sizes differ, and neither is 1.
    """
    longest = max(shapes, key=len)
    rank = len(longest)
    if all([longest[rank - len(shape) :] == shape for shape in shapes]):  # as of a bias
        return tuple(longest)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result: list[int | None] = []
    for sizes in zip(*padded, strict=True):
        # Sizes that a framework has as symbols are unknown, too.
        known: set[Any] = {size for size in sizes if isinstance(size, _INTEGERS) and size != 1}
        if len(known) > 1:
            raise SpecError(
                source,
                expected="shapes that broadcast: sizes that are equal or 1, from the last axis on",
                received=" and ".join(map(str, shapes)),
                fix="reshape or expand one of them",
            )
        is_known = all(isinstance(size, _INTEGERS) for size in sizes)
        result.append(known.pop() if known else 1 if is_known else None)
    return tuple(result)


def normalize_axis(axis: int, rank: int, source: str = "ops", argument: str = "axis") -> int:
    """Returns a non-negative axis.

    Args:
        axis: Axis; negative to count from the end.
        rank: Number of axes.
        source: Name of the caller, for errors.
        argument: Name of the argument, for errors.

    Raises:
        SpecError: The axis is out of range.
    """
    if not -rank <= axis < max(rank, 1):
        raise SpecError(
            source,
            expected=f"an axis from {-rank} to {rank - 1}",
            received=f"{argument}={axis} for a tensor of rank {rank}",
            fix="pass an axis of the tensor",
        )
    return axis % rank if rank else 0


def normalize_axes(
    axis: Axis, rank: int, source: str = "ops", argument: str = "axis"
) -> tuple[int, ...]:
    """Returns non-negative axes.

    Args:
        axis: One axis, several, or None for all of them.
        rank: Number of axes.
        source: Name of the caller, for errors.
        argument: Name of the argument, for errors.

    Raises:
        SpecError: An axis is out of range, or named twice.
    """
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if isinstance(axis, int) else axis
    normalized = tuple(normalize_axis(a, rank, source, argument) for a in axes)
    if len(set(normalized)) < len(normalized):
        raise SpecError(
            source,
            expected="each axis once",
            received=f"{argument}={axis} for a tensor of rank {rank}",
            fix="drop the axis that is named twice",
        )
    return normalized


def check_at_least(minimum: int, source: str = "ops", **arguments: Any) -> None:
    """Checks arguments that are sizes or counts; those that are not integers are not known yet.

    Args:
        minimum: The smallest valid number.
        source: Name of the caller, for errors.
        **arguments: Integers, sequences of integers, or None, by name.

    Raises:
        SpecError: A number is smaller.
    """
    for name, value in arguments.items():
        numbers = value if isinstance(value, (list, tuple)) else (value,)
        if any(isinstance(n, int) and n < minimum for n in numbers):
            raise SpecError(
                source,
                expected=f"{name}: at least {minimum}",
                received=f"{name}={value}",
                fix=f"pass a larger {name}=",
            )


def same(x: TensorSpec, *args: Any, **kwargs: Any) -> TensorSpec:
    """Rule of an op whose result has the shape and dtype of the first operand."""
    return TensorSpec(x.shape, dtypes.result_type(x.dtype))


def _elementwise(result: Callable[..., str]) -> Callable[..., TensorSpec]:
    def infer(*operands: Any, **options: Any) -> TensorSpec:
        specs = [x for x in operands if isinstance(x, TensorSpec)]
        return TensorSpec(broadcast(*[x.shape for x in specs]), result(*[x.dtype for x in specs]))

    return infer


def _bool(*_: Any) -> str:
    return "bool"


elementwise = Rule(_elementwise(dtypes.result_type), promote=dtypes.result_type)
"""Operands are promoted to the dtype of the result."""

elementwise_float = Rule(_elementwise(dtypes.float_type), promote=dtypes.float_type)
"""Like `elementwise`; integers are promoted to floats."""


def number_type(*operands: Any) -> str:
    """Returns the promoted dtype, with int32 instead of bool."""
    dtype = dtypes.result_type(*operands)
    return "int32" if dtype == "bool" else dtype


def product_type(*operands: Any) -> str:
    """Returns the promoted dtype, with int32 if all are int8, as products of quantized numbers."""
    dtype = dtypes.result_type(*operands)
    return "int32" if dtype == "int8" and {*operands} == {"int8"} else dtype


elementwise_number = Rule(_elementwise(number_type), promote=number_type)
"""Like `elementwise`; booleans are promoted to integers."""

comparison = Rule(_elementwise(_bool), promote=dtypes.result_type, compares=True)
"""Operands are promoted to one dtype; the result is boolean."""

comparison_float = Rule(_elementwise(_bool), promote=dtypes.float_type)
"""Like `comparison`; integers are promoted to floats."""

predicate = Rule(_elementwise(_bool))
"""A boolean result; operands are not cast."""

logical = Rule(_elementwise(_bool), promote=_bool)
"""Operands are cast to booleans."""


def integer_type(source: str, booleans: str = "int32") -> Callable[..., str]:
    """Returns a promotion for integers only: refuses floats; booleans become `booleans`.

    Args:
        source: Name of the op, for errors.
        booleans: The dtype of the result for boolean operands.
    """

    def promote(*operands: Any) -> str:
        dtype = dtypes.result_type(*operands)
        if dtypes.is_int(dtype):
            return dtype
        if dtype != "bool":
            raise DTypeError(
                source,
                expected="integers",
                received=f"values of dtype {dtype}",
                fix="cast them to an integer dtype",
            )
        return booleans

    return promote


def elementwise_int(source: str, booleans: str = "int32") -> Rule:
    """Rule of an elementwise op on integers; see `integer_type`.

    Args:
        source: Name of the op, for errors.
        booleans: The dtype of the result for boolean operands.
    """
    promote = integer_type(source, booleans)
    return Rule(_elementwise(promote), promote=promote)


def difference_type(source: str) -> Callable[..., str]:
    """Returns the standard promotion, which refuses booleans: they have no differences."""

    def promote(*operands: Any) -> str:
        dtype = dtypes.result_type(*operands)
        if dtype == "bool":
            raise DTypeError(
                source,
                expected="numbers",
                received="booleans",
                fix="cast them, or use ops.logical_xor or ops.logical_not",
            )
        return dtype

    return promote


def elementwise_difference(source: str) -> Rule:
    """Rule like `elementwise`, which refuses operands that are all boolean."""
    return Rule(_elementwise(difference_type(source)), promote=dtypes.result_type)


def like_number(source: str) -> Rule:
    """Rule of an op whose result has the shape and dtype of its numeric operand."""
    promote = difference_type(source)
    return Rule(lambda x: TensorSpec(x.shape, promote(x.dtype)), promote=promote)


def real_type(dtype: Any) -> str:
    """Returns the dtype of the real part of a complex dtype; other dtypes are left as they are."""
    name = dtypes.result_type(dtype)
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


magnitude = Rule(lambda x: TensorSpec(x.shape, real_type(x.dtype)))
"""Shape of the operand, dtype of its real part."""


def reduced_shape(shape: Shape, axis: Axis, keepdims: bool, source: str = "ops") -> Shape:
    """Returns the shape after a reduction over `axis`.

    Args:
        shape: Shape of the operand.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.
        source: Name of the caller, for errors.
    """
    axes = set(normalize_axes(axis, len(shape), source))
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _reduction(result: Callable[..., str]) -> Callable[..., TensorSpec]:
    def infer(x: TensorSpec, axis: Axis = None, keepdims: bool = False, **_: Any) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, axis, keepdims), result(x.dtype))

    return infer


def min_max_reduction(source: str, promote: Callable[..., str] = dtypes.result_type) -> Rule:
    """Rule of a minimum or maximum, which needs an element or an initial value.

    Args:
        source: Name of the op, for errors.
        promote: Dtype of the result, from the dtype of the operand.
    """

    def infer(
        x: TensorSpec, axis: Axis = None, keepdims: bool = False, initial: float | None = None
    ) -> TensorSpec:
        axes = normalize_axes(axis, len(x.shape), source)
        if initial is None and any(x.shape[i] == 0 for i in axes):
            raise SpecError(
                source,
                expected="at least one element along each reduced axis",
                received=f"shape {x.shape} with axis={axis}",
                fix="remove the empty tensor, or pass an initial value to ops.max or ops.min",
            )
        return TensorSpec(reduced_shape(x.shape, axis, keepdims), promote(x.dtype))

    return Rule(infer, promote=promote)


reduction = Rule(_reduction(dtypes.result_type), promote=dtypes.result_type)
reduction_sum = Rule(_reduction(dtypes.accumulator_type), promote=dtypes.accumulator_type)
reduction_float = Rule(_reduction(dtypes.float_type), promote=dtypes.float_type)
reduction_bool = Rule(_reduction(_bool), promote=_bool)


def _arg_reduction(x: TensorSpec, axis: int | None = None, keepdims: bool = False) -> TensorSpec:
    return TensorSpec(reduced_shape(x.shape, axis, keepdims), "int32")


arg_reduction = Rule(_arg_reduction)


def _cumulative(x: TensorSpec, axis: Axis = None, dtype: DTypeLike | None = None) -> TensorSpec:
    normalize_axes(axis, len(x.shape))
    shape = (product(x.shape),) if axis is None else x.shape
    return TensorSpec(shape, dtypes.standardize_dtype(dtype or number_type(x.dtype)))


cumulative = Rule(_cumulative, promote=number_type)
"""Cumulative results along an axis, or along the flattened tensor."""

like = Rule(same)
"""Shape and dtype of the first operand."""

like_float = Rule(
    lambda x, *args, **kwargs: TensorSpec(x.shape, dtypes.float_type(x.dtype)),
    promote=dtypes.float_type,
)
"""Shape of the first operand, in a float dtype."""


def product(sizes: Sequence[int | None]) -> int | None:
    """Returns the product of sizes; None if a size is unknown."""
    result = 1
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result
