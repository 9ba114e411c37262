"""Functions applied to many slices at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError
from keras_fn.ops._control_flow_utils import (
    FlatFunction,
    FunctionNode,
    add_leading_axis,
    backend_transform,
    is_building_graph,
    leading_axis_size,
    tensor_leaves,
    to_tensors,
)
from keras_fn.ops._op import is_symbolic, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, product
from keras_fn.ops.core import convert_to_tensor
from keras_fn.ops.indexing import getitem
from keras_fn.ops.manipulation import broadcast_to, concatenate, flip, reshape, stack


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Calls `function` with each slice along the first axis, all at once.

    Args:
        function: Takes nested slices, returns nested tensors. It assigns no variables.
        elements: Nested tensors of one first size.

    Returns:
        The results, stacked along a first axis.

    Example:
        >>> convert_to_numpy(vectorized_map(lambda x: x * x, convert_to_tensor([1, 2]))).tolist()
        [1, 4]
    """
    size = leading_axis_size("ops.vectorized_map", elements)
    if is_building_graph(elements):
        return FunctionNode("vectorized_map", lambda e: vectorized_map(function, e))(elements)
    if is_symbolic(elements):
        one = tree.map_structure(lambda x: None if x is None else getitem(x, 0), elements)
        return add_leading_axis(size, function(one))
    elements = to_tensors(elements)

    def pure(slices: Any) -> Any:
        with StatelessScope() as scope:
            result = function(slices)
        if scope.written:
            raise SpecError(
                "ops.vectorized_map",
                expected="a function that assigns no variables",
                received=", ".join(v.path for v in scope.written.values()),
                fix="use ops.map or ops.scan, which run one call after the other",
            )
        return result

    flat = FlatFunction(pure, elements)
    return flat.nested(backend_transform("vectorized_map")(flat, tensor_leaves(elements)))


# ---------------------------------------------------------------- vectorize

_CORE = re.compile(r"\(([^()]*)\)")


def _signature(signature: str) -> tuple[list[tuple[str, ...]], int]:
    """The core axes of each argument, and how many results there are."""
    left, arrow, right = signature.replace(" ", "").partition("->")
    sides = [_CORE.findall(side) for side in (left, right)]
    for side, found in zip((left, right), sides, strict=True):
        if not arrow or not found or ",".join(f"({core})" for core in found) != side:
            raise SpecError(
                "ops.vectorize",
                expected="a signature such as '(m,n),(n)->(m)'",
                received=f"{signature!r}",
                fix="name the axes that one call takes and returns",
            )
    return [tuple(filter(None, core.split(","))) for core in sides[0]], len(sides[1])


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """Makes a function of scalars, or of arrays of few axes, one that broadcasts over all others.

    Args:
        pyfunc: The function.
        excluded: Positions and names of arguments that are handed on as they are.
        signature: The axes that one call takes and returns, for example `"(m,n),(n)->(m)"` for a
            matrix and a vector; by default scalars.

    Returns:
        The function: the axes in front of those of the signature broadcast, and come first in the
        results.

    Example:
        >>> total = vectorize(lambda x: sum(x), signature="(n)->()")
        >>> convert_to_numpy(total([[1, 2], [3, 4]])).tolist()
        [3, 7]
    """
    left_out = set(excluded or ())
    cores = None if signature is None else _signature(signature)[0]

    @wraps(pyfunc)
    def call(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in range(len(args)) if i not in left_out]
        names = [name for name in kwargs if name not in left_out]
        values = [convert_to_tensor(args[i]) for i in places]
        values += [convert_to_tensor(kwargs[name]) for name in names]
        ranks = [len(core) for core in cores] if cores is not None else [0] * len(values)
        loops = _loop_shapes(cores, values, ranks)

        def run(values: Any) -> Any:
            positional, named = list(args), dict(kwargs)
            for i, value in zip(places, values, strict=False):
                positional[i] = value
            named.update(zip(names, values[len(places) :], strict=True))
            return pyfunc(*positional, **named)

        outer = broadcast(*loops, source="ops.vectorize") if loops else ()
        if not outer:
            return to_tensors(run(values))
        wide = []
        for value, loop in zip(values, loops, strict=True):
            core = tuple(spec_of(value).shape[len(loop) :])
            wide.append(reshape(broadcast_to(value, (*outer, *core)), (product(outer), *core)))
        results = vectorized_map(run, wide)
        return tree.map_structure(lambda y: reshape(y, (*outer, *spec_of(y).shape[1:])), results)

    return call


