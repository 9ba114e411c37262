"""Function transforms: abstract evaluation, gradients, compilation."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.unknown_sizes import eval_with_two_sizes
from keras_fn_jax.tensors import dtype_name, native_dtype


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


class PyTreeAdapter:
    """Passes nested results through a JAX transform, which would sort the keys of dicts."""

    def __init__(self) -> None:
        self.skeleton: Any = None

    def flat(self, results: Any) -> list[Any]:
        """Returns the leaves and stores the structure."""
        self.skeleton = tree.map_structure(lambda _: None, results)
        return tree.flatten(results)

    def nested(self, leaves: list[Any]) -> Any:
        """Restores the structure of the leaves."""
        return tree.unflatten(self.skeleton, leaves)


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
    function: Callable[..., Any], state: list[Any], adapter: PyTreeAdapter
) -> Callable[..., Any]:
    """Converts `function(*args)` to a pure function `(values, *args) -> (new values, results)`.

    Raises:
        UncapturedVariableError: While tracing: the function assigns variables outside `state`, for
            example variables that it creates.
    """

    def run(values: list[Any], *args: Any) -> tuple[list[Any], list[Any]]:
        with StatelessScope(zip(state, values, strict=True)) as scope:
            results = adapter.flat(function(*args))
        state_ids = set(map(id, state))
        missing = [v for key, v in scope.written.items() if key not in state_ids]
        if missing:
            raise UncapturedVariableError(missing)
        return [scope.state[id(v)] for v in state], results

    return run


def retry_with_captured_state(call: Callable[[], Any], state: list[Any]) -> Any:
    """Calls a function that may trace, until all variables that it assigns are in `state`."""
    while True:
        try:
            return call()
        except UncapturedVariableError as error:
            state += error.variables


def compile(
    function: Callable[..., Any], state: Sequence[Any], jit: Any = "auto"
) -> Callable[..., Any]:
    """`jax.jit` of a step with its state as a donated argument and a result.

    A dict for `jit` holds arguments of `jax.jit`. For None or False the step runs op by op.
    """
    if jit is None or jit is False:
        return lambda *args: function(*jax.tree.map(_to_jax, args))
    state, adapter = list(state), PyTreeAdapter()
    options = jit if isinstance(jit, dict) else {}
    compiled = jax.jit(functionalize(function, state, adapter), **{"donate_argnums": 0, **options})

    def step(*args: Any) -> Any:
        values, results = retry_with_captured_state(
            lambda: compiled([v.value for v in state], *args), state
        )
        for variable, value in zip(state, values, strict=True):
            variable._handle = value
        return adapter.nested(results)

    return step


def _to_jax(x: Any) -> Any:
    return jnp.asarray(x) if isinstance(x, np.ndarray) else x


def compile_call(function: Callable[..., Any], variables: Sequence[Any]) -> Callable[..., Any]:
    """`jax.jit` of a function that reads variables and assigns none; gradients flow to them."""
    variables = list(variables)

    def functionalize(values: list[Any], args: tuple) -> Any:
        with StatelessScope(zip(variables, values, strict=True)):
            return function(*args)

    compiled = jax.jit(functionalize)
    return lambda *args: compiled([v.value for v in variables], args)
