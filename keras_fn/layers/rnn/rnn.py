"""Recurrent layer around any cell."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Self, Unpack

from keras_fn.core import tree
from keras_fn.core.masking import propagates_mask_only
from keras_fn.core.operation import infer_spec
from keras_fn.core.serialization import deserialize_keras_object
from keras_fn.core.shapes import is_compatible
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.rnn import _cell_utils
from keras_fn.layers.rnn._cell import Cell, DropoutMasks, Step
from keras_fn.layers.rnn.stacked_rnn_cells import StackedRNNCells
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import cast, convert_to_tensor, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import expand_dims, swapaxes
from keras_fn.ops.rearranging import flip
from keras_fn.ops.rnn import rnn
from keras_fn.types import Nested, Shape, Tensor


class RecurrentState(StatefulObject):
    """The states of a stateful layer: variables that are not weights."""

    kind = "state"

    def __init__(self, states: Any):
        self.states = states

    @property
    def variables(self) -> list[Any]:
        return tree.flatten(self.states)


class RNN(Layer):
    """Recurrent layer: runs a cell over the time steps of sequences.

    A custom cell is a layer with `call(inputs, states)`, which returns the output of one time step
    and the next states, and with `state_size`, an integer or a list with one for each state. It
    may have `output_size` (by default the size of the first state) and
    `get_initial_state(batch_size)` (by default zeros).

    Args:
        cell: The cell, or a list of cells to stack.
        return_sequences: Whether to return the outputs of all time steps, not only of the last.
        return_state: Whether to return the final states too.
        go_backwards: Whether to process the sequence in reverse, which also reverses the outputs.
        stateful: Whether the final states of a batch are the initial states of the next one. The
            batch size is then fixed; `reset_state` resets the states.
        unroll: Whether to unroll the loop over time steps: faster for short sequences, with more
            memory. The number of time steps must be known.
        zero_output_for_mask: Whether outputs at masked steps are 0, not the previous outputs, with
            `return_sequences`. Alone, the last output is that of the last step that counts.

    Call arguments:
        sequences: A tensor of shape `(batch, time, ...)`.
        initial_state: A list of initial states, one tensor for each state of the cell.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode, with dropout.

    Input shape:
        A tensor of shape `(batch, time, ...)`.

    Output shape:
        The last output of the cell, `(batch, ...)`, or with `return_sequences` all of them,
        `(batch, time, ...)`. With `return_state`, a tuple of the output and the final states.

    Raises:
        ValueError: The cell has no `call` or `state_size`; the batch size of a stateful layer is
            unknown or changes; the number of steps of an unrolled layer is unknown; the initial
            states have other shapes than the states of the cell.

    Example:
        >>> layer = keras.layers.RNN(keras.layers.SimpleRNNCell(4), return_sequences=True)
        >>> layer(keras.Input((5, 3))).shape
        (None, 5, 4)
    """

    use_cudnn: bool | str = "auto"
    _names_inner_errors = True

    def __init__(
        self,
        cell: Any,  # a `Layer` with `state_size`, or a sequence of them
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call") or getattr(cell, "state_size", None) is None:
            raise argument_error(
                self,
                "cell",
                "a cell with call() and state_size",
                cell,
                "give the class a call(inputs, states) and an attribute state_size",
            )
        if not all(isinstance(size, int) for size in tree.flatten(cell.state_size)):
            raise argument_error(
                self,
                "cell",
                "a state_size that is an integer or a list of integers",
                cell.state_size,
                "set the number of units of each state",
            )
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = self._updates_state_at_inference = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.state_size = _as_list(cell.state_size)
        self._state: RecurrentState | None = None

    def _float_input_dtype(self, dtype: str) -> str:
        """Leaves the cast to the cell."""
        return _cell_utils.get_input_dtype(self.cell, dtype, self.input_dtype)

    @property
    def states(self) -> Any:
        """The states of a stateful layer, as variables; None before it is built."""
        return None if self._state is None else self._state.states

    def build(self, sequences_shape: Shape, initial_state_shape: Nested = None) -> None:
        """Builds the cell, and creates the states of a stateful layer."""
        del initial_state_shape  # it follows from the cell
        self._check_rank(sequences_shape)
        batch_size = sequences_shape[0]
        _cell_utils.build_cell(self.cell, (batch_size, *sequences_shape[2:]))
        if self.stateful and self._state is None:
            specs = infer_spec(self._initial_state_for, (sequences_shape,), {})
            if any(None in spec.shape for spec in tree.flatten(specs)):
                known = (
                    "a known batch size" if batch_size is None else "known sizes but that of time"
                )
                raise SpecError(
                    self._label,
                    expected=f"{known} with stateful=True",
                    received=f"sequences of shape {tuple(sequences_shape)}",
                    fix="set it, for example Input(batch_shape=(32, None, 8))",
                )
            initial = self._initial_state_for(sequences_shape)
            self._state = RecurrentState(tree.map_structure(self._state_variable, initial))
        self.built = True

    def _check_rank(self, shape: Any) -> None:
        """Refuses, from now on, inputs without a time axis: the cell would take another for it."""
        cell = self.cell.cells[0] if isinstance(self.cell, StackedRNNCells) else self.cell
        if self.input_spec is None and not any(map(tree.is_nested, shape)):
            self.input_spec = _cell_utils.SequenceSpec(min_ndim=3 if isinstance(cell, Cell) else 2)
            self.input_spec.check(tuple(shape), self.input_dtype, self._label)

    def _state_variable(self, value: Any) -> Variable:
        return Variable(value, trainable=False, dtype=self.variable_dtype, name="rnn_state")

    def get_initial_state(self, batch_size: int | Tensor | None) -> list[Any]:
        """Returns the initial states, in a list."""
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return _as_list(_cell_utils.get_initial_state(self.cell, batch_size, dtype))

    def _initial_state_for(self, sequences_shape: Any) -> list[Any]:
        """Returns the initial states for sequences of a shape."""
        return self.get_initial_state(sequences_shape[0])

    def reset_state(self) -> None:
        """Resets the states of a stateful layer to 0."""
        for variable in tree.flatten(self.states) if self.states else ():
            variable.assign(zeros_like(variable.value))

    reset_states = reset_state  # as Keras 2 named it

    def call(
        self,
        sequences: Nested,
        initial_state: Nested = None,
        mask: Nested = None,
        training: bool = False,
    ) -> Nested:
        """Returns the outputs of all steps or of the last one."""
        if self.unroll and sequences.shape[1] is None:
            raise SpecError(
                self._label,
                expected="a known number of time steps with unroll=True",
                received=f"sequences of shape {tuple(sequences.shape)}",
                fix="set it, for example Input(shape=(10, 8)), or use unroll=False",
            )
        if tree.is_nested(mask):
            mask = tree.flatten(mask)[0]
        self._check_mask(sequences, mask)
        states = self._resolve_initial_state(sequences, initial_state)
        output, outputs, states = self._loop(sequences, states, mask, training)
        output = cast(outputs if self.return_sequences else output, self.compute_dtype)
        if not (self.stateful or self.return_state):
            return output
        states = tree.map_structure(lambda x: cast(x, self.compute_dtype), states)
        if self.stateful:
            for variable, state in zip(
                tree.flatten(self.states), tree.flatten(states), strict=True
            ):
                variable.assign(state)
        return (output, *states) if self.return_state else output

    def _check_mask(self, sequences: Any, mask: Any) -> None:
        if mask is None or is_compatible(tuple(mask.shape), tuple(sequences.shape)[:2]):
            return
        raise SpecError(
            self._label,
            expected=f"a mask of shape {tuple(sequences.shape)[:2]}, the batch and the time steps",
            received=f"a mask of shape {tuple(mask.shape)}",
            fix="reduce it over the other axes, for example ops.any(mask, axis=-1)",
        )

    def _resolve_initial_state(self, sequences: Any, initial_state: Any) -> list[Any]:
        """The initial states: of the call, of the previous batch, or of the cell."""
        self._check_batch_size(sequences.shape[0])
        initial = self._initial_state_for(shape_of(sequences))
        if initial_state is None and self.stateful:
            # Copies: the assignment of the final states may change these in place.
            initial_state = tree.map_structure(lambda v: add(v.value, 0.0), self.states)
        if initial_state is None:
            return initial
        values = tree.flatten(initial_state)
        wanted = tree.flatten(initial)
        fits = len(values) == len(wanted) and all(
            is_compatible(v.shape, w.shape) for v, w in zip(values, wanted, strict=True)
        )
        if not fits:
            raise SpecError(
                self._label,
                expected=f"initial_state: {', '.join(str(tuple(w.shape)) for w in wanted)}",
                received=", ".join(str(tuple(v.shape)) for v in values),
                fix="pass a list with a tensor of shape (batch, units) for each state of the cell",
            )
        return tree.unflatten(
            initial,
            [cast(convert_to_tensor(v), w.dtype) for v, w in zip(values, wanted, strict=True)],
        )

    def _check_batch_size(self, size: Any) -> None:
        if not self.stateful or self.states is None:
            return
        kept = tree.flatten(self.states)[0].shape[0]
        if isinstance(size, int) and size != kept:
            raise SpecError(
                self._label,
                expected=f"batches of {kept}, the size of its stored states",
                received=f"a batch of {size}",
                fix="use one batch size, or use stateful=False",
            )

    def _loop(self, sequences: Any, states: list[Any], mask: Any, training: bool) -> Any:
        """Runs the cell. Returns the last output, all outputs, and the last states."""
        cell, (batch_size, _, *sizes) = self.cell, shape_of(sequences)
        step_shape = (batch_size, *sizes)
        if (
            isinstance(cell, Cell)
            and _cell_utils.uses_builtin_step(cell)
            and cell._policy == self._policy
        ):
            if dtype_of(sequences) != cell.compute_dtype:  # the cell had no path before `build`
                sequences = cast(sequences, cell.compute_dtype)
            drop = cell.draw_dropout_masks(step_shape, training)
            if self._is_one_op(drop):
                return self._run_fused(sequences, states, mask, drop)
            steps = swapaxes(sequences, 0, 1)
            steps = cell.input_projection(steps, drop.inputs)  # one matrix product for all steps

            step: Step = partial(cell.step, dropout_mask=drop.states)
        else:
            steps = swapaxes(sequences, 0, 1)
            step = _cell_utils.get_step_function(cell, step_shape, training, self._policy)
        last, outputs, states = rnn(
            step,
            steps,
            states,
            None if mask is None else swapaxes(cast(mask, "bool"), 0, 1),
            self.go_backwards,
            self.zero_output_for_mask and self.return_sequences,
            self.unroll,
        )
        return last, swapaxes(outputs, 0, 1), states

    def _run_fused(self, sequences: Any, states: list[Any], mask: Any, drop: DropoutMasks) -> Any:
        """Runs the cell as one op. Returns the last output, all outputs, and the last states."""
        if drop.inputs is not None:
            sequences = multiply(sequences, expand_dims(drop.inputs[0], 1))
        if mask is None:
            outputs, states = self.cell.run_fused(sequences, states, self.go_backwards)
            return states[0], outputs, states
        mask = cast(mask, "bool")
        outputs, states = self.cell.run_fused(sequences, states, self.go_backwards, mask)
        last = getitem(outputs, (slice(None), -1))
        if self.zero_output_for_mask and self.return_sequences:
            mask = flip(mask, 1) if self.go_backwards else mask
            outputs = where(expand_dims(mask, 2), outputs, 0)
        return last, outputs, states

    def _is_one_op(self, drop: DropoutMasks) -> bool:
        """Whether a fused op computes the same as the steps."""
        is_shared = drop.states is None and (drop.inputs is None or drop.inputs.shape[0] == 1)
        return (
            is_shared
            and self.cell.supports_fused_kernel
            and not self.unroll
            and self.use_cudnn is not False
        )

    @propagates_mask_only
    def compute_mask(self, inputs: Nested, mask: Nested) -> Nested:
        """Returns the mask of the outputs with `return_sequences`, in their order, else None."""
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        if mask is not None and self.go_backwards:
            mask = flip(mask, 1)
        if not self.return_state:
            return mask
        return [mask] + [None] * len(tree.flatten(self.state_size))

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        config = dict(config)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects, kind="layer")
        return cls(cell, **config)


def _as_list(value: Any) -> list[Any]:
    return list(value) if tree.is_nested(value) else [value]
