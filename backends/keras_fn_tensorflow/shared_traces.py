"""Traces that models which are alike share: functions of the runtime, without the variables.

A `ConcreteFunction` captures the variables of the model that was traced. What it has compiled, an
`AtomicFunction`, takes them as its last arguments: it runs with those of any model. The graph,
which holds the captured ones, is dropped. TensorFlow has no public functions for this, so where
these are not there, nothing is shared.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.python.eager import context

from keras_fn.core.programs import ProgramShare


class SharedTrace(NamedTuple):
    """A traced function, for the variables of any model that is alike.

    Attributes:
        function: The function of the runtime.
        indices: For each variable that it takes, the index in the state.
    """

    function: Any
    indices: list[int]

    def bind(self, state: Sequence[Any]) -> Callable[..., Any]:
        """Returns the function of tensors, with the variables of a model."""
        run = self.function.call_preflattened
        handles = [state[i]._handle.handle for i in self.indices]
        return lambda *tensors: run([*tensors, *handles])


def bind_shared(
    function: Any, tensors: Sequence[Any], key: Any, state: Sequence[Any], share: ProgramShare
) -> Callable[..., Any] | None:
    """Returns a function of tensors that runs a shared trace, or None if it cannot be shared.

    Args:
        function: The `tf.function` of the model, which is traced if none of its like has been.
        tensors: Arguments.
        key: What the trace depends on besides the key of the program: structure, shapes, dtypes.
        state: The variables of the model.
        share: The program.
    """
    traces = share.program.get_content(dict)
    trace = traces.get(key)
    if trace is None and share.is_current():
        trace = traces[key] = _detach(function.get_concrete_function(*tensors), state)
        share.finish_trace()
    return trace and trace.bind(state)


def _detach(concrete: Any, state: Sequence[Any]) -> SharedTrace | None:
    """Returns the trace without its variables; None if it captures anything else."""
    positions = {id(v._handle.handle): i for i, v in enumerate(state)}
    indices = [positions.get(id(tensor), -1) for tensor in concrete.captured_inputs]
    function = getattr(concrete, "_inference_function", None)
    is_aliased = len(positions) < len(state)
    if -1 in indices or is_aliased or not hasattr(function, "call_preflattened"):
        return None
    return SharedTrace(function, indices) if _drop_graphs(function) else None


def _drop_graphs(function: Any) -> bool:
    """Drops the graphs of a function and of those that it calls: they hold captured variables."""
    stack, done = [function], set()
    while stack:
        part = stack.pop()
        if id(part) in done:
            continue
        done.add(id(part))
        if not (hasattr(part, "_cached_graph") and hasattr(part, "_children")):
            return False
        part._cached_graph = part._generated_graph = None
        stack += part._children
    return True


def trace_settings() -> tuple[Any, ...] | None:
    """Returns the settings of TensorFlow that a trace depends on; None where nothing is shared."""
    runtime = context.context()
    if tf.config.functions_run_eagerly() or tf.distribute.has_strategy():
        return None
    if getattr(runtime, "op_callbacks", None):  # they add ops to traces: `enable_check_numerics`
        return None
    return (
        runtime.device_name,
        tf.config.get_soft_device_placement(),
        tf.config.experimental.tensor_float_32_execution_enabled(),
        str(tf.config.optimizer.get_jit()),
        str(sorted(tf.config.optimizer.get_experimental_options().items())),
        context.is_op_determinism_enabled() if _KNOWS_DETERMINISM else None,
    )


_KNOWS_DETERMINISM = hasattr(context, "is_op_determinism_enabled")
