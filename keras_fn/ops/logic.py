"""Comparison, logical operators, predicates and selection."""

from __future__ import annotations

import math
from typing import Any, overload

from keras_fn.core import dtypes
from keras_fn.core.dtypes import float_type
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops._rules import (
    broadcast,
    comparison,
    comparison_float,
    logical,
    predicate,
    reduction_bool,
)
from keras_fn.ops.arithmetic import absolute, add, multiply, promote_scalars, reciprocal, subtract
from keras_fn.types import Axis, Tensor, TensorLike


@op(rule=predicate)
def isfinite(x: TensorLike) -> Tensor:
    """Tests each element for being finite: neither infinite nor NaN.

    Example:
        >>> convert_to_numpy(isfinite([1.0, float('nan'), float('inf')])).tolist()
        [True, False, False]
    """
    ...


@op(rule=predicate)
def isinf(x: TensorLike) -> Tensor:
    """Tests each element for being infinite.

    Example:
        >>> convert_to_numpy(isinf([1.0, float('nan'), float('inf')])).tolist()
        [False, False, True]
    """
    ...


@op(rule=predicate)
def isnan(x: TensorLike) -> Tensor:
    """Tests each element for being NaN.

    Example:
        >>> convert_to_numpy(isnan([1.0, float('nan'), float('inf')])).tolist()
        [False, True, False]
    """
    ...


@op(rule=logical)
def logical_not(x: TensorLike) -> Tensor:
    """Logical not, element by element.

    Example:
        >>> convert_to_numpy(logical_not([True, False])).tolist()
        [False, True]
    """
    ...


@op(rule=comparison)
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Equality, element by element: `x1 == x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(equal([1, 2], 2)).tolist()
        [False, True]
    """
    ...


@op(rule=comparison)
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Inequality, element by element: `x1 != x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(not_equal([1, 2], 2)).tolist()
        [True, False]
    """
    ...


@op(rule=comparison)
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Less than, element by element: `x1 < x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(less([1, 2], 2)).tolist()
        [True, False]
    """
    ...


@op(rule=comparison)
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Less than or equal, element by element: `x1 <= x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(less_equal([1, 3], 2)).tolist()
        [True, False]
    """
    ...


@op(rule=comparison)
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Greater than, element by element: `x1 > x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(greater([1, 3], 2)).tolist()
        [False, True]
    """
    ...


@op(rule=comparison)
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Greater than or equal, element by element: `x1 >= x2`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(greater_equal([1, 2], 2)).tolist()
        [False, True]
    """
    ...


@op(rule=logical)
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Logical and, element by element. Numbers are true if they are not 0.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(logical_and([True, True], [True, False])).tolist()
        [True, False]
    """
    ...


@op(rule=logical)
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Logical or, element by element. Numbers are true if they are not 0.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(logical_or([False, True], [False, False])).tolist()
        [False, True]
    """
    ...


