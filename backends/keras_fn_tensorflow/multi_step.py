"""Multi-step training: many training steps in one compiled call."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_fn.core import tree
from keras_fn_tensorflow.transforms import compile, draw_values


def compile_multi_step(
    function: Callable[..., Any],
    state: Sequence[Any],
    tensors: Any,
    batches: tf.Tensor,
    finalize: Callable[[Any], Any],
    jit: Any = "auto",
) -> Callable[..., Any] | None:
    """Compiles a `tf.while_loop` over the steps, which assign the variables.

    Returns None for steps that return tensors of unknown sizes, which a loop cannot carry.
    """
    if jit is None:
        return None
    draw_values(state)
    step = tf.function(function, autograph=False).get_concrete_function(tensors, batches[0])
    results = step.structured_outputs
    leaves = [x for x in tree.flatten(results) if x is not None]
    if not all(x.shape.is_fully_defined() for x in leaves):
        return None

    def loop(tensors: Any, batches: Any, start: Any, stop: Any) -> Any:
        data = [x for x in tree.flatten(tensors) if x is not None]

        def body(i: Any, *_: Any) -> Any:
            outputs = tree.flatten(step(*data, batches[i]))
            return i + 1, *(x for x in outputs if x is not None)

        empty = [tf.zeros(x.shape, x.dtype) for x in leaves]
        _, *last = tf.while_loop(
            lambda i, *_: i < stop, body, (start, *empty), parallel_iterations=1
        )
        steps = iter(last)
        return finalize(tree.map_structure(lambda x: None if x is None else next(steps), results))

    return compile(loop, state, jit)
