"""What the table is made of: a call of an op, how its arguments are drawn, what NumPy says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FLOATS = ("float32", "bfloat16")
NUMBERS = (*FLOATS, "int32")
ALL = (*NUMBERS, "bool")


@dataclass(frozen=True)
class T:
    """A tensor to draw.

    Attributes:
        shape: Sizes, as words. `"..."`, which comes first, is any number of axes, such that the
            tensors of a case broadcast; a letter is a size to draw, the same wherever it stands in
            the case; a number is itself. `""` is a scalar.
        low: Lower bound of the elements.
        high: Upper bound of the elements, itself included for integers.
        dtype: A dtype of its own; None for the one that the case is tried in.
        make: Changes the NumPy array that was drawn, say into a symmetric one.
        known: Whether all sizes are known where a graph is built, as those of weights are.
    """

    shape: str = "..."
    low: float = -3.0
    high: float = 3.0
    dtype: str | None = None
    make: Callable[[Any], Any] | None = None
    known: bool = False


@dataclass(frozen=True)
class A:
    """A tensor that is given, in a dtype of its own or in the one that the case is tried in."""

    values: Any
    dtype: str | None = None


@dataclass(frozen=True)
class OneOf:
    """A plain argument, drawn from some values."""

    values: Sequence[Any]


@dataclass(frozen=True)
class Axis:
    """A plain argument: an axis of the first tensor, counted from either end.

    Attributes:
        none: Whether None is drawn, too.
        several: Whether tuples of axes are drawn, too.
    """

    none: bool = False
    several: bool = False


@dataclass(frozen=True)
class Case:
    """One way to call an op.

    Attributes:
        op: The op, as `keras_fn.ops` has it: "add", "image.resize".
        args: Its arguments: `T`, `A`, `OneOf`, `Axis`, lists of them, plain values.
        reference: Returns what the op should, from NumPy arrays: floats come as float64, other
            dtypes as they are. It gets the same options.
        options: Keyword arguments, likewise.
        check: Instead of `reference`, where the result is not unique: takes the results and the
            arguments, as NumPy arrays, and asserts what must hold.
        dtypes: The dtypes that the case is tried in.
        result: Dtype of the result: "same" as the case's, "float" (floats stay, others become
            float32), "sum" (as NumPy accumulates: small integers become int32 or uint32), or the
            name of a dtype; one for all results or a comma between each.
        least: Smallest size that a letter, or an axis of "...", stands for.
        rank: Ranks that "..." stands for: from and to.
        gradient: Whether the gradient is compared with differences of the reference.
        specials: Whether NaN and infinities among the elements give what they give in NumPy.
        jit: Whether the op can be compiled: not where the shape of the result depends on values.
        symbolic: Whether the op takes KerasTensors.
        unknown: Whether sizes may be unknown where a graph is built.
        tolerance: What the tolerance is multiplied by; a factor other than 1 says why in a
            comment.
        lacks: What a framework cannot do at all: the reason, by backend.
    """

    op: str
    args: tuple[Any, ...]
    reference: Callable[..., Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[..., None] | None = None
    dtypes: tuple[str, ...] = NUMBERS
    result: str = "same"
    least: int = 0
    rank: tuple[int, int] = (0, 4)
    gradient: bool = True
    specials: bool = False
    jit: bool = True
    symbolic: bool = True
    unknown: bool = True
    tolerance: float = 1.0
    lacks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """A call that an op refuses, on tensors and where a graph is built.

    Attributes:
        op: The op.
        args: Its arguments: `A` and plain values.
        match: A pattern in the message.
        options: Keyword arguments.
        error: What it raises.
    """

    op: str
    args: tuple[Any, ...]
    match: str
    options: Mapping[str, Any] = field(default_factory=dict)
    error: type[Exception] = ValueError


def case(op: str, *args: Any, ref: Callable[..., Any] | None = None, **fields: Any) -> Case:
    """Makes a `Case`. What is not one of its fields is a keyword argument of the op."""
    options = {k: fields.pop(k) for k in list(fields) if k not in Case.__dataclass_fields__}
    return Case(op, args, ref, {**options, **fields.pop("options", {})}, **fields)


def refusal(op: str, *args: Any, match: str, error: type[Exception] = ValueError, **options: Any):
    """Makes a `Refusal`."""
    return Refusal(op, args, match, options, error)
