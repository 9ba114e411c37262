"""Vectorization: functions of slices applied to whole tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
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
from keras_fn.ops.joining_splitting import concatenate, stack
from keras_fn.ops.manipulation import broadcast_to, reshape
from keras_fn.ops.rearranging import flip
from keras_fn.types import Nested


def vectorized_map(function: Callable[[Any], Any], elements: Nested) -> Any:
    """Vectorizes `function` over the first axis (`jax.vmap`, `torch.vmap`).

    Args:
        function: Takes nested slices, returns nested tensors. It must not assign variables.
        elements: Nested tensors whose first axes have one size.

    Returns:
        The results, stacked along a new first axis.

    Raises:
        ValueError: The sizes of the first axes differ, or the function assigns a variable.

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
                fix="use ops.map or ops.scan, which make the calls one after the other",
            )
        return result

    flat = FlatFunction(pure, elements)
    return flat.unflatten(backend_transform("vectorized_map")(flat, tensor_leaves(elements)))


# ---------------------------------------------------------------- vectorize

_CORE = re.compile(r"\(([^()]*)\)")


def _signature(signature: str) -> tuple[list[tuple[str, ...]], int]:
    """Parses a signature: the core dimensions of each argument, and the number of results."""
    inputs, arrow, outputs = signature.replace(" ", "").partition("->")
    sides = [_CORE.findall(side) for side in (inputs, outputs)]
    for side, cores in zip((inputs, outputs), sides, strict=True):
        if not arrow or not cores or ",".join(f"({core})" for core in cores) != side:
            raise SpecError(
                "ops.vectorize",
                expected="a signature such as '(m,n),(n)->(m)'",
                received=f"{signature!r}",
                fix="name the axes that one call takes and returns",
            )
    return [tuple(filter(None, core.split(","))) for core in sides[0]], len(sides[1])


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """Generalizes a function of scalars or small arrays, so that it broadcasts over all other axes.

    Args:
        pyfunc: The function.
        excluded: Positions and names of arguments that are passed unchanged.
        signature: Core dimensions of the arguments and results, for example `"(m,n),(n)->(m)"` for
            a matrix and a vector; by default all are scalars.

    Returns:
        The vectorized function: the axes before the core dimensions are broadcast, and come first
        in the results.

    Raises:
        ValueError: The signature is invalid, or, when it is called, the arguments do not match it.

    Example:
        >>> total = vectorize(lambda x: sum(x), signature="(n)->()")
        >>> convert_to_numpy(total([[1, 2], [3, 4]])).tolist()
        [3, 7]
    """
    excluded_set = set(excluded or ())
    cores = None if signature is None else _signature(signature)[0]

    @wraps(pyfunc)
    def call(*args: Any, **kwargs: Any) -> Any:
        positions = [i for i in range(len(args)) if i not in excluded_set]
        names = [name for name in kwargs if name not in excluded_set]
        values = [convert_to_tensor(args[i]) for i in positions]
        values += [convert_to_tensor(kwargs[name]) for name in names]
        ranks = [len(core) for core in cores] if cores is not None else [0] * len(values)
        loops = _loop_shapes(cores, values, ranks)

        def run(values: Any) -> Any:
            positional, named = list(args), dict(kwargs)
            for i, value in zip(positions, values, strict=False):
                positional[i] = value
            named.update(zip(names, values[len(positions) :], strict=True))
            return pyfunc(*positional, **named)

        outer = broadcast(*loops, source="ops.vectorize") if loops else ()
        if not outer:
            return to_tensors(run(values))
        flattened = []
        for value, loop in zip(values, loops, strict=True):
            core = tuple(spec_of(value).shape[len(loop) :])
            flattened.append(reshape(broadcast_to(value, (*outer, *core)), (product(outer), *core)))
        results = vectorized_map(run, flattened)
        return tree.map_structure(lambda y: reshape(y, (*outer, *spec_of(y).shape[1:])), results)

    return call


def _loop_shapes(
    cores: list[tuple[str, ...]] | None, values: list[Any], ranks: list[int]
) -> list[tuple[int | None, ...]]:
    """Returns the shapes without the core dimensions; sizes of the same name must be equal."""
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
    f: Callable[[Any, Any], Any], elems: Nested, reverse: bool = False, axis: int = 0
) -> Any:
    """Parallel prefix scan: all partial results `f(f(a, b), c)` … of an associative function.

    The number of sequential steps grows with the logarithm of the size.

    Args:
        f: Takes two nested structures like `elems`, combines them elementwise along `axis`, and
            returns one. It must be associative: `f(a, f(b, c))` equals `f(f(a, b), c)`.
        elems: Nested tensors of one size along `axis`.
        reverse: Whether to start with the last element.
        axis: The axis to scan.

    Returns:
        Nested tensors with the structure, shapes and dtypes of `elems`.

    Raises:
        ValueError: The sizes along `axis` differ or are unknown.

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
    axes = [normalize_axis(axis, len(x.shape), "ops.associative_scan") for x in flat]
    sizes = {x.shape[i] for x, i in zip(flat, axes, strict=True)}
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

    def slice_all(xs: list[Any], *bounds: Any) -> list[Any]:
        span = slice(*bounds)
        return [getitem(x, (*(slice(None),) * i, span)) for x, i in zip(xs, axes, strict=True)]

    def run(xs: list[Any], size: int) -> list[Any]:
        if size < 2:
            return xs
        half = size // 2
        # Combine adjacent pairs: their partial results are the results at odd indices.
        odd = run(combine(slice_all(xs, 0, 2 * half, 2), slice_all(xs, 1, None, 2)), half)
        inner = (size - 1) // 2
        even = combine(slice_all(odd, 0, inner), slice_all(xs, 2, None, 2)) if inner else None
        first = slice_all(xs, 0, 1)
        return [
            _interleave(a if even is None else concatenate([a, even[k]], axis=i), odd[k], i)
            for k, (a, i) in enumerate(zip(first, axes, strict=True))
        ]

    def flip_if_reverse(xs: list[Any]) -> list[Any]:
        return [flip(x, i) for x, i in zip(xs, axes, strict=True)] if reverse else xs

    return tree.unflatten(elems, flip_if_reverse(run(flip_if_reverse(flat), sizes.pop())))


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """Interleaves the slices of both along an axis; `even` has as many, or one more."""
    size, remainder = odd.shape[axis], even.shape[axis] - odd.shape[axis]
    before = (slice(None),) * axis
    shape = list(odd.shape)
    shape[axis] = 2 * size
    pairs = reshape(stack([getitem(even, (*before, slice(size))), odd], axis=axis + 1), shape)
    if not remainder:
        return pairs
    return concatenate([pairs, getitem(even, (*before, slice(size, None)))], axis=axis)
