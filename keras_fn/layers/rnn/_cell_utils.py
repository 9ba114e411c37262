"""Initial states, output size and step function of any recurrent cell."""

from typing import Any

from keras_fn.core import tree
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.memoize import memoize
from keras_fn.core.operation import infer_spec
from keras_fn.core.scopes import AutocastScope
from keras_fn.errors import SpecError
from keras_fn.layers.layer import Layer
from keras_fn.layers.rnn._cell import Cell, Step
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.creation import zeros
from keras_fn.types import Shape


class SequenceSpec(InputSpec):
    """Spec of sequences, which names the time axis where it is missing."""

    def check(self, shape: Shape, dtype: str, source: str) -> None:
        """Checks the shape and dtype of the sequences, as `InputSpec` does."""
        if len(shape) + 1 == (self.ndim or self.min_ndim):
            sizes = (None, *shape[1:])
            raise SpecError(
                source,
                expected="sequences of shape (batch, time, ...)",
                received=f"shape {shape}, which has no time axis",
                fix=f"add it: Input(shape={sizes}), or ops.expand_dims(x, 1) for one time step",
            )
        super().check(shape, dtype, source)


def get_output_size(cell: Any) -> int:
    """Returns the output size of a cell: by default the size of its first state."""
    size = getattr(cell, "output_size", None)
    return tree.flatten(cell.state_size)[0] if size is None else size


def get_input_dtype(cell: Any, dtype: str, default: str) -> str:
    """Returns the dtype in which a cell takes floating-point inputs of a dtype."""
    return cell._float_input_dtype(dtype) if isinstance(cell, Layer) else default


def get_initial_state(cell: Any, batch_size: Any, dtype: str) -> Any:
    """Returns the initial states of a cell: by default zeros of its `state_size`."""
    return initial_state_for(cell, (batch_size,), dtype)


def initial_state_for(cell: Any, input_shape: Any, dtype: str) -> Any:
    """Returns the initial states of a cell, for the inputs of one time step."""
    if isinstance(cell, Cell):
        return cell.initial_state_for(input_shape)
    batch_size = input_shape[0]
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    return tree.map_structure(lambda size: zeros((batch_size, size), dtype), cell.state_size)


def build_cell(cell: Any, input_shape: Any) -> None:
    """Builds a cell and its sublayers by a call on symbolic inputs."""
    if not isinstance(cell, Layer) or cell.built:
        return
    inputs = KerasTensor(input_shape, cell.input_dtype, record_history=False)
    first = infer_spec(initial_state_for, (cell, input_shape, cell.compute_dtype), {})
    infer_spec(cell, (inputs, first if tree.is_nested(first) else [first]), {})


def uses_builtin_step(cell: Any) -> bool:
    """Returns whether `make_step` agrees with `call`: no subclass overrides only one of them."""
    return _uses_builtin_step(type(cell))


@memoize
def _uses_builtin_step(cls: type) -> bool:
    def definer(name: str) -> type | None:
        return next((base for base in cls.__mro__ if name in vars(base)), None)

    return hasattr(cls, "make_step") and definer("make_step") is definer("call")


def _training_option(cell: Any, training: bool) -> dict[str, bool]:
    takes_training = isinstance(cell, Layer) and cell._signature.has_training
    return {"training": training} if takes_training else {}


def get_step_function(cell: Any, input_shape: Any, training: bool, policy: Any) -> Step:
    """Returns the step function of a cell, with the same dropout masks at each time step.

    Args:
        cell: The cell.
        input_shape: The shape of the inputs of one time step.
        training: Whether to apply dropout.
        policy: The dtype policy of the layer that the step runs in.
    """
    if not uses_builtin_step(cell):
        options = _training_option(cell, training)
        return lambda inputs, states: cell(
            inputs, states if tree.is_nested(states) else [states], **options
        )
    step = cell.make_step(input_shape, training)
    if cell._policy == policy:
        return step

    def step_in_policy(inputs: Any, states: Any) -> Any:
        with AutocastScope(cell._autocast_to):
            return step(cast(inputs, cell._float_input_dtype(dtype_of(inputs))), states)

    return step_in_policy
