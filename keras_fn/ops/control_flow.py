"""Control flow with user-defined functions: branches, loops and scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.errors import SpecError
from keras_fn.ops._control_flow_utils import (
    FlatFunction,
    FunctionNode,
    add_leading_axis,
    backend_transform,
    check_same_spec,
    is_building_graph,
    is_traced,
    leading_axis_size,
    tensor_leaves,
    to_tensors,
    unflatten,
)
from keras_fn.ops._op import is_symbolic, spec_of
from keras_fn.ops.arithmetic import maximum, minimum
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.ops.creation import zeros
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import equal, where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.types import Nested, Tensor, TensorLike

# ---------------------------------------------------------------- branches


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Conditional: calls one of two functions.

    Where the value of `pred` is known, only that function is called. In a compiled function both
    become part of the graph and one is executed; in a functional model both are computed and the
    result is selected.

    Args:
        pred: A boolean scalar.
        true_fn: Called without arguments if `pred` is True. It may assign variables.
        false_fn: Called otherwise; must return the same structure, shapes and dtypes.

    Returns:
        The result of the function, nested tensors.

    Raises:
        ValueError: `pred` is not a scalar, or the results have different structure, shapes or
            dtypes.

    Example:
        >>> x = convert_to_tensor(3.0)
        >>> float(cond(x > 2, lambda: x * 10, lambda: x))
        30.0
    """
    if spec_of(pred).shape != ():
        raise SpecError(
            "ops.cond",
            expected="a scalar for pred",
            received=f"shape {spec_of(pred).shape}",
            fix="reduce it with ops.all or ops.any, or choose elements with ops.where",
        )
    if not isinstance(pred, bool):
        pred = cast(pred, "bool")
    return _switch("ops.cond", pred, [false_fn, true_fn])


def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Nested) -> Nested:
    """Calls the function at `index`, as a `switch` statement does; see `cond`.

    Args:
        index: An integer scalar. Out of range it is clipped to the first or the last function.
        branches: Functions that return the same structure, shapes and dtypes.
        *operands: Arguments of the function, nested tensors.

    Returns:
        The result of the function, nested tensors.

    Raises:
        ValueError: `branches` is empty, or the results have different structure, shapes or dtypes.

    Example:
        >>> x = convert_to_tensor(3.0)
        >>> float(switch(1, [lambda x: x, lambda x: x * 10], x))
        30.0
    """
    if not branches:
        raise SpecError(
            "ops.switch",
            expected="one function or more",
            received="none",
            fix="pass a list of functions",
        )
    operands = to_tensors(operands)
    return _switch("ops.switch", index, [lambda f=f: f(*operands) for f in branches])


def _switch(source: str, index: Any, branches: list[Callable[[], Any]]) -> Any:
    if isinstance(index, KerasTensor) or context.current.symbolic:
        results = [to_tensors(branch()) for branch in branches]
        for result in results[1:]:
            check_same_spec(source, "the result of the first function", results[0], result)
        if context.current.symbolic:
            return results[0]
        return _select_branch_result(index, results)
    last = len(branches) - 1
    if not is_traced(index):
        return to_tensors(branches[min(max(int(index), 0), last)]())
    traced: list[Any] = []

    def call_and_check(branch: Callable[[], Any]) -> Any:
        result = to_tensors(branch())
        traced.append(result)
        check_same_spec(source, "the result of the first function", traced[0], result)
        return result

    flat = [FlatFunction(lambda _, branch=branch: call_and_check(branch)) for branch in branches]
    index = maximum(minimum(cast(index, "int32"), last), 0)
    return flat[0].unflatten(
        backend_transform("switch")(index, [lambda f=f: f(()) for f in flat])  # type: ignore[misc]
    )


def _select_branch_result(index: KerasTensor, results: list[Any]) -> Any:
    """Selects a result in a graph that has computed them all."""
    selected = results[-1]
    for i in reversed(range(len(results) - 1)):
        is_selected = equal(maximum(index, 0), i)
        selected = tree.map_structure(
            lambda a, b, mask=is_selected: None if a is None else where(mask, a, b),
            results[i],
            selected,
        )
    return selected


# ---------------------------------------------------------------- loops


