"""Loops over tensors, and the recurrence that recurrent layers are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.ops._op import is_symbolic
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import where
from keras_fn.ops.indexing import getitem
from keras_fn.ops.shapes import expand_dims


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """Carries a state along the first axis: `carry, y = f(carry, x)` for each slice.

    Args:
        f: Takes the carry and a slice, returns the next carry and an output; both nested.
        init: The first carry.
        xs: Nested tensors of one first size, or None.
        length: Number of steps, where `xs` is None.
        reverse: Whether to go from the last slice to the first.
        unroll: How many steps are written out in one, on backends that compile loops.

    Returns:
        The last carry and the outputs, stacked along a first axis.

    Example:
        >>> total, sums = scan(lambda c, x: (c + x, c + x), zeros(()), ones((3,)))
        >>> float(total), convert_to_numpy(sums).tolist()
        (3.0, [1.0, 2.0, 3.0])
    """
    leaves = [x for x in tree.flatten(xs) if x is not None]
    if not leaves and length is None:
        raise SpecError(
            "ops.scan", expected="xs or length", given="neither", fix="pass length="
        )
    if is_symbolic(init, xs):
        first = tree.map_structure(lambda x: None if x is None else getitem(x, 0), xs)
        carry, y = f(init, first)
        size = leaves[0].shape[0] if leaves else length
        stacked = tree.map_structure(
            lambda t: None if t is None
            else KerasTensor((size, *t.shape), t.dtype, record_history=False), y
        )  # fmt: skip
        return carry, stacked
    return current().ops.scan(f, init, xs, length, reverse, unroll)


def recurrence(
    step: Callable[[Any, list[Any]], tuple[Any, list[Any]]],
    inputs: Tensor,
    states: list[Tensor],
    mask: Tensor | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Runs a recurrent step over time.

    Args:
        step: Takes the inputs of one time step and the states, returns the output and the states.
        inputs: Nested tensors whose first axis is time.
        states: The first states, each of shape `(batch, ...)`.
        mask: Booleans of shape `(time, batch)`: where False, state and output stay as they were.
        go_backwards: Whether to begin with the last time step.
        zero_output_for_mask: Whether a masked output is 0 rather than the one before.
        unroll: Whether to write out all steps, where time is of known size.

    Returns:
        The last output, all outputs (time first, in the order of the steps), the last states.
    """
    if mask is None:

        def body(carry: Any, x: Any) -> Any:
            output, new = step(x, carry)
            return list(new), output
    else:
        blank = _zero_output(step, inputs, states)

        def body(carry: Any, pair: Any) -> Any:
            (x, keep), (old, previous) = pair, carry
            output, new = step(x, old)
            keep_states = [where(_like_rank(keep, n), n, o) for n, o in zip(new, old, strict=True)]
            kept = where(_like_rank(keep, output), output, previous)
            shown = where(_like_rank(keep, output), output, blank) if zero_output_for_mask else kept
            return (keep_states, kept), shown

    carry: Any = list(states) if mask is None else (list(states), blank)
    xs = inputs if mask is None else (inputs, mask)
    size = tree.flatten(inputs)[0].shape[0]
    carry, outputs = scan(body, carry, xs, None, go_backwards, size if unroll and size else 1)
    if mask is not None:
        states_, last = carry
    else:
        states_, last = carry, None
    time_order = -1 if not go_backwards else 0
    if last is None:
        last = tree.map_structure(lambda y: getitem(y, time_order), outputs)
    return last, outputs, states_


def _zero_output(step: Any, inputs: Any, states: list[Any]) -> Any:
    output, _ = step(tree.map_structure(lambda x: getitem(x, 0), inputs), states)
    return output * 0


def _like_rank(mask: Any, x: Any) -> Any:
    for _ in range(len(x.shape) - len(mask.shape)):
        mask = expand_dims(mask, -1)
    return mask
