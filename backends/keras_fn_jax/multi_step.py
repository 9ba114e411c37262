"""Multi-step training: many training steps in one compiled call."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import eval_jaxpr

from keras_fn.core.programs import ProgramShare
from keras_fn.core.scopes import StatelessScope
from keras_fn_jax.convolution import SlowInLoopError, loops
from keras_fn_jax.distribution import keep_sharding, replicate_results
from keras_fn_jax.shared_traces import NotTracedError, PyTreeAdapter, SharedFunction
from keras_fn_jax.transforms import (
    functionalize,
    is_donated,
    retry_while_donated,
    retry_with_captured_state,
)


class _Loop(NamedTuple):
    """A traced loop, without the functions and variables of a model.

    Attributes:
        written: Indices in the state of the new values.
        donated: Indices of the donated values.
        kept: Indices of the others.
        adapter: Restores the structure of the results.
    """

    written: list[int]
    donated: list[int]
    kept: list[int]
    adapter: PyTreeAdapter


class _Program(NamedTuple):
    """A shared loop, and its function; without a loop where XLA is slower in loops."""

    loop: _Loop | None
    function: SharedFunction


def compile_multi_step(
    function: Callable[..., Any],
    state: Sequence[Any],
    tensors: Any,
    batches: Any,
    finalize: Callable[[Any], Any],
    jit: Any = "auto",
    share: ProgramShare | None = None,
) -> Callable[..., Any] | None:
    """Compiles a `lax.fori_loop` over the steps, with what they assign in the carry.

    The bounds are arguments of the compiled function: every number of steps runs the same code, so
    results do not depend on how an epoch is split. Returns None where XLA is slower in loops.
    """
    if jit is None or jit is False:
        return None
    state, size = list(state), len(state)
    options = {"donate_argnums": 0, **(jit if isinstance(jit, dict) else {})}
    trace = partial(_trace_loop, function, state, tensors, batches, finalize)
    program: Any = None if share is None else share.program.content
    run: Any = None
    if program is None:
        loop, run = trace(PyTreeAdapter()) or (None, None)
        if share is None or len(state) > size:  # a key does not know of variables made meanwhile
            return loop and _assign_results(jax.jit(run, **options), state, loop)
        content = _Program(loop, SharedFunction(options))
        program = share.program.get_content(lambda: content)
        run = run if program is content else None
    if program.loop is None:
        return None
    own: Any = None

    def retrace(*args: Any) -> Any:
        """Traces this model for all that share the program, or else for itself."""
        nonlocal run, own
        if own is None and share is not None and share.is_current():
            if run is None:
                _, run = cast(Any, trace(program.loop.adapter))
            with program.function.trace(run, share):
                return shared(*args)
        if own is None:  # the model has changed: it may assign other variables
            loop, run = cast(Any, trace(PyTreeAdapter()))
            own = _assign_results(jax.jit(run, **options), state, loop)
        return own(*args)

    shared = _assign_results(program.function.compiled, state, program.loop, retrace)
    return shared


def _trace_loop(
    function: Callable[..., Any],
    state: list[Any],
    tensors: Any,
    batches: Any,
    finalize: Callable[[Any], Any],
    final_adapter: PyTreeAdapter,
) -> tuple[_Loop, Callable[..., Any]] | None:
    """Traces a step, and returns the loop over it; None where XLA is slower in loops.

    The function is pure: `(donated values, other values, tensors, batches, start, stop) -> (new
    values, results)`. Variables that the step assigns are added to `state`.
    """
    adapter = PyTreeAdapter()
    one = functionalize(function, state, adapter)
    trace = jax.make_jaxpr(one, return_shape=True)
    on_cpu = jax.default_backend() == "cpu"
    loops.refuse_convolutions = on_cpu
    try:
        traced, (updates, results) = retry_with_captured_state(
            lambda: trace([v.value for v in state], tensors, batches[0]), state
        )
    except SlowInLoopError:
        return None
    finally:
        loops.refuse_convolutions = False
    if on_cpu and not _SLOW_IN_LOOPS_ON_CPU.isdisjoint(_names(traced)):
        return None
    step = partial(eval_jaxpr, traced.jaxpr, traced.consts)
    nested = partial(jax.tree.unflatten, jax.tree.structure(results))
    written = list(updates)
    donated = [i for i in written if is_donated(state[i])]
    kept = [i for i in range(len(state)) if i not in set(donated)]

    def loop(
        old: list[Any], others: list[Any], tensors: Any, batches: Any, start: Any, stop: Any
    ) -> Any:
        before = dict(zip([*donated, *kept], [*old, *others], strict=True))
        data = jax.tree.leaves(tensors)

        def values(new: list[Any]) -> list[Any]:
            after = {**before, **dict(zip(written, new, strict=True))}
            return [after[i] for i in range(len(state))]

        def body(i: Any, carry: Any) -> Any:
            outputs = step(*values(carry[0]), *data, batches[i])
            return outputs[: len(written)], nested(outputs[len(written) :])

        empty = jax.tree.map(lambda r: jnp.zeros(r.shape, r.dtype), results)
        new, last = lax.fori_loop(start, stop, body, ([before[i] for i in written], empty))
        with StatelessScope(zip(state, values(new), strict=True)):
            final = final_adapter.flat(finalize(adapter.nested(last)))
        new = [keep_sharding(state[i], value) for i, value in zip(written, new, strict=True)]
        return new, replicate_results(final, state)

    return _Loop(written, donated, kept, final_adapter), loop


def _assign_results(
    compiled: Callable[..., Any],
    state: list[Any],
    loop: _Loop,
    retrace: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Returns a function that passes the values of variables to `compiled`, and assigns the new.

    Args:
        compiled: The compiled function of a loop.
        state: The variables.
        loop: The indices of what it takes and returns.
        retrace: Where `compiled` is shared, and has no trace for the arguments: traces it, or
            another function, and does the rest.
    """
    written, donated, kept, adapter = loop

    def run(tensors: Any, batches: Any, start: Any, stop: Any) -> Any:
        def call() -> Any:
            values = [v.value for v in state]
            old, others = [values[i] for i in donated], [values[i] for i in kept]
            return compiled(old, others, tensors, batches, start, stop)

        outcome: Any = None
        try:
            outcome = call()
        except NotTracedError:  # traced below: an error of the trace would have it as its context
            if retrace is None:
                raise
        except (RuntimeError, ValueError) as error:
            if donated:
                raise
            outcome = retry_while_donated(call, error)
        if outcome is None:
            return cast(Any, retrace)(tensors, batches, start, stop)
        new, results = outcome
        for i, value in zip(written, new, strict=True):
            state[i]._handle = value
        jax.block_until_ready(new)  # the caller measures the time
        return adapter.nested(results)

    return run


# In a loop, XLA's CPU compiler does not call the convolution library: ten times slower.
_SLOW_IN_LOOPS_ON_CPU = {"conv_general_dilated"}


def _names(jaxpr: Any) -> Iterator[str]:
    """Yields the names of all primitives in a program, including the functions that it calls."""
    # Duck typing: importing jax.extend.core takes as long as importing keras_fn.
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    for equation in inner.eqns:
        yield equation.primitive.name
        for parameter in jax.tree.leaves(equation.params):
            if hasattr(parameter, "eqns") or hasattr(parameter, "jaxpr"):
                yield from _names(parameter)
