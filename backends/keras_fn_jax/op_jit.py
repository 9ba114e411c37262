"""JIT compilation of composite ops: one XLA call instead of one for each primitive."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from keras_fn.settings import settings

_NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)

_MOST_SEEN = 1_000


class _Plain(NamedTuple):
    """All that a call has beside arrays: what a compiled version is made for."""

    structure: Any
    values: tuple[Any, ...]  # None where an array stands
    types: tuple[type, ...]  # 1, 1.0 and True are equal, and mean different dtypes
    settings: tuple[Any, ...]


def compile_op(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a function of arrays and plain arguments one compiled call.

    It runs as it is inside another trace, with arguments that cannot be keys, and where it must
    see values. It is compiled for a kind of call at once, and for others of that kind, which
    differ in their numbers, when these come back: a stream of new numbers is not worth it.
    """
    functions: dict[_Plain, Callable[..., Any]] = {}
    seen: set[Any] = set()

    def body(plain: _Plain, arrays: list[jax.Array]) -> Any:
        rest = iter(arrays)
        leaves = [
            next(rest) if kind is _Array else value
            for value, kind in zip(plain.values, plain.types, strict=True)
        ]
        args, kwargs = jax.tree.unflatten(plain.structure, leaves)
        return function(*args, **kwargs)

    def function_for(plain: _Plain, arrays: list[jax.Array]) -> Callable[..., Any]:
        """The compiled function for a call, or the body where its numbers are new."""
        kind = (plain.structure, plain.types, tuple([(x.shape, x.dtype) for x in arrays]))
        comes_back = plain in seen or kind not in seen
        if len(seen) >= _MOST_SEEN:
            seen.clear()
            functions.clear()
        seen.update((plain, kind))
        run = partial(body, plain)
        if comes_back:
            run = functions[plain] = jax.jit(run)
        return run

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = jax.tree.flatten((args, kwargs))
        arrays = [x for x in leaves if isinstance(x, jax.Array)]
        if not arrays or any(isinstance(x, (Tracer, np.ndarray)) for x in leaves):
            return function(*args, **kwargs)
        values = tuple([None if isinstance(x, jax.Array) else x for x in leaves])
        types = tuple([_Array if isinstance(x, jax.Array) else type(x) for x in leaves])
        plain = _Plain(structure, values, types, settings.op_cache_key())
        try:
            run = functions.get(plain) or function_for(plain, arrays)
            return run(arrays)
        except (*_NEEDS_VALUES, TypeError):  # a TypeError: no key, or the op's own, told again
            return function(*args, **kwargs)

    return call


class _Array:
    """Marks the place of an array."""
