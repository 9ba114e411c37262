"""Branches, loops and scans."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any

import tensorflow as tf

from keras_fn.core import tree
from keras_fn.core.captured_variables import CapturedVariables, with_captured_variables
from keras_fn.core.scopes import context
from keras_fn_tensorflow.tensors import convert_to_tensor, shape
from keras_fn_tensorflow.transforms import trace_in_scratch_graph


def _staged(run: Callable[[CapturedVariables], tuple[Any, Any]]) -> Any:
    """`with_captured_variables`, whose trial runs in a scratch graph: a loop may have effects.

    Outside of a StatelessScope, variables are `tf.Variable`s, assigned in place.
    """
    if context.current.stateless is None:
        return run(CapturedVariables())[1]

    return with_captured_variables(lambda state: discover_writes_then_run(run, state))


def discover_writes_then_run(
    run: Callable[[CapturedVariables], Any], state: CapturedVariables
) -> tuple[Any, Any]:
    if not state.variables:
        trace_in_scratch_graph(run, state)
        if state.written:
            return [], None
    return run(state)


def _functionalize(
    state: CapturedVariables, function: Callable[..., Any]
) -> Callable[..., tuple[list[Any], Any]]:
    if context.current.stateless is None:
        return lambda values, *args: ([], function(*args))
    return state.functionalize(function)


def switch(index: Any, functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """`tf.switch_case`."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        values = state.values
        branches = [_functionalize(state, f) for f in functions]
        return tf.switch_case(index, [lambda f=f: f(values) for f in branches])

    return _staged(run)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    leaves: Sequence[Any],
    maximum_iterations: Any = None,
) -> list[Any]:
    """`tf.while_loop`."""

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        test, step = _functionalize(state, cond), _functionalize(state, body)
        return tf.while_loop(
            lambda values, leaves: test(values, leaves)[1],
            step,
            (state.values, list(leaves)),
            maximum_iterations=maximum_iterations,
        )

    return _staged(run)


