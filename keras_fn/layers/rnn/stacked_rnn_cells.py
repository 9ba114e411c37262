"""A stack of recurrent cells."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

from keras_fn.core import tree
from keras_fn.core.masking import drop_mask
from keras_fn.core.serialization import deserialize_keras_object
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.rnn._cell import Step
from keras_fn.layers.rnn._cell_utils import (
    build_cell,
    get_initial_state,
    get_input_dtype,
    get_output_size,
    get_step_function,
)
from keras_fn.ops.core import shape as shape_of
from keras_fn.types import Nested, Shape, Tensor


class StackedRNNCells(Layer):
    """Stack of recurrent cells, as one cell for `RNN`: each takes the output of the one below.

    Args:
        cells: The cells, from bottom to top.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: A list of the states of each cell.
        training: Whether to run in training mode, with dropout.

    Input shape:
        `(batch, features)`.

    Output shape:
        A tuple of the output of the last cell and the next states.

    Raises:
        ValueError: A cell has no `call` or `state_size`, or the list is empty.

    Example:
        >>> cells = [keras.layers.LSTMCell(8), keras.layers.GRUCell(4)]
        >>> keras.layers.RNN(keras.layers.StackedRNNCells(cells))(keras.Input((5, 3))).shape
        (None, 4)
    """

    _names_inner_errors = True
    compute_mask = drop_mask

    def __init__(self, cells: Sequence[Layer], **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.cells = list(cells) if isinstance(cells, (list, tuple)) else cells
        if not self.cells or not isinstance(self.cells, list):
            raise argument_error(
                self, "cells", "a list of cells", cells, "for example [LSTMCell(8)]"
            )
        for cell in self.cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise argument_error(
                    self,
                    "cells",
                    "cells with call() and state_size",
                    cell,
                    "give the class a call(inputs, states) and an attribute state_size",
                )

    def _float_input_dtype(self, dtype: str) -> str:
        """Leaves the cast to the first cell."""
        return get_input_dtype(self.cells[0], dtype, self.input_dtype)

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells."""
        cells: Any = self.cells
        return [cell.state_size for cell in cells]

    @property
    def output_size(self) -> int:
        """The size of the output of the last cell."""
        return get_output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Any]:
        """Returns the initial states of each cell."""
        return [get_initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Shape) -> None:
        """Builds the cells, each for the output of the one below."""
        for cell in self.cells:
            build_cell(cell, input_shape)
            input_shape = (input_shape[0], get_output_size(cell))
        self.built = True

    def call(self, inputs: Nested, states: Nested, training: bool = False) -> Nested:
        """Returns the output of one time step and the next states."""
        output, new = self.make_step(shape_of(inputs), training)(inputs, states)
        return output, tree.unflatten(states, tree.flatten(new))

    def make_step(self, input_shape: Shape, training: bool) -> Step:
        """Returns the step function of all cells, with the same dropout masks at each time step."""
        steps: list[Step] = []
        for cell in self.cells:
            steps.append(get_step_function(cell, input_shape, training, self._policy))
            input_shape = (input_shape[0], get_output_size(cell))

        def step(inputs: Any, states: Any) -> Any:
            new = []
            for one, state in zip(steps, states, strict=True):
                inputs, after = one(inputs, state)
                new.append(after)
            return inputs, new

        return step

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
        cells = config.pop("cells")
        read = [deserialize_keras_object(cell, custom_objects, kind="layer") for cell in cells]
        return cls(read, **config)