@op(rule=logical)
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Logical exclusive or, element by element. Numbers are true if they are not 0.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.

    Returns:
        Boolean tensor of the broadcast shape.

    Example:
        >>> convert_to_numpy(logical_xor([True, True], [True, False])).tolist()
        [False, True]
    """
    ...


def _where_spec(
    condition: TensorSpec, x1: TensorSpec | None = None, x2: TensorSpec | None = None
) -> Any:
    if x1 is None and x2 is None:
        return tuple(TensorSpec((None,), "int32") for _ in condition.shape)
    if x1 is None or x2 is None:
        raise SpecError(
            "ops.where",
            expected="both x1 and x2, or neither",
            received="one of them",
            fix="pass a tensor or a number for the other one",
        )
    shape = broadcast(condition.shape, x1.shape, x2.shape, source="ops.where")
    return TensorSpec(shape, dtypes.result_type(x1.dtype, x2.dtype))


@overload
def where(condition: TensorLike) -> tuple[Tensor, ...]: ...
@overload
def where(condition: TensorLike, x1: TensorLike, x2: TensorLike) -> Tensor: ...
@op(rule=Rule(_where_spec, promote=dtypes.result_type, first_promoted=1))
def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """Selects elements of `x1` where `condition` is true, and of `x2` elsewhere.

    Args:
        condition: Boolean tensor; numbers are true if they are not 0.
        x1: Tensor or number, of a shape that broadcasts with the others.
        x2: Tensor or number, of a shape that broadcasts with the others.

    Returns:
        Tensor of the broadcast shape, of the promoted dtype. Without `x1` and `x2`, the indices
        where the condition is true: a tuple with an int32 tensor of shape `(n,)` for each axis.

    Raises:
        ValueError: Only one of `x1` and `x2` is given, or the shapes do not broadcast.

    Example:
        >>> convert_to_numpy(where([True, False], [1.0, 2.0], 0.0)).tolist()
        [1.0, 0.0]
    """
    ...


@op(rule=predicate)
def signbit(x: TensorLike) -> Tensor:
    """Tests each element for a negative sign; true for -0.0 too.

    Example:
        >>> convert_to_numpy(signbit([-1.0, -0.0, 0.0])).tolist()
        [True, True, False]
    """
    return less(where(equal(x, 0), reciprocal(x), x), 0)


@op(rule=predicate)
def isposinf(x: TensorLike) -> Tensor:
    """Tests each element for being positive infinity.

    Example:
        >>> convert_to_numpy(isposinf([1.0, float('inf'), -float('inf')])).tolist()
        [False, True, False]
    """
    return equal(x, math.inf)


@op(rule=predicate)
def isneginf(x: TensorLike) -> Tensor:
    """Tests each element for being negative infinity.

    Example:
        >>> convert_to_numpy(isneginf([1.0, float('inf'), -float('inf')])).tolist()
        [False, False, True]
    """
    return equal(x, -math.inf)


@op(rule=comparison_float)
def isclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Tests for equality within a tolerance: `|x1 - x2| <= atol + rtol * |x2|`, element by element.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.
        rtol: Tolerance relative to `x2`.
        atol: Absolute tolerance.
        equal_nan: Whether two NaN are considered close.

    Returns:
        Boolean tensor of the broadcast shape. Infinities of the same sign are close.

    Example:
        >>> convert_to_numpy(isclose([1.0, 2.0], [1.000001, 2.1])).tolist()
        [True, False]
    """
    x1, x2 = promote_scalars(x1, x2)
    near = less_equal(absolute(subtract(x1, x2)), add(multiply(absolute(x2), rtol), atol))
    close = logical_or(logical_and(near, isfinite(x2)), equal(x1, x2))
    return logical_or(close, logical_and(isnan(x1), isnan(x2))) if equal_nan else close


@op(
    rule=Rule(
        lambda *args, **kwargs: TensorSpec((), comparison.infer(*args, **kwargs).dtype),
        promote=float_type,
    )
)
def allclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Tests whether all elements are equal within a tolerance; see `isclose`.

    Args:
        x1: Tensor or number.
        x2: Tensor or number, of a shape that broadcasts with `x1`.
        rtol: Tolerance relative to `x2`.
        atol: Absolute tolerance.
        equal_nan: Whether two NaN are considered close.

    Returns:
        Boolean scalar.

    Example:
        >>> bool(allclose([1.0, 2.0], [1.000001, 2.0]))
        True
    """
    return all(isclose(x1, x2, rtol, atol, equal_nan))


@op(rule=reduction_bool)
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Logical and over axes: tests whether all elements are true.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Boolean tensor of the reduced shape; true for an empty tensor.

    Example:
        >>> convert_to_numpy(all([[True, False], [True, True]], axis=0)).tolist()
        [True, False]
    """
    ...


@op(rule=reduction_bool)
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Logical or over axes: tests whether any element is true.

    Args:
        x: Tensor of any shape.
        axis: Axis or axes to reduce; None for all of them.
        keepdims: Whether to keep the reduced axes, with size 1.

    Returns:
        Boolean tensor of the reduced shape; false for an empty tensor.

    Example:
        >>> convert_to_numpy(any([[True, False], [True, False]], axis=0)).tolist()
        [True, False]
    """
    ...
