"""Base class of `LSTM`, `GRU` and `SimpleRNN`: an `RNN` around a built-in cell."""

import inspect
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Self, Unpack

from keras_fn import regularizers
from keras_fn.core.registry import CustomObjectScope
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._config import attributes_config, base_config
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.rnn._cell import Cell
from keras_fn.layers.rnn._cell_utils import SequenceSpec
from keras_fn.layers.rnn.rnn import RNN
from keras_fn.types import Nested, Shape


def split_cell_arguments(kwargs: Any, name: str) -> dict[str, Any]:
    """Returns the arguments of the cell among a layer's `kwargs`, and removes its own ones."""
    own = {"implementation": kwargs.pop("implementation")} if "implementation" in kwargs else {}
    shared = {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}
    return {"name": name, **own, **shared}


class CellLayer(RNN):
    """Base class of `LSTM`, `GRU` and `SimpleRNN`, which have the attributes of their cell."""

    cell_class: type[Cell]
    _input_rank = 3  # axes of batch, time and features
    recurrent_dropout: float
    seed: int | None

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        for name in _arguments(cls.cell_class):
            if name not in vars(cls):
                setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def __init__(self, cell: Cell, *args: bool, **kwargs: Unpack[LayerOptions]):
        super().__init__(cell, *args, **kwargs)
        self.input_spec = SequenceSpec(ndim=self._input_rank)

    def _make_cell(self, *args: Any, **kwargs: Any) -> Any:
        """Creates the cell; what it refuses, the layer refuses."""
        try:
            return self.cell_class(*args, **kwargs)
        except SpecError as error:
            source = error.source.replace(self.cell_class.__name__, type(self).__name__)
            raise error.with_source(source) from None

    def build(self, sequences_shape: Shape, initial_state_shape: Nested = None) -> None:
        """Builds the cell, and creates the states of a stateful layer."""
        try:
            super().build(sequences_shape, initial_state_shape)
        except SpecError as error:
            raise error.with_source(error.source.replace(self.cell._label, self._label)) from None
        axis = self.cell._channel_axis
        axis = axis if axis < 0 else axis + 1  # after the axis of time
        self.input_spec = SequenceSpec(ndim=self._input_rank, axes={axis: sequences_shape[axis]})

    def _set_use_cudnn(self, value: Any) -> None:
        if value not in ("auto", True, False):
            raise argument_error(self, "use_cudnn", "'auto', True or False", value, "omit it")
        if value is True and (
            self.unroll or not self.cell.supports_fused_kernel or self.recurrent_dropout
        ):
            raise argument_error(
                self,
                "use_cudnn",
                "arguments that the fused kernel supports",
                value,
                "use the default activations, recurrent_dropout=0 and unroll=False, "
                "or use_cudnn='auto'",
            )
        self.use_cudnn = value

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        config = {
            **base_config(self),
            **attributes_config(self.cell, self.cell_class),
            **super().get_config(),
        }
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {name: value for name, value in config.items() if name not in ("cell", "use_cudnn")}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        with CustomObjectScope(custom_objects):
            return cls(**config)


def _arguments(cell_class: type[Cell]) -> list[str]:
    parameters = inspect.signature(cell_class.__init__).parameters
    return [name for name in parameters if name not in ("self", "kwargs")]
