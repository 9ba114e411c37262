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
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.indexing import getitem
from keras_fn.ops.shapes import expand_dims, flip


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
        raise SpecError("ops.scan", expected="xs or length", given="neither", fix="pass length=")
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
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Tensor,
    states: Any,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Runs a recurrent step over time.

    Args:
        step: Takes the inputs of one time step and the states, returns the output and the states.
        inputs: Nested tensors whose first axis is time.
        states: The first states: nested tensors of shape `(batch, ...)`.
        mask: Booleans of shape `(time, batch)`: where False, state and output stay as they were,
            the output at first 0.
        go_backwards: Whether to begin with the last time step.
        zero_output_for_mask: Whether a masked output is 0 rather than the one before.
        unroll: Whether to write out all steps, where time is of known size.

    Returns:
        The last output, all outputs (time first, in the order of the steps), the last states.
    """
    size = tree.flatten(inputs)[0].shape[0]
    unroll_by = size if unroll and size else 1
    if mask is None:

        def body(carry: Any, x: Any) -> Any:
            output, new = step(x, carry)
            return _like(carry, new), output

        states, outputs = scan(body, states, inputs, None, go_backwards, unroll_by)
        last = getitem(outputs, 0 if go_backwards else -1)
    else:
        blank = zeros_like(step(tree.map_structure(lambda x: getitem(x, 0), inputs), states)[0])

        def masked_body(carry: Any, pair: Any) -> Any:
            (x, keep), (old, previous) = pair, carry
            output, new = step(x, old)
            shown = _chosen(keep, output, blank if zero_output_for_mask else previous)
            kept = tree.map_structure(lambda n, o: _chosen(keep, n, o), _like(old, new), old)
            return (kept, shown), shown

        (states, last), outputs = scan(
            masked_body, (states, blank), (inputs, mask), None, go_backwards, unroll_by
        )
    return last, flip(outputs, 0) if go_backwards else outputs, states


def _like(structure: Any, values: Any) -> Any:
    """The values in the containers of `structure`: a step may return tuples where lists came."""
    return tree.pack(structure, tree.flatten(values))


def _chosen(mask: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Rows of `x` where the mask is True, of `y` elsewhere."""
    rank = len(x.shape) - len(mask.shape)
    return where(expand_dims(mask, [-1 - i for i in range(rank)]) if rank else mask, x, y)
