"""Cases of slices of dynamic position."""

from typing import Any

from keras_fn.testing.conformance.case import (
    ALL,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)


def block(x: Any, start: Any, shape: Any) -> Any:
    """Moved back where it would reach beyond the end."""
    sizes = [n - int(a) if m == -1 else m for a, m, n in zip(start, shape, x.shape, strict=True)]
    start = [min(max(int(a), 0), n - m) for a, m, n in zip(start, sizes, x.shape, strict=True)]
    return x[tuple(slice(a, a + m) for a, m in zip(start, sizes, strict=True))]


def block_update(x: Any, start: Any, updates: Any) -> Any:
    result = x.copy()
    block(result, start, updates.shape)[...] = updates
    return result


KNOWN = {"numpy": "its tensors have values that are known: a block that is outside is refused"}

CASES: list[Case] = [
    case(
        "slice",
        tensor("4 5"),
        OneOf([(0, 0), (1, 2), [2, 3]]),
        OneOf([(2, 2), [1, -1], (0, 1)]),
        ref=block,
        dtypes=ALL,
        non_finite=True,
    ),
    case("slice", tensor("4 5"), array([3, -1], "int32"), (2, 3), ref=block, unsupported=KNOWN),
    case("slice", tensor("4 5"), [array(1, "int32"), 2], (2, 3), ref=block),
    case(
        "slice_update",
        tensor("4 5"),
        OneOf([(0, 0), (1, 2), [2, 3]]),
        tensor("2 2"),
        ref=block_update,
        dtypes=ALL,
        non_finite=True,
    ),
    case(
        "slice_update",
        tensor("4 5"),
        array([3, -1], "int32"),
        tensor("2 3"),
        ref=block_update,
        unsupported=KNOWN,
    ),
    case("slice_update", tensor("4 a"), (1, 0), tensor("0 a"), ref=block_update),
]

REFUSALS: list[Refusal] = [
    refusal("slice", array([1, 2]), (0, 0), (1,), match="a start for each of the 1 axes"),
    refusal("slice", array([1, 2]), (0,), (1, 1), match="a size for each of the 1 axes"),
    refusal("slice", array([1, 2]), (1,), (2,), match="a block inside"),
    refusal("slice", array([1, 2]), (-1,), (1,), match="a block inside"),
    refusal("slice_update", array([1, 2]), (1,), array([1, 2]), match="a block inside"),
    refusal("slice_update", array([1, 2]), (0,), array(1), match="updates of rank 1"),
]
