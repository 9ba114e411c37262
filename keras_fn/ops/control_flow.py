"""Branches and loops with functions of the user."""

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
)
from keras_fn.ops._op import is_symbolic, spec_of
from keras_fn.ops.arithmetic import maximum, minimum
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.ops.creation import zeros
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import equal, where
from keras_fn.ops.manipulation import expand_dims
from keras_fn.types import Tensor, TensorLike

# ---------------------------------------------------------------- branches


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Calls one of two functions.

    Where the value of `pred` is known, the other one is not called. In a compiled function both
    become part of the graph, and one runs; in a model of KerasTensors both are computed, and the
    results chosen from.

    Args:
        pred: A boolean scalar.
        true_fn: Called without arguments if it holds. It may assign variables.
        false_fn: Called otherwise; returns the same structure, shapes and dtypes.

    Returns:
        What the function returned, nested tensors.

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


def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Calls one of several functions; see `cond`.

    Args:
        index: An integer scalar: which one. Out of range, the first or the last is called.
        branches: The functions. They return the same structure, shapes and dtypes.
        *operands: Their arguments, nested tensors.

    Returns:
        What the function returned, nested tensors.

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
            fix="give a list of functions",
        )
    operands = to_tensors(operands)
    return _switch("ops.switch", index, [lambda f=f: f(*operands) for f in branches])


def _switch(source: str, index: Any, branches: list[Callable[[], Any]]) -> Any:
    if isinstance(index, KerasTensor) or context.current.symbolic:
        results = [to_tensors(branch()) for branch in branches]
        for result in results[1:]:
            check_same_spec(source, "what the first function returns", results[0], result)
        if context.current.symbolic:
            return results[0]
        return _select_branch_result(index, results)
    last = len(branches) - 1
    if not is_traced(index):
        return to_tensors(branches[min(max(int(index), 0), last)]())
    first: list[Any] = []

    def checked(branch: Callable[[], Any]) -> Any:
        result = to_tensors(branch())
        first.append(result)
        check_same_spec(source, "what the first function returns", first[0], result)
        return result

    flat = [FlatFunction(lambda _, branch=branch: checked(branch)) for branch in branches]
    index = maximum(minimum(cast(index, "int32"), last), 0)
    return flat[0].nested(
        backend_transform("switch")(index, [lambda f=f: f(()) for f in flat])  # type: ignore[misc]
    )


def _select_branch_result(index: KerasTensor, results: list[Any]) -> Any:
    """The result of that index, in a graph that has computed them all."""
    chosen = results[-1]
    for i in reversed(range(len(results) - 1)):
        here = equal(maximum(index, 0), i)
        chosen = tree.map_structure(
            lambda a, b, here=here: None if a is None else where(here, a, b), results[i], chosen
        )
    return chosen


# ---------------------------------------------------------------- loops