def _loop_shapes(
    cores: list[tuple[str, ...]] | None, values: list[Any], ranks: list[int]
) -> list[tuple[int | None, ...]]:
    """The axes in front of those that one call takes; sizes of one name are checked."""
    shapes = [spec_of(value).shape for value in values]
    sizes: dict[str, Any] = {}
    fits = len(ranks) == len(shapes) and all(
        len(shape) >= rank for shape, rank in zip(shapes, ranks, strict=True)
    )
    for core, shape in zip(cores or (), shapes, strict=False):
        for name, size in zip(core, shape[len(shape) - len(core) :], strict=False):
            fits = fits and sizes.setdefault(name, size) == size
    if not fits:
        raise SpecError(
            "ops.vectorize",
            expected=f"arguments with the axes {cores}",
            received=", ".join(map(str, shapes)),
            fix="check the signature and the shapes",
        )
    return [shape[: len(shape) - rank] for shape, rank in zip(shapes, ranks, strict=True)]


# ---------------------------------------------------------------- associative_scan


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results `f(f(a, b), c)` … of an associative function along an axis.

    They take a number of steps that grows with the logarithm of the size.

    Args:
        f: Takes two nested structures like `elems`, combines them element by element along
            `axis`, returns one. `f(a, f(b, c))` is `f(f(a, b), c)`.
        elems: Nested tensors of one size along `axis`.
        reverse: Whether to begin at the end.
        axis: The axis.

    Returns:
        Nested tensors like `elems`.

    Example:
        >>> sums = associative_scan(lambda a, b: a + b, convert_to_tensor([1, 2, 3]))
        >>> convert_to_numpy(sums).tolist()
        [1, 3, 6]

    References:
        Blelloch, "Prefix Sums and Their Applications", 1990.
    """
    if is_building_graph(elems):
        return FunctionNode("associative_scan", lambda e: associative_scan(f, e, reverse, axis))(
            elems
        )
    elems = to_tensors(elems)
    flat = tree.flatten(elems)
    places = [normalize_axis(axis, len(x.shape), "ops.associative_scan") for x in flat]
    sizes = {x.shape[i] for x, i in zip(flat, places, strict=True)}
    if is_symbolic(elems):
        return f(elems, elems)
    if len(sizes) != 1 or None in sizes:
        raise SpecError(
            "ops.associative_scan",
            expected=f"one known size along axis {axis}",
            received=", ".join(str(tuple(x.shape)) for x in flat),
            fix="use ops.scan",
        )

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        return tree.flatten(f(tree.unflatten(elems, a), tree.unflatten(elems, b)))

    def cut(xs: list[Any], *bounds: Any) -> list[Any]:
        span = slice(*bounds)
        return [getitem(x, (*(slice(None),) * i, span)) for x, i in zip(xs, places, strict=True)]

    def run(xs: list[Any], size: int) -> list[Any]:
        if size < 2:
            return xs
        half = size // 2
        # Neighbours in pairs: their partial results are those at the odd places.
        odd = run(combine(cut(xs, 0, 2 * half, 2), cut(xs, 1, None, 2)), half)
        inner = (size - 1) // 2
        even = combine(cut(odd, 0, inner), cut(xs, 2, None, 2)) if inner else None
        first = cut(xs, 0, 1)
        return [
            _interleave(a if even is None else concatenate([a, even[k]], axis=i), odd[k], i)
            for k, (a, i) in enumerate(zip(first, places, strict=True))
        ]

    def turned(xs: list[Any]) -> list[Any]:
        return [flip(x, i) for x, i in zip(xs, places, strict=True)] if reverse else xs

    return tree.unflatten(elems, turned(run(turned(flat), sizes.pop())))


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """The slices of both in turn; `even` has one more, or as many."""
    size, more = odd.shape[axis], even.shape[axis] - odd.shape[axis]
    before = (slice(None),) * axis
    shape = list(odd.shape)
    shape[axis] = 2 * size
    pairs = reshape(stack([getitem(even, (*before, slice(size))), odd], axis=axis + 1), shape)
    if not more:
        return pairs
    return concatenate([pairs, getitem(even, (*before, slice(size, None)))], axis=axis)