def fori_loop(lower: Any, upper: Any, body: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """A `tf.while_loop` with a counter."""
    is_static = isinstance(lower, int) and isinstance(upper, int)
    maximum_iterations = max(upper - lower, 0) if is_static else None
    state = [tf.cast(lower, tf.int32), *leaves]
    return while_loop(
        lambda s: s[0] < tf.cast(upper, tf.int32),
        lambda s: [s[0] + 1, *body(s[0], s[1:])],
        state,
        maximum_iterations,
    )[1:]


class _ThreadState(local):
    """Whether scans are loops in graphs, in this thread."""

    loops = True


_thread = _ThreadState()


@contextmanager
def unrolled_scans() -> Iterator[None]:
    """Unrolls scans of a known length inside the context, for formats without lists of tensors."""
    _thread.loops = False
    try:
        yield
    finally:
        _thread.loops = True


Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    function: Step,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """`tf.while_loop` in a graph, a Python loop if eager or unrolled."""
    unroll = unroll if _thread.loops else sys.maxsize
    carry = tree.map_structure(lambda c: None if c is None else convert_to_tensor(_value(c)), init)
    xs = tree.map_structure(lambda x: None if x is None else convert_to_tensor(_value(x)), xs)
    slices = [x for x in tree.flatten(xs) if x is not None]
    size = shape(slices[0])[0] if slices else length
    if isinstance(size, int) and (tf.executing_eagerly() or unroll >= size > 0):
        return _unrolled_scan(function, carry, xs, size, reverse)

    def run(state: CapturedVariables) -> tuple[Any, Any]:
        step = _functionalize(state, function)

        def step_with_state(pair: Any, x: Any) -> tuple[Any, Any]:
            values, (after, y) = step(pair[0], pair[1], x)
            return (values, after), y

        (values, last), ys = _scan_loop(
            step_with_state, (state.values, carry), xs, size, reverse, unroll
        )
        return values, (last, ys)

    return _staged(run)


def _value(x: Any) -> Any:
    return getattr(x, "value", x) if not isinstance(x, tf.Variable) else x


def _unrolled_scan(
    function: Step, carry: Any, xs: Any, size: int, reverse: bool
) -> tuple[Any, Any]:
    leaves = [None if x is None else tf.unstack(x, size) for x in tree.flatten(xs)]
    outputs: list[Any] = [None] * size
    for i in range(size)[::-1] if reverse else range(size):
        x = tree.unflatten(xs, [None if leaf is None else leaf[i] for leaf in leaves])
        carry, outputs[i] = function(carry, x)
    if not outputs:
        _, y = trace_in_scratch_graph(function, carry, tree.map_structure(_zeros_like_slice, xs))
        return carry, tree.map_structure(_empty_output, y)
    return carry, tree.map_structure(_stack_outputs, *outputs)


def _empty_output(y: Any) -> Any:
    """Returns outputs of length 0, with the shape and dtype of a step's output."""
    return None if y is None else tf.zeros([0, *y.shape], y.dtype)


def _stack_outputs(*items: Any) -> Any:
    return None if items[0] is None else tf.stack([_value(item) for item in items])


def _zeros_like_slice(x: Any) -> Any:
    """Returns zeros with the shape of a slice of `x`."""
    return None if x is None else tf.zeros(x.shape[1:], x.dtype)


def _scan_loop(
    function: Step, carry: Any, xs: Any, size: Any, reverse: bool, unroll: int
) -> tuple[Any, Any]:
    inputs = tree.map_structure(lambda x: None if x is None else _unstack_to_array(x, size), xs)

    def at(i: Any) -> Any:
        return tree.map_structure(lambda a: None if a is None else a.read(i), inputs)

    pattern = trace_in_scratch_graph(
        lambda: function(carry, tree.map_structure(_like_slice, xs))[1]
    )
    outputs = [
        tf.TensorArray(y.dtype, size, element_shape=y.shape)
        for y in tree.flatten(pattern)
        if y is not None
    ]
    carries = tree.flatten(carry)

    def step(i: Any, leaves: list[Any], arrays: list[Any]) -> tuple[Any, list[Any], list[Any]]:
        index = size - 1 - i if reverse else i
        after, y = function(tree.unflatten(carry, leaves), at(index))
        ys = [t for t in tree.flatten(y) if t is not None]
        arrays = [a.write(index, _value(t)) for a, t in zip(arrays, ys, strict=True)]
        return i + 1, [_value(c) for c in tree.flatten(after)], arrays

    unroll_factor = max(unroll, 1) if isinstance(size, int) else 1
    unrolled_iterations = size // unroll_factor

    def body(i: Any, leaves: list[Any], arrays: list[Any]) -> tuple[Any, list[Any], list[Any]]:
        for _ in range(unroll_factor):
            i, leaves, arrays = step(i, leaves, arrays)
        return i, leaves, arrays

    state = tf.while_loop(
        lambda i, *_: i < unrolled_iterations * unroll_factor,
        body,
        (tf.constant(0), carries, outputs),
        maximum_iterations=unrolled_iterations,  # XLA allocates memory for the gradient
    )
    for _ in range(size % unroll_factor if unroll_factor > 1 else 0):  # the remaining steps
        state = step(*state)
    _, carries, outputs = state
    results = iter(outputs)
    ys = tree.map_structure(
        lambda y: None if y is None else _stack_array(next(results), y, size), pattern
    )
    return tree.unflatten(carry, carries), ys


def _unstack_to_array(x: tf.Tensor, size: Any) -> tf.TensorArray:
    return tf.TensorArray(x.dtype, size, element_shape=x.shape[1:]).unstack(x)


def _like_slice(x: Any) -> Any:
    return None if x is None else tf.compat.v1.placeholder(x.dtype, x.shape[1:])


def _stack_array(array: tf.TensorArray, y: Any, size: Any) -> tf.Tensor:
    result = array.stack()
    result.set_shape([size if isinstance(size, int) else None, *y.shape])
    return result