def while_loop(
    cond: Callable[..., Tensor],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeats `loop_vars = body(loop_vars)` while `cond(loop_vars)` holds.

    Args:
        cond: Takes the loop variables, returns a boolean scalar.
        body: Takes the loop variables, returns the next ones: the same structure, shapes and
            dtypes. It may assign variables.
        loop_vars: Nested tensors. The items of a list or tuple are arguments of their own.
        maximum_iterations: When to stop at the latest.

    Returns:
        The last loop variables.

    Note:
        JAX has no gradient backwards through a compiled loop whose end it does not know; use
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
    several = isinstance(state, (list, tuple)) and not hasattr(state, "_fields")

    def test(state: Any) -> Any:
        return cond(*state) if several else cond(state)

    def step(state: Any) -> Any:
        after = body(*state) if several else body(state)
        if several and len(state) == 1 and not isinstance(after, (list, tuple)):
            after = (after,)
        after = to_tensors(after)
        after = type(state)(after) if several and isinstance(after, (list, tuple)) else after
        check_same_spec("ops.while_loop", "what body was given", state, after)
        return after

    if context.current.symbolic:
        test(state)
        return step(state)
    holds = test(state)
    if is_traced(holds):
        loop = FlatFunction(step, state)
        leaves = backend_transform("while_loop")(
            lambda leaves: cast(test(_unflatten(state, leaves)), "bool"),
            loop,
            tensor_leaves(state),
            maximum_iterations,
        )
        return _unflatten(state, leaves)
    rounds = 0
    while bool(holds) and (maximum_iterations is None or rounds < maximum_iterations):
        state, rounds = step(state), rounds + 1
        holds = test(state)
    return state


def _unflatten(structure: Any, leaves: Any) -> Any:
    values = iter(leaves)
    return tree.map_structure(lambda x: None if x is None else next(values), structure)


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Repeats `state = body_fun(i, state)` for `i` from `lower` up to, without, `upper`.

    Args:
        lower: The first number.
        upper: The number after the last.
        body_fun: Takes the number (int32) and the state; returns the next state: the same
            structure, shapes and dtypes. It may assign variables.
        init_val: The first state, nested tensors.

    Returns:
        The last state.

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
        after = to_tensors(body_fun(i, state))
        check_same_spec("ops.fori_loop", "what body_fun was given", state, after)
        return after

    if context.current.symbolic:
        return step(KerasTensor((), "int32", record_history=False), state)
    if is_traced(lower, upper, state):
        leaves = backend_transform("fori_loop")(
            lower,
            upper,
            lambda i, leaves: tensor_leaves(step(cast(i, "int32"), _unflatten(state, leaves))),
            tensor_leaves(state),
        )
        return _unflatten(state, leaves)
    for i in range(int(lower), int(upper)):
        state = step(convert_to_tensor(i, "int32"), state)
    return state


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Carries a state along the first axis: `carry, y = f(carry, x)` for each slice.

    Args:
        f: Takes the carry and a slice, returns the next carry and an output; both nested. It may
            assign variables.
        init: The first carry.
        xs: Nested tensors of one first size, or None.
        length: Number of steps, where `xs` is None.
        reverse: Whether to go from the last slice to the first.
        unroll: How many steps are written out in one, on backends that compile loops; True for
            all of them.

    Returns:
        The last carry and the outputs, stacked along a first axis.

    Raises:
        ValueError: There is neither `xs` nor `length`, or the sizes differ.

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
            expected=f"xs of {length} slices, as length says",
            received=f"{size} slices",
            fix="leave length away",
        )
    if is_building_graph(init, xs):
        return FunctionNode("scan", lambda init, xs: scan(f, init, xs, length, reverse, unroll))(
            init, xs
        )
    if is_symbolic(init, xs):
        first = tree.map_structure(lambda x: None if x is None else getitem(x, 0), xs)
        carry, y = f(init, first)
        return carry, add_leading_axis(size, y)
    times = (size or 1) if unroll is True else max(int(unroll), 1)
    return current().ops.scan(f, to_tensors(init), to_tensors(xs), length, reverse, times)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Calls `f` with each slice along the first axis, one after the other.

    Args:
        f: Takes nested slices, returns nested tensors.
        xs: Nested tensors of one first size.

    Returns:
        The results, stacked along a first axis.

    Example:
        >>> convert_to_numpy(map(lambda x: x * x, convert_to_tensor([1, 2, 3]))).tolist()
        [1, 4, 9]
    """
    leading_axis_size("ops.map", xs)
    return scan(lambda carry, x: (carry, f(x)), zeros((), dtype="int32"), xs)[1]


def _nest_like(structure: Any, values: Any) -> Any:
    """The values in the containers of `structure`: a step may return tuples where lists came."""
    return tree.unflatten(structure, tree.flatten(values))


def _where_mask(mask: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Rows of `x` where the mask is True, of `y` elsewhere."""
    rank = len(x.shape) - len(mask.shape)
    return where(expand_dims(mask, [-1 - i for i in range(rank)]) if rank else mask, x, y)
