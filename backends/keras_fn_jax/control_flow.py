"""Branches, loops and scans."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

import jax
from jax import lax
from jax.core import Tracer

from keras_fn.core.captured_variables import CapturedVariables, with_captured_variables
from keras_fn.core.scopes import StatelessScope, context


def switch(index: jax.Array, functions: Sequence[Callable[[], Any]]) -> list[jax.Array]:
    """`lax.switch`."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        return lax.switch(index, [state.functionalize(f) for f in functions], state.values)

    return with_captured_variables(run)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    leaves: Sequence[jax.Array],
    maximum_iterations: Any = None,
) -> list[jax.Array]:
    """`lax.while_loop`, which has no reverse-mode gradient: the iteration count is unknown."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        test, step = state.functionalize(cond), state.functionalize(body)

        def cond_fun(loop: Any) -> Any:
            iteration, values, leaves = loop
            _, proceed = test(values, leaves)
            return (
                proceed
                if maximum_iterations is None
                else proceed & (iteration < maximum_iterations)
            )

        def body_fun(loop: Any) -> Any:
            iteration, values, leaves = loop
            return (iteration + 1, *step(values, leaves))

        return lax.while_loop(cond_fun, body_fun, (0, state.values, list(leaves)))[1:]

    return with_captured_variables(run)


def fori_loop(
    lower: Any, upper: Any, body: Callable[..., Any], leaves: Sequence[jax.Array]
) -> list[jax.Array]:
    """`lax.fori_loop`, which has a reverse-mode gradient if the bounds are Python ints."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        step = state.functionalize(body)
        return lax.fori_loop(
            lower, upper, lambda i, loop: step(loop[0], i, loop[1]), (state.values, list(leaves))
        )

    return with_captured_variables(run)


def scan(
    function: Any,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """`lax.scan`; variables that steps assign are part of the carry."""
    options = {"length": length, "reverse": reverse, "unroll": unroll}
    compiled = _compiled_scan(function, (init, xs))
    if compiled is not None:
        try:
            return compiled(init, xs, **options)
        except _ReadsVariablesError:
            _scans[function] = None

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        step = state.functionalize(function)

        def step_with_state(pair: Any, x: Any) -> tuple[Any, Any]:
            values, (after, y) = step(pair[0], pair[1], x)
            return (values, after), y

        (values, carry), ys = lax.scan(step_with_state, (state.values, init), xs, **options)
        return values, (carry, ys)

    return with_captured_variables(run)


_scans: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Jitted scans by their step function; None if it uses variables."""


def _compiled_scan(function: Any, arrays: Any) -> Any:
    """Returns a jitted scan of a step function that is scanned again outside of a trace."""
    if any(isinstance(x, Tracer) for x in jax.tree.leaves(arrays)):
        return None
    if context.current.stateless is not None:
        return None
    try:
        if function in _scans:
            return _scans[function]
        step = ref(function)
        _scans[function] = jax.jit(partial(_scan_without_variables, step), static_argnames=_PLAIN)
    except TypeError:  # not weakly referenceable or not hashable
        pass
    return None  # first call: most step functions are used once


_PLAIN = ("length", "reverse", "unroll")


class _ReadsVariablesError(Exception):
    """Raised when a step reads variables: a compiled scan would bake in their values."""


class _RecordingDict(dict[int, Any]):
    """State of a scope that raises when a variable is read."""

    def get(self, key: int, default: Any = None) -> Any:
        if key not in self:
            raise _ReadsVariablesError
        return super().get(key, default)


def _scan_without_variables(step: Any, init: Any, xs: Any, **options: Any) -> tuple[Any, Any]:
    function = step()  # weak reference: the compiled scan is freed with its step function

    def step_without_variables(carry: Any, x: Any) -> tuple[Any, Any]:
        with StatelessScope() as scope:
            scope.state = _RecordingDict(scope.state)
            result = function(carry, x)
        if scope.written:
            raise _ReadsVariablesError
        return result

    return lax.scan(step_without_variables, init, xs, **options)
