"""Function transforms: abstract evaluation, gradients, compilation."""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from keras_fn.core import tree
from keras_fn.core.programs import ProgramShare
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.unknown_sizes import eval_with_two_sizes
from keras_fn_jax.distribution import keep_sharding, replicate_results
from keras_fn_jax.refusals import is_value_donated
from keras_fn_jax.shared_traces import NotTracedError, PyTreeAdapter, SharedFunction
from keras_fn_jax.tensors import dtype_name, is_traced, native_dtype


def abstract_eval(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """`jax.eval_shape` of the function, with two different sizes for unknown ones."""

    def run(args: tuple, kwargs: dict[str, Any]) -> Any:
        adapter = PyTreeAdapter()
        leaves = tree.flatten([args, kwargs])
        dynamic = [i for i, x in enumerate(leaves) if isinstance(x, jax.ShapeDtypeStruct)]

        def flat(values: list[Any]) -> Any:
            for i, value in zip(dynamic, values, strict=True):
                leaves[i] = value
            args_, kwargs_ = tree.unflatten([args, kwargs], leaves)
            with StatelessScope():
                return adapter.flat(function(*args_, **kwargs_))

        return adapter.nested(jax.eval_shape(flat, [leaves[i] for i in dynamic]))

    def struct(shape: tuple[int, ...], dtype: str) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, native_dtype(dtype))

    return eval_with_two_sizes(run, args, kwargs, struct, dtype_name)


def value_and_grad(
    function: Callable[..., tuple[Any, Any]], variables: Sequence[Any]
) -> Callable[..., tuple[tuple[Any, Any], list[Any]]]:
    """`jax.value_and_grad` with respect to the variables' values."""

    def run(*args: Any) -> tuple[tuple[Any, Any], list[Any]]:
        written: dict[int, Any] = {}
        adapter = PyTreeAdapter()

        def functionalize(values: list[Any]) -> tuple[Any, Any]:
            with StatelessScope(zip(variables, values, strict=True)) as scope:
                value, more = function(*args)
            written.update(scope.written)
            return value, (adapter.flat(more), [scope.state[key] for key in written])

        values = [v.value for v in variables]
        (value, (more, updates)), grads = jax.value_and_grad(functionalize, has_aux=True)(values)
        for variable, update in zip(written.values(), updates, strict=True):
            variable.assign(update)
        return (value, adapter.nested(more)), grads

    return run


class UncapturedVariableError(Exception):
    """A step assigns variables that are not in its state: they must be added."""

    def __init__(self, variables: list[Any]):
        self.variables = variables


def functionalize(
    function: Callable[..., Any], state: list[Any], adapter: PyTreeAdapter, donated: int = 0
) -> Callable[..., Any]:
    """Converts `function(*args)` to a pure function `(values, *args) -> (new values, results)`.

    The new values are a dict by index in `state`: of the variables that the function assigns, and
    of the first `donated` ones, whose old values are lost.

    Raises:
        UncapturedVariableError: While tracing: the function assigns variables outside `state`, for
            example variables that it creates.
    """

    def run(values: list[Any], *args: Any) -> tuple[dict[int, Any], list[Any]]:
        with StatelessScope(zip(state, values, strict=True)) as scope:
            results = adapter.flat(function(*args))
        state_ids = set(map(id, state))
        missing = [v for key, v in scope.written.items() if key not in state_ids]
        if missing:
            raise UncapturedVariableError(missing)
        return {
            i: keep_sharding(v, scope.state[id(v)])
            for i, v in enumerate(state)
            if i < donated or id(v) in scope.written
        }, replicate_results(results, state)

    return run


# Small arrays are not donated: it saves nothing, and other threads may read them meanwhile, such as
# the state of the random seeds that all models share.
_MIN_DONATED_SIZE = 1024


def is_donated(variable: Any) -> bool:
    """Whether a step that assigns a variable may reuse the memory of its value."""
    return math.prod(variable.shape) >= _MIN_DONATED_SIZE


def retry_with_captured_state(
    call: Callable[[], Any], state: list[Any], error: UncapturedVariableError | None = None
) -> Any:
    """Calls a function that may trace, until all variables that it assigns are in `state`.

    Args:
        call: The function.
        state: The variables.
        error: The error of a call that was made before.
    """
    state += error.variables if error is not None else []
    while True:
        try:
            return call()
        except UncapturedVariableError as error:
            state += error.variables


def _make_pure(
    function: Callable[..., Any], state: list[Any], donated: int, adapter: PyTreeAdapter
) -> Callable[..., Any]:
    """Returns `functionalize` with the values in two lists: the donated ones, and the others."""
    pure = functionalize(function, state, adapter, donated)
    return lambda old, kept, *args: pure([*old, *kept], *args)


