"""`rearrange`: transposes, splits and merges axes according to an einops pattern."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.manipulation import reshape, transpose
from keras_fn.types import Tensor, TensorLike

Groups = tuple[tuple[str, ...], ...]
_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z]\w*|[()1]|\S)")
_WORD = re.compile(r"\.\.\.|[A-Za-z]\w*")


class Pattern(NamedTuple):
    """Both sides of a pattern: for each axis the names it is composed of, none for size 1."""

    left: Groups
    right: Groups


class Recipe(NamedTuple):
    """Steps for tensors of one shape; None for a step that changes nothing."""

    split: tuple[Any, ...] | None
    order: tuple[int, ...] | None
    join: tuple[Any, ...] | None


def _pattern_error(pattern: str, expected: str, received: str) -> SpecError:
    return SpecError(
        "ops.rearrange",
        expected=expected,
        received=f"{received}, pattern {pattern!r}",
        fix="name every axis once on each side, for example 'b (h w) c -> b h w c'",
    )


@lru_cache(256)
def _parse(pattern: str) -> Pattern:
    """Parses a pattern and checks that both sides have the same names."""
    left, arrow, right = pattern.partition("->")
    if not arrow or "->" in right:
        raise _pattern_error(pattern, "two sides, separated by '->'", "another number of sides")
    sides = Pattern(_groups(pattern, left), _groups(pattern, right))
    names = [[name.strip("()") for group in side for name in group] for side in sides]
    for side in names:
        if len(set(side)) < len(side):
            raise _pattern_error(pattern, "each name once on a side", "a repeated name")
    if set(names[0]) != set(names[1]):
        unmatched = ", ".join(sorted(set(names[0]) ^ set(names[1])))
        raise _pattern_error(
            pattern, "the same names on both sides", f"{unmatched} on one side only"
        )
    if any("(...)" in group for group in sides.left):
        raise _pattern_error(
            pattern, "'...' outside of parentheses on the left", "'...' within them"
        )
    return sides


def _groups(pattern: str, side: str) -> Groups:
    groups: list[tuple[str, ...]] = []
    inner: list[str] | None = None
    for token in _TOKEN.findall(side):
        if token == "(" and inner is None:
            inner = []
        elif token == ")" and inner is not None:
            groups.append(tuple(inner))
            inner = None
        elif token == "1":
            if inner is None:
                groups.append(())
        elif _WORD.fullmatch(token) and inner is not None:
            inner.append("(...)" if token == "..." else token)
        elif _WORD.fullmatch(token):
            groups.append((token,))
        else:
            raise _pattern_error(pattern, "names, 1, '...' and parentheses", f"{token!r}")
    if inner is not None:
        raise _pattern_error(pattern, "a ')' for each '('", "one that is missing")
    return tuple(groups)


def _expand_ellipsis(groups: Groups, dots: int) -> Groups:
    """Expands `...` to that many axes; within parentheses it becomes names."""
    expanded: list[tuple[str, ...]] = []
    for group in groups:
        if group == ("...",):
            expanded += [(f"...{i}",) for i in range(dots)]
        else:
            names: list[str] = []
            for name in group:
                names += [f"...{i}" for i in range(dots)] if name == "(...)" else [name]
            expanded.append(tuple(names))
    return tuple(expanded)


def _sizes(
    pattern: str, groups: Groups, shape: tuple[Any, ...], lengths: dict[str, int]
) -> dict[str, Any]:
    """Returns the size of each name; sizes of `shape` may be None, or scalar tensors."""
    sizes: dict[str, Any] = {}
    for group, size in zip(groups, shape, strict=True):
        open_names = [name for name in group if name not in lengths]
        known = 1
        for name in group:
            known *= lengths.get(name, 1)
        if len(open_names) > 1:
            raise _pattern_error(
                pattern,
                "at most one axis without a length in each pair of parentheses",
                f"no lengths for {', '.join(open_names)}",
            )
        is_valid = not isinstance(size, int) or (size % known == 0 if open_names else size == known)
        if not is_valid or known < 1:
            raise _pattern_error(
                pattern, f"an axis of the size of ({' '.join(group)})", f"shape {shape}"
            )
        sizes.update((name, lengths[name]) for name in group if name in lengths)
        sizes.update((name, None if size is None else size // known) for name in open_names)
    return sizes


def _merge_sizes(groups: Groups, sizes: dict[str, Any]) -> tuple[Any, ...]:
    """Returns the sizes of the groups; None where a size is unknown."""
    merged: list[Any] = []
    for group in groups:
        size: Any = 1
        for name in group:
            size = None if size is None or sizes[name] is None else size * sizes[name]
        merged.append(size)
    return tuple(merged)


def _plan(pattern: str, shape: tuple[Any, ...], lengths: dict[str, int]) -> Recipe:
    sides = _parse(pattern)
    named = sum(group != ("...",) for group in sides.left)
    dots = len(shape) - named
    if dots < 0 or (dots and ("...",) not in sides.left):
        raise _pattern_error(pattern, f"a tensor of rank {named}", f"shape {shape}")
    left, right = _expand_ellipsis(sides.left, dots), _expand_ellipsis(sides.right, dots)
    names = [name for group in left for name in group]
    unknown = sorted(lengths.keys() - set(names))
    if unknown:
        raise _pattern_error(pattern, "lengths of axes in the pattern", ", ".join(unknown))
    sizes = _sizes(pattern, left, shape, lengths)
    order = tuple(names.index(name) for group in right for name in group)
    return Recipe(
        None if all(len(group) == 1 for group in left) else tuple(sizes[n] for n in names),
        None if order == tuple(range(len(names))) else order,
        None if all(len(group) == 1 for group in right) else _merge_sizes(right, sizes),
    )


@lru_cache(1024)
def _cached_plan(pattern: str, shape: Shape, *lengths: tuple[str, int]) -> Recipe:
    return _plan(pattern, shape, dict(lengths))


def _rearrange(tensor: TensorSpec, pattern: str, **axes_lengths: int) -> TensorSpec:
    split, order, join = _plan(pattern, tensor.shape, axes_lengths)
    shape = tensor.shape if split is None else split
    shape = shape if order is None else tuple(shape[i] for i in order)
    return TensorSpec(shape if join is None else join, tensor.dtype)


@op(rule=Rule(_rearrange))
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Rearranges axes according to an einops pattern: transposes, splits and merges them.

    Args:
        tensor: Tensor of any shape.
        pattern: Names of the axes of the tensor, `->`, names of the axes of the result. Names in
            parentheses compose one axis, the last name varying fastest; `1` is an axis of size 1,
            `...` stands for any other axes.
        **axes_lengths: Sizes of names. In each pair of parentheses on the left, one may be omitted.

    Returns:
        A tensor of the dtype of `tensor`, in the shape that the right side describes.

    Raises:
        ValueError: The pattern is invalid, or does not match the tensor.

    Example:
        >>> images = zeros((2, 4, 6, 3))
        >>> rearrange(images, "b h w c -> b c h w").shape == (2, 3, 4, 6)
        True
        >>> rearrange(images, "b (h p) (w q) c -> (b h w) (p q c)", p=2, q=2).shape == (12, 12)
        True

    References:
        Rogozhnikov, "Einops: Clear and Reliable Tensor Manipulations with Einstein-like Notation",
        ICLR 2022. https://openreview.net/forum?id=oapKSVM2bcj
    """
    shape = shape_of(tensor)
    if all(isinstance(size, int) for size in shape):
        split, order, join = _cached_plan(pattern, shape, *axes_lengths.items())
    else:
        split, order, join = _plan(pattern, shape, axes_lengths)
    result: Any = tensor
    if split is not None:
        result = reshape(result, split)
    if order is not None:
        result = transpose(result, order)
    return result if join is None else reshape(result, join)