def while_loop(
    cond: Callable[..., Tensor],
    body: Callable[..., Any],
    loop_vars: Nested,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeats `loop_vars = body(loop_vars)` while `cond(loop_vars)` is True.

    Args:
        cond: Takes the loop variables, returns a boolean scalar.
        body: Takes the loop variables, returns the next ones: the same structure, shapes and
            dtypes. It may assign variables.
        loop_vars: Nested tensors. The items of a list or tuple are passed as separate arguments.
        maximum_iterations: Upper bound of the number of iterations; None for no bound.

    Returns:
        The last loop variables.

    Raises:
        ValueError: `body` returns another structure, shape or dtype.

    Note:
        JAX does not support reverse-mode gradients of a compiled loop of unknown length; use
        `fori_loop` or `scan` there.

    Example:
        >>> int(while_loop(lambda i: i < 10, lambda i: i + 3, 0))
        12
    """
    state = to_tensors(loop_vars)
    if is_building_graph(state):
        return FunctionNode(
            "while_loop", lambda state: while_loop(cond, body, state, maximum_iterations)
        )(state)
    is_sequence = isinstance(state, (list, tuple)) and not hasattr(state, "_fields")

    def test(state: Any) -> Any:
        return cond(*state) if is_sequence else cond(state)

    def step(state: Any) -> Any:
        new_state = body(*state) if is_sequence else body(state)
        if is_sequence and len(state) == 1 and not isinstance(new_state, (list, tuple)):
            new_state = (new_state,)
        new_state = to_tensors(new_state)
        if is_sequence and isinstance(new_state, (list, tuple)):
            new_state = type(state)(new_state)
        check_same_spec("ops.while_loop", "the loop variables", state, new_state)
        return new_state

    if context.current.symbolic:
        test(state)
        return step(state)
    is_running = test(state)
    if is_traced(is_running):
        loop = FlatFunction(step, state)
        leaves = backend_transform("while_loop")(
            lambda leaves: cast(test(unflatten(state, leaves)), "bool"),
            loop,
            tensor_leaves(state),
            maximum_iterations,
        )
        return unflatten(state, leaves)
    iterations = 0
    while bool(is_running) and (maximum_iterations is None or iterations < maximum_iterations):
        state, iterations = step(state), iterations + 1
        is_running = test(state)
    return state


def fori_loop(
    lower: int | Tensor, upper: int | Tensor, body_fun: Callable[[Any, Any], Any], init_val: Nested
) -> Any:
    """Repeats `state = body_fun(i, state)` for `i` in `range(lower, upper)`.

    Args:
        lower: The first index.
        upper: The index after the last.
        body_fun: Takes the index (int32) and the state; returns the next state: the same
            structure, shapes and dtypes. It may assign variables.
        init_val: The initial state, nested tensors.

    Returns:
        The last state.

    Raises:
        ValueError: `body_fun` returns another structure, shape or dtype.

    Example:
        >>> int(fori_loop(0, 5, lambda i, total: total + i, 0))
        10
    """
    state = to_tensors(init_val)
    if is_building_graph(lower, upper, state):
        return FunctionNode("fori_loop", lambda a, b, s: fori_loop(a, b, body_fun, s))(
            lower, upper, state
        )

    def step(i: Any, state: Any) -> Any:
        new_state = to_tensors(body_fun(i, state))
        check_same_spec("ops.fori_loop", "the state", state, new_state)
        return new_state

    if context.current.symbolic:
        return step(KerasTensor((), "int32", record_history=False), state)
    if is_traced(lower, upper, state):
        leaves = backend_transform("fori_loop")(
            lower,
            upper,
            lambda i, leaves: tensor_leaves(step(cast(i, "int32"), unflatten(state, leaves))),
            tensor_leaves(state),
        )
        return unflatten(state, leaves)
    for i in range(int(lower), int(upper)):
        state = step(convert_to_tensor(i, "int32"), state)
    return state


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Nested,
    xs: Nested = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Scans a function over the first axis with a carry: `carry, y = f(carry, x)` for each slice.

    Args:
        f: Takes the carry and a slice, returns the next carry and an output; both nested. It may
            assign variables.
        init: The initial carry.
        xs: Nested tensors whose first axes have one size, or None.
        length: Number of steps; required if `xs` is None.
        reverse: Whether to start with the last slice.
        unroll: Number of steps to unroll into one, on backends that compile loops; True for all.

    Returns:
        The last carry, and the outputs stacked along a new first axis.

    Raises:
        ValueError: Neither `xs` nor `length` is given, or the sizes differ.

    Example:
        >>> total, sums = scan(lambda c, x: (c + x, c + x), zeros(()), ones((3,)))
        >>> float(total), convert_to_numpy(sums).tolist()
        (3.0, [1.0, 2.0, 3.0])
    """
    if not tensor_leaves(xs) and length is None:
        raise SpecError("ops.scan", expected="xs or length", received="neither", fix="pass length=")
    size = leading_axis_size("ops.scan", xs) if tensor_leaves(xs) else length
    if None not in (size, length) and size != length:
        raise SpecError(
            "ops.scan",
            expected=f"xs of {length} slices, as in length=",
            received=f"{size} slices",
            fix="omit length",
        )
    if is_building_graph(init, xs):
        return FunctionNode("scan", lambda init, xs: scan(f, init, xs, length, reverse, unroll))(
            init, xs
        )
    if is_symbolic(init, xs):
        first = tree.map_structure(lambda x: None if x is None else getitem(x, 0), xs)
        carry, y = f(init, first)
        return carry, add_leading_axis(size, y)
    unroll_steps = (size or 1) if unroll is True else max(int(unroll), 1)
    return current().ops.scan(f, to_tensors(init), to_tensors(xs), length, reverse, unroll_steps)


def map(f: Callable[[Any], Any], xs: Nested) -> Any:
    """Maps `f` over the slices along the first axis, one after the other.

    Args:
        f: Takes nested slices, returns nested tensors.
        xs: Nested tensors whose first axes have one size.

    Returns:
        The results, stacked along a new first axis.

    Raises:
        ValueError: The sizes of the first axes differ.

    Example:
        >>> convert_to_numpy(map(lambda x: x * x, convert_to_tensor([1, 2, 3]))).tolist()
        [1, 4, 9]
    """
    leading_axis_size("ops.map", xs)
    return scan(lambda carry, x: (carry, f(x)), zeros((), dtype="int32"), xs)[1]


def _nest_like(structure: Any, values: Any) -> Any:
    """Nests the values in the containers of `structure`: a step may return tuples for lists."""
    return tree.unflatten(structure, tree.flatten(values))


def _where_mask(mask: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Selects rows of `x` where the mask is True, rows of `y` elsewhere."""
    rank = len(x.shape) - len(mask.shape)
    return where(expand_dims(mask, [-1 - i for i in range(rank)]) if rank else mask, x, y)