def compile(
    function: Callable[..., Any],
    state: Sequence[Any],
    jit: Any = "auto",
    donate: bool = True,
    share: ProgramShare | None = None,
) -> Callable[..., Any]:
    """`jax.jit` of a step with its state as an argument, and what it assigns as a result.

    A dict for `jit` holds arguments of `jax.jit`. For None or False the step runs op by op.
    """
    if jit is None or jit is False:
        return lambda *args: function(*jax.tree.map(_to_jax, args))
    state = sorted(state, key=lambda v: not (donate and is_donated(v)))  # donated ones first
    donated = sum(donate and is_donated(v) for v in state)
    options = {"donate_argnums": 0, **(jit if isinstance(jit, dict) else {})}
    make_pure = partial(_make_pure, function, state, donated)

    def call(compiled: Callable[..., Any], *args: Any) -> Any:
        values = [v.value for v in state]
        return compiled(values[:donated], values[donated:], *args)

    def trace_shared(*args: Any) -> Any:
        """Traces this model for all that share the program, or else for itself."""
        nonlocal adapter, compiled
        if share is not None and share.is_current():
            try:
                with shared.trace(make_pure(shared.adapter), share):
                    return _call_traced(donated, call, shared.compiled, *args)
            except UncapturedVariableError:
                pass
        own = PyTreeAdapter()
        compiled_own = jax.jit(make_pure(own), **options)
        first = partial(_call_traced, donated, call, compiled_own, *args)
        outcome = retry_with_captured_state(first, state)
        adapter, compiled = own, compiled_own
        return outcome

    if share is None:
        adapter = PyTreeAdapter()
        compiled = jax.jit(make_pure(adapter), **options)
    else:
        shared = share.program.get_content(lambda: SharedFunction(options))
        adapter, compiled = shared.adapter, shared.compiled

    def step(*args: Any) -> Any:
        values = [v.value for v in state]
        outcome: Any = None
        try:
            outcome = compiled(values[:donated], values[donated:], *args)
        except NotTracedError:
            pass  # traced below: an error of the trace would have this one as its context
        except UncapturedVariableError as error:
            outcome = retry_with_captured_state(partial(call, compiled, *args), state, error)
        except Exception as error:
            if donated:
                raise
            outcome = retry_while_donated(partial(call, compiled, *args), error)
        updates, results = trace_shared(*args) if outcome is None else outcome
        for i, value in updates.items():
            state[i]._handle = value
        return adapter.nested(results)

    return step


def _call_traced(donated: int, call: Callable[..., Any], *args: Any) -> Any:
    """Calls a pure function of variables for the first time.

    The trace takes long: another thread may take the memory of what was read before it.

    Args:
        donated: How many values the function itself takes; with any, it cannot be called again.
        call: Reads the variables, and calls the function.
        *args: Arguments of `call`.
    """
    try:
        return call(*args)
    except (RuntimeError, ValueError) as error:
        if donated:
            raise
        return retry_while_donated(partial(call, *args), error)


def retry_while_donated(call: Callable[[], Any], error: Exception) -> Any:
    """Calls a pure function of variables again, if another thread trains them meanwhile.

    A train step donates their values, and assigns the new ones right after.

    Args:
        call: Reads the variables, and calls the function.
        error: The error of the first call. Another one than of donated values is raised.
    """
    for _ in range(_MAX_RETRIES):
        if not is_value_donated(error):
            raise error
        time.sleep(_RETRY_SECONDS)
        try:
            return call()
        except (RuntimeError, ValueError) as next_error:
            error = next_error
    raise error


_MAX_RETRIES = 200
_RETRY_SECONDS = 0.002


def _to_jax(x: Any) -> Any:
    return jnp.asarray(x) if isinstance(x, np.ndarray) else x


def outline(function: Callable[[Sequence[Any]], list[Any]], values: Sequence[Any]) -> list[Any]:
    """Calls a function of tensors; under `jax.jit` on the CPU, as one that XLA does not inline.

    XLA orders the operations of a function for its CPU runtime in time that grows with the square
    of their number. On accelerators it does not, and a function that is not inlined is not fused.
    """
    if jax.default_backend() != "cpu" or not any(map(is_traced, jax.tree.leaves(list(values)))):
        return function(values)
    written: dict[int, Any] = {}

    def functionalize(values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        with set_xla_metadata(inlineable=None), StatelessScope() as scope:
            results = function(values)
        written.update(scope.written)
        return results, [scope.state[key] for key in written]

    with set_xla_metadata(inlineable="false"):
        results, updates = jax.jit(functionalize)(values)
    for variable, update in zip(written.values(), updates, strict=True):
        variable.assign(update)
    return results


def compile_call(function: Callable[..., Any], variables: Sequence[Any]) -> Callable[..., Any]:
    """`jax.jit` of a function that reads variables and assigns none; gradients flow to them."""
    variables = list(variables)

    def functionalize(values: list[Any], args: tuple) -> Any:
        with StatelessScope(zip(variables, values, strict=True)):
            return function(*args)

    compiled = jax.jit(functionalize)

    def run(*args: Any) -> Any:
        try:
            return compiled([v.value for v in variables], args)
        except (RuntimeError, ValueError) as error:
            return retry_while_donated(lambda: compiled([v.value for v in variables], args), error)

    return run
