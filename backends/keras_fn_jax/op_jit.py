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
    """Static part of a call: everything but its arrays. The key of a compiled function."""

    structure: Any
    values: tuple[Any, ...]  # None at the position of an array
    types: tuple[type, ...]  # 1, 1.0 and True are equal but have different dtypes
    settings: tuple[Any, ...]


def compile_op(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: JIT-compiles the body of an op, a function of arrays and static arguments.

    The body runs uncompiled in another trace, with static arguments that are not hashable, and if
    it needs concrete values. A new signature (structure, types, shapes) compiles at once; a known
    signature with new static values compiles only when those values occur again: a stream of
    ever-new numbers would compile at every call.
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
        """Returns the compiled function for a call, or the body if its static values are new."""
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
        except (
            *_NEEDS_VALUES,
            TypeError,
        ):  # a TypeError: not hashable, or raised by the op and then raised again
            return function(*args, **kwargs)

    return call


class _Array:
    """Marks the position of an array."""
