"""Shape and dtype rules that many ops share. They know no backend: errors are the same on all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops._op import Rule, TensorSpec

Axis = int | Sequence[int] | None


def broadcast(*shapes: Shape, source: str = "ops") -> Shape:
    """Returns the shape to which `shapes` broadcast, by NumPy's rule; None meets any size."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result: list[int | None] = []
    for sizes in zip(*padded, strict=True):
        known = {size for size in sizes if size not in (1, None)}
        if len(known) > 1:
            raise SpecError(
                source,
                expected="shapes that broadcast: sizes that are equal or 1, from the last axis on",
                received=" and ".join(map(str, shapes)),
                fix="reshape or expand one of them",
            )
        result.append(known.pop() if known else None if None in sizes else 1)
    return tuple(result)


def normalize_axis(axis: int, rank: int, source: str = "ops") -> int:
    """Returns `axis` counted from the front, checked."""
    if not -rank <= axis < max(rank, 1):
        raise SpecError(
            source,
            expected=f"an axis from {-rank} to {rank - 1}",
            received=f"axis={axis} for a tensor of rank {rank}",
            fix="choose an axis that the tensor has",
        )
    return axis % rank if rank else 0


def normalize_axes(axis: Axis, rank: int, source: str = "ops") -> tuple[int, ...]:
    """Returns the axes counted from the front; all of them for None."""
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if isinstance(axis, int) else axis
    return tuple(normalize_axis(a, rank, source) for a in axes)


def same(x: TensorSpec, *args: Any, **kwargs: Any) -> TensorSpec:
    """The result is like the first operand."""
    return TensorSpec(x.shape, dtypes.result_type(x.dtype))


def _elementwise(result: Callable[..., str]) -> Callable[..., TensorSpec]:
    def infer(*operands: Any, **options: Any) -> TensorSpec:
        specs = [x for x in operands if isinstance(x, TensorSpec)]
        return TensorSpec(broadcast(*(x.shape for x in specs)), result(*(x.dtype for x in specs)))

    return infer


def _bool(*_: Any) -> str:
    return "bool"


elementwise = Rule(_elementwise(dtypes.result_type), promote=dtypes.result_type)
"""Operands meet in one dtype, which is the result's."""

elementwise_float = Rule(_elementwise(dtypes.float_type), promote=dtypes.float_type)
"""Integers become floats first."""


def number_type(*operands: Any) -> str:
    """The dtype in which operands meet, with int32 for booleans."""
    dtype = dtypes.result_type(*operands)
    return "int32" if dtype == "bool" else dtype


elementwise_number = Rule(_elementwise(number_type), promote=number_type)
"""As `elementwise`; booleans become integers first."""

comparison = Rule(_elementwise(_bool), promote=dtypes.result_type)
"""Operands meet in one dtype; the result is boolean."""

comparison_float = Rule(_elementwise(_bool), promote=dtypes.float_type)
"""As `comparison`; integers become floats first."""

predicate = Rule(_elementwise(_bool))
"""Boolean from operands taken as they are."""

logical = Rule(_elementwise(_bool), promote=_bool)
"""Operands are cast to booleans."""


def integer_type(source: str, booleans: str = "int32") -> Callable[..., str]:
    """Returns a promotion for integers alone: floats are refused, booleans become `booleans`."""

    def promote(*operands: Any) -> str:
        dtype = dtypes.result_type(*operands)
        if dtypes.is_int(dtype):
            return dtype
        if dtype != "bool":
            raise DTypeError(
                source,
                expected="integers",
                received=f"values that meet in {dtype}",
                fix="cast them to an integer dtype",
            )
        return booleans

    return promote


def elementwise_int(source: str, booleans: str = "int32") -> Rule:
    """Operands are integers, which meet in one dtype."""
    promote = integer_type(source, booleans)
    return Rule(_elementwise(promote), promote=promote)


def difference_type(source: str) -> Callable[..., str]:
    """Returns the usual promotion, but booleans are refused: they have no differences."""

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
    """As `elementwise`, but one of the operands must be of numbers."""
    return Rule(_elementwise(difference_type(source)), promote=dtypes.result_type)


def like_number(source: str) -> Rule:
    """Shape and dtype of the operand, which is of numbers."""
    promote = difference_type(source)
    return Rule(lambda x: TensorSpec(x.shape, promote(x.dtype)), promote=promote)


def real_type(dtype: Any) -> str:
    """Returns the dtype of the parts of a complex number; another dtype as it is."""
    name = dtypes.result_type(dtype)
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


magnitude = Rule(lambda x: TensorSpec(x.shape, real_type(x.dtype)))
"""Shape of the operand, in the dtype of its real part."""


def reduced_shape(shape: Shape, axis: Axis, keepdims: bool, source: str = "ops") -> Shape:
    """Returns the shape after a reduction over `axis`."""
    axes = set(normalize_axes(axis, len(shape), source))
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _reduction(result: Callable[..., str]) -> Callable[..., TensorSpec]:
    def infer(x: TensorSpec, axis: Axis = None, keepdims: bool = False, **_: Any) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, axis, keepdims), result(x.dtype))

    return infer


def min_max_reduction(source: str, promote: Callable[..., str] = dtypes.result_type) -> Rule:
    """The largest or smallest of the elements: there must be one, or an initial value."""

    def infer(
        x: TensorSpec, axis: Axis = None, keepdims: bool = False, initial: float | None = None
    ) -> TensorSpec:
        axes = normalize_axes(axis, len(x.shape), source)
        if initial is None and any(x.shape[i] == 0 for i in axes):
            raise SpecError(
                source,
                expected="at least one element along each axis that is reduced",
                received=f"shape {x.shape} with axis={axis}",
                fix="drop the empty tensor, or give ops.max or ops.min an initial value",
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


def _cumulative(x: TensorSpec, axis: int | None = None, dtype: str | None = None) -> TensorSpec:
    if axis is not None:
        normalize_axis(axis, len(x.shape))
    shape = (product(x.shape),) if axis is None else x.shape
    return TensorSpec(shape, dtypes.standardize_dtype(dtype or number_type(x.dtype)))


cumulative = Rule(_cumulative, promote=number_type)
"""Running results along an axis, or along the flattened tensor."""

like = Rule(same)
"""Shape and dtype of the first operand."""

like_float = Rule(
    lambda x, *a, **k: TensorSpec(x.shape, dtypes.float_type(x.dtype)), promote=dtypes.float_type
)
"""Shape of the first operand, in a float dtype."""


def product(sizes: Sequence[int | None]) -> int | None:
    """Returns the product, None when a size is unknown."""
    result = 1
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result
