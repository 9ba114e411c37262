"""Cases of `rearrange`."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import ALL, Case, Refusal, array, case, refusal, tensor

MOVED = dict(dtypes=ALL, non_finite=True)


def rearranged(shape: tuple[int, ...], order: tuple[int, ...], joined: tuple[int, ...]) -> Any:
    """A reference for `rearrange`: the three steps of NumPy."""
    return lambda x, *_, **__: x.reshape(shape).transpose(order).reshape(joined)


CASES: list[Case] = [
    case(
        "rearrange",
        tensor("a b c"),
        "a b c -> c a b",
        ref=lambda x, _: x.transpose(2, 0, 1),
        **MOVED,
    ),
    case(
        "rearrange",
        tensor("a 6"),
        "a (b c) -> c a b",
        b=3,
        ref=lambda x, _, b: x.reshape(-1, 3, 2).transpose(2, 0, 1),
    ),
    case(
        "rearrange",
        tensor("2 4 6 3"),
        "b (h p) (w q) c -> (b h w) (p q c)",
        p=2,
        q=3,
        ref=rearranged((2, 2, 2, 2, 3, 3), (0, 1, 3, 2, 4, 5), (8, 18)),
    ),
    case(
        "rearrange",
        tensor("a b c"),
        "a b c -> a (b c)",
        ref=lambda x, _: x.reshape(x.shape[0], x.shape[1] * x.shape[2]),
    ),
    case("rearrange", tensor("... a"), "... a -> a ...", ref=lambda x, _: np.moveaxis(x, -1, 0)),
    case(
        "rearrange",
        tensor("a ..."),
        "a ... -> (...) a",
        ref=lambda x, _: np.moveaxis(x, 0, -1).reshape(-1, x.shape[0]),
        min_size=1,
    ),
    case("rearrange", tensor("a b"), "a b -> a 1 b ()", ref=lambda x, _: x[:, None, :, None]),
    case("rearrange", tensor("a 1 b"), "a 1 b -> b a", ref=lambda x, _: x[:, 0].T),
    case("rearrange", tensor("a b"), "a b -> a b", ref=lambda x, _: x),
]

REFUSALS: list[Refusal] = [
    refusal("rearrange", array([[1, 2]]), "a b, c", match="two sides"),
    refusal("rearrange", array([[1, 2]]), "a b -> a c", match="b, c on one side only"),
    refusal("rearrange", array([[1, 2]]), "a b -> b", match="a on one side only"),
    refusal("rearrange", array([[1, 2]]), "a a -> a a", match="a repeated name"),
    refusal("rearrange", array([[1, 2]]), "a (b -> b a", match="a '\\)' for each"),
    refusal("rearrange", array([[1, 2]]), "a b? -> b a", match="names, 1, '...' and parentheses"),
    refusal("rearrange", array([[1, 2]]), "a b c -> a b c", match="a tensor of rank 3"),
    refusal("rearrange", array([[1, 2]]), "a (b c) -> a b c", match="at most one axis without"),
    refusal("rearrange", array([[1, 2]]), "a (b c) -> a b c", b=3, match="of the size of"),
    refusal(
        "rearrange", array([[1, 2]]), "a b -> b a", c=3, match="lengths of axes in the pattern"
    ),
    refusal("rearrange", array([[1, 2]]), "(... a) -> a ...", match="outside of parentheses"),
]
