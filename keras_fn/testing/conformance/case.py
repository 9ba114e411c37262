"""Rows of the conformance table: a call of an op, the arguments it draws, the NumPy reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FLOATS = ("float32", "bfloat16")
NUMBERS = (*FLOATS, "int32")
ALL = (*NUMBERS, "bool")


@dataclass(frozen=True)
class TensorArgument:
    """A tensor argument that is drawn. The table calls it `tensor`.

    Attributes:
        shape: Sizes, separated by spaces. `"..."`, which comes first, is any number of axes, such
            that the tensors of a case broadcast; a letter is a drawn size, the same for each use
            of the letter in the case; a number is itself. `""` is a scalar.
        low: Lower bound of the elements.
        high: Upper bound of the elements, inclusive for integers.
        dtype: A fixed dtype; None for the dtype under test.
        transform: Changes the drawn NumPy array, for example into a symmetric matrix.
        static_shape: Whether all sizes are known during symbolic inference, as the sizes of
            weights are.
    """

    shape: str = "..."
    low: float = -3.0
    high: float = 3.0
    dtype: str | None = None
    transform: Callable[[Any], Any] | None = None
    static_shape: bool = False


@dataclass(frozen=True)
class ArrayArgument:
    """A tensor argument with given values, in a fixed dtype or in the dtype under test.

    The table calls it `array`.
    """

    values: Any
    dtype: str | None = None


tensor, array = TensorArgument, ArrayArgument


@dataclass(frozen=True)
class OneOf:
    """A non-tensor argument that is sampled from the given values."""

    values: Sequence[Any]


@dataclass(frozen=True)
class AxisArgument:
    """A non-tensor argument: an axis of the first tensor, counted from either end.

    Attributes:
        allow_none: Whether None is drawn, too.
        allow_multiple: Whether tuples of axes are drawn, too.
    """

    allow_none: bool = False
    allow_multiple: bool = False


@dataclass(frozen=True)
class Case:
    """One way to call an op.

    Attributes:
        op: Name of the op in `keras_fn.ops`: "add", "image.resize".
        args: Positional arguments: `tensor`, `array`, `OneOf`, `AxisArgument`, lists of them,
            plain values.
        reference: NumPy implementation: takes the same arguments as arrays (floats as float64,
            other dtypes unchanged) and returns the expected results.
        options: Keyword arguments, of the same kinds as `args`.
        check: Used instead of `reference` where the result is not unique: takes the results and
            the arguments as NumPy arrays, and asserts the properties that must hold.
        dtypes: Dtypes under test.
        result_dtype: Dtype of the result: "same" as the dtype under test, "float" (floats are
            kept, other dtypes become float32), "sum" (NumPy's accumulator: small integers become
            int32 or uint32), or the name of a dtype; one for all results, or one for each,
            separated by commas.
        min_size: Smallest size of a letter, or of an axis of "...".
        rank: Bounds of the number of axes of "...", inclusive.
        gradient: Whether the gradient is compared with finite differences of the reference.
        non_finite: Whether elements that are NaN or infinite are tested against NumPy.
        jit: Whether the op can be compiled; not where the shape of the result depends on values.
        symbolic: Whether the op takes KerasTensors.
        dynamic_shapes: Whether sizes may be unknown during symbolic inference.
        tolerance: Factor of the tolerance; a comment explains a factor other than 1.
        unsupported: Names of backends whose framework cannot do this at all, with the reason.
    """

    op: str
    args: tuple[Any, ...]
    reference: Callable[..., Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[..., None] | None = None
    dtypes: tuple[str, ...] = NUMBERS
    result_dtype: str = "same"
    min_size: int = 0
    rank: tuple[int, int] = (0, 4)
    gradient: bool = True
    non_finite: bool = False
    jit: bool = True
    symbolic: bool = True
    dynamic_shapes: bool = True
    tolerance: float = 1.0
    unsupported: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """A call that an op must refuse, on tensors and on KerasTensors.

    Attributes:
        op: Name of the op.
        args: Positional arguments: `array` and plain values.
        match: Regular expression that the error message matches.
        options: Keyword arguments.
        error: Class of the exception.
    """

    op: str
    args: tuple[Any, ...]
    match: str
    options: Mapping[str, Any] = field(default_factory=dict)
    error: type[Exception] = ValueError


def case(op: str, *args: Any, ref: Callable[..., Any] | None = None, **fields: Any) -> Case:
    """Creates a `Case`.

    Args:
        op: Name of the op.
        *args: Positional arguments of the op.
        ref: NumPy reference.
        **fields: Fields of the case; all other names are keyword arguments of the op.

    Returns:
        A `Case`.
    """
    options = {k: fields.pop(k) for k in list(fields) if k not in Case.__dataclass_fields__}
    return Case(op, args, ref, {**options, **fields.pop("options", {})}, **fields)


def refusal(
    op: str, *args: Any, match: str, error: type[Exception] = ValueError, **options: Any
) -> Refusal:
    """Creates a `Refusal`.

    Args:
        op: Name of the op.
        *args: Positional arguments of the op.
        match: Regular expression that the error message matches.
        error: Class of the exception.
        **options: Keyword arguments of the op.

    Returns:
        A `Refusal`.
    """
    return Refusal(op, args, match, options, error)
