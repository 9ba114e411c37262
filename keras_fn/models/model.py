"""The Model: a layer that can be trained, saved and looked at."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, cast

from keras_fn._lazy import LazyModule
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import serialize_keras_object
from keras_fn.layers._config import init_arguments_config
from keras_fn.layers.layer import Layer
from keras_fn.optimizers.nested import find_optimizers
from keras_fn.training.trainer import Trainer

model_files: Any = LazyModule("keras_fn.saving.saving_api")
mermaid: Any = LazyModule("keras_fn.visualization.mermaid")
tables: Any = LazyModule("keras_fn.visualization.summary")


class Model(Trainer, Layer):
    """A layer with `fit`, `evaluate`, `predict`, `save` and `summary`.

    Made in one of three ways: `Model(inputs, outputs)` from a graph of layers; a subclass with
    a `call` of its own; `Sequential([...])` from a stack.

    Example:
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> model.count_params()
        8
    """

    _functional_base: ClassVar[type]
    """The class of models that are graphs; `functional.py` sets it."""

    def __new__(cls, *args: Any, **kwargs: Any):
        is_graph = cls is Model and _has_graph(args, kwargs)  # a subclass may take two, too
        return super().__new__(_with_graph(cast(type, cls)) if is_graph else cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        base = Model._functional_base
        if _has_graph(args, kwargs):
            # A subclass that hands a graph to super().__init__ becomes a graph here.
            self.__class__ = _with_graph(cast(type, type(self)))
            base.__init__(self, *args, **kwargs)
            return
        for name in kwargs.keys() & {"inputs", "outputs"}:
            raise TypeError(f"Model: inputs and outputs go together; only {name} came.")
        Layer.__init__(self, *args, **kwargs)
        self._start_model()

    def _start_model(self) -> None:
        self._init_trainer()

    # ---------------------------------------------------------------- looking

    @property
    def layers(self) -> list[Layer]:
        """The layers that the model is made of, those inside them not."""
        return self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer by name, or by index in `layers`.

        Raises:
            ValueError: There is none.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer: give a name or an index.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: index {index} of {len(self.layers)} layers.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"{self._label} has no layer named {name!r}; it has "
            f"{', '.join(layer.name for layer in self.layers)}."
        )

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} model {self.name!r}"

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], None] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | None = None,
    ) -> None:
        """Prints the layers, their output shapes and numbers of parameters as a table.

        Args:
            line_length: Characters in a line.
            positions: Right edges of the columns, as fractions of the line.
            print_fn: Takes the text instead of the terminal.
            expand_nested: Whether the layers of nested models are shown too.
            show_trainable: Whether a column says what is trained.
            layer_range: Names (or patterns) of the first and the last layer to show.
        """
        tables.print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def _repr_html_(self) -> str:
        return tables.summary_html(self)

    def _repr_markdown_(self) -> str:
        return f"```mermaid\n{mermaid.model_to_mermaid(self)}\n```"

    # ---------------------------------------------------------------- state

    def _state(self, kind: str) -> list[Any]:
        """With the variables of optimizers in attributes, which a user's `train_step` takes."""
        state = super()._state(kind)
        if kind == "train":
            held = (o for layer in self._flatten_layers() for o in find_optimizers(vars(layer)))
            state += [v for optimizer in held for v in optimizer.variables]
        return list({id(v): v for v in state}.values())

    # ---------------------------------------------------------------- files

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: all but compiled functions, which are made again."""
        return {**super().__getstate__(), "_functions": {}, "_trainer_state": None}

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Saves the model, with how it is trained, in one file.

        Args:
            filepath: Path; `.keras`, or `.h5` for the legacy format.
            overwrite: Whether a file that is there may be replaced.
            zipped: A `.keras` file is always zipped here.
            **kwargs: `include_optimizer=False` leaves the optimizer's state out.
        """
        model_files.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Saves the weights in a `.weights.h5` file."""
        model_files.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Loads weights from a `.weights.h5`, `.keras` or legacy `.h5` file: all, or none."""
        model_files.load_weights(self, filepath, skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Returns the architecture as JSON; `kwargs` go to `json.dumps`."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, if they are plain values."""
        return init_arguments_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a model of that config, with new weights.

        Args:
            config: What `get_config` gave.
            custom_objects: Classes and functions of yours, by name.
        """
        if {"layers", "input_layers", "output_layers"} <= config.keys():
            return _with_graph(cast(type, cls)).from_config(config, custom_objects)
        with CustomObjectScope(custom_objects):
            return super().from_config(config)


def _has_graph(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether constructor arguments are `(inputs, outputs[, name])`."""
    return (
        len(args) == 2
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )


@cache
def _with_graph(cls: type) -> Any:
    """Returns `cls` as a class of graphs: Functional for Model, a mix for a subclass."""
    base = Model._functional_base
    if cls is Model:
        return base
    if issubclass(cls, base):
        return cls
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, base), names)


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """Returns the model that `Model.to_json` described, with new weights.

    Args:
        json_string: The text.
        custom_objects: Classes and functions of yours, by name.

    Example:
        >>> x = keras.Input((3,))
        >>> text = keras.Model(x, keras.layers.Dense(2)(x)).to_json()
        >>> keras.models.model_from_json(text).count_params()
        8
    """
    return model_files.model_from_json(json_string, custom_objects)
