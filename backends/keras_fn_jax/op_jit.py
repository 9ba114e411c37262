"""JIT compilation of composite ops: one XLA call instead of one for each primitive."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from keras_fn.errors import TracedValueError
from keras_fn.settings import settings

_NEEDS_VALUES = (
    TracedValueError,
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)

_MAX_SEEN = 1_000


class _Signature(NamedTuple):
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
    compiled: dict[_Signature, Callable[..., Any]] = {}
    seen_signatures: set[Any] = set()

    def body(signature: _Signature, arrays: list[jax.Array]) -> Any:
        rest = iter(arrays)
        leaves = [
            next(rest) if kind is _Array else value
            for value, kind in zip(signature.values, signature.types, strict=True)
        ]
        args, kwargs = jax.tree.unflatten(signature.structure, leaves)
        return function(*args, **kwargs)

    def get_compiled(signature: _Signature, arrays: list[jax.Array]) -> Callable[..., Any]:
        """Returns the compiled function for a call, or the body if its static values are new."""
        shapes_key = (
            signature.structure,
            signature.types,
            tuple([(x.shape, x.dtype) for x in arrays]),
        )
        is_repeated = signature in seen_signatures or shapes_key not in seen_signatures
        if len(seen_signatures) >= _MAX_SEEN:
            seen_signatures.clear()
            compiled.clear()
        seen_signatures.update((signature, shapes_key))
        run = partial(body, signature)
        if is_repeated:
            run = compiled[signature] = jax.jit(run)
        return run

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = jax.tree.flatten((args, kwargs))
        arrays = [x for x in leaves if isinstance(x, jax.Array)]
        if not arrays or any(isinstance(x, (Tracer, np.ndarray)) for x in leaves):
            return function(*args, **kwargs)
        values = tuple([None if isinstance(x, jax.Array) else x for x in leaves])
        types = tuple([_Array if isinstance(x, jax.Array) else type(x) for x in leaves])
        signature = _Signature(structure, values, types, settings.op_cache_key())
        try:
            run = compiled.get(signature) or get_compiled(signature, arrays)
            return run(arrays)
        # A TypeError: not hashable, or raised by the op, which then raises it again.
        except (*_NEEDS_VALUES, TypeError):
            return function(*args, **kwargs)

    return call


class _Array:
    """Marks the position of an array."""
