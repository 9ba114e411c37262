"""Multi-step training: many training steps in one compiled call."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_fn.core import tree
from keras_fn.core.programs import ProgramShare
from keras_fn_tensorflow.device import has_gpu
from keras_fn_tensorflow.transforms import compile, draw_values


def compile_multi_step(
    function: Callable[..., Any],
    state: Sequence[Any],
    tensors: Any,
    batches: tf.Tensor,
    finalize: Callable[[Any], Any],
    jit: Any = "auto",
    share: ProgramShare | None = None,
) -> Callable[..., Any] | None:
    """Compiles a `tf.while_loop` over the steps, which assign the variables.

    Returns None for steps that return tensors of unknown sizes, which a loop cannot carry, and
    where XLA is slower in loops.
    """
    if jit is None:
        return None
    draw_values(state)

    def trace() -> Any:
        return tf.function(function, autograph=False).get_concrete_function(tensors, batches[0])

    loops = {} if share is None else share.program.get_content(dict)
    traced: list[Any] = []  # for the first trace of the loop
    if _IS_POSSIBLE not in loops:
        traced.append(trace())
        has_sizes = all(x.shape.is_fully_defined() for x in _list_results(traced[0]))
        loops[_IS_POSSIBLE] = has_sizes and not _is_slow_in_loops(traced[0], jit)
    if not loops[_IS_POSSIBLE]:
        return None

    def loop(tensors: Any, batches: Any, start: Any, stop: Any) -> Any:
        step = traced.pop() if traced else trace()
        data = [x for x in tree.flatten(tensors) if x is not None]

        def body(i: Any, *_: Any) -> Any:
            outputs = tree.flatten(step(*data, batches[i]))
            return i + 1, *(x for x in outputs if x is not None)

        empty = [tf.zeros(x.shape, x.dtype) for x in _list_results(step)]
        _, *last = tf.while_loop(
            lambda i, *_: i < stop, body, (start, *empty), parallel_iterations=1
        )
        results, steps = step.structured_outputs, iter(last)
        return finalize(tree.map_structure(lambda x: None if x is None else next(steps), results))

    return compile(loop, state, jit, share=share)


_IS_POSSIBLE = "is possible"  # in a program: whether steps can and should run in a loop


# XLA's CPU runtime runs a loop inside of another a fifth slower than alone.
_LOOPS = {"While", "StatelessWhile"}


def _is_slow_in_loops(step: Any, jit: Any) -> bool:
    is_compiled = jit.get("jit_compile") if isinstance(jit, dict) else jit is True
    if not is_compiled or has_gpu():
        return False
    return not _LOOPS.isdisjoint(operation.type for operation in step.graph.get_operations())


def _list_results(step: Any) -> list[Any]:
    return [x for x in tree.flatten(step.structured_outputs) if x is not None]
