"""The Sequential model: a stack of layers, which becomes a graph once its input is known."""

from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.naming import current_path, name_scope
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model


class Sequential(Model):
    """A stack of layers, each called on the output of the one before.

    Args:
        layers: The layers; an `Input` first makes the model know its shapes at once.
        trainable: Whether optimizers update the weights.
        name: A name; automatic by default.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    def __new__(cls, *args: Any, **kwargs: Any):
        return Layer.__new__(cls)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None):
        Layer.__init__(self, trainable=trainable, name=name)
        self._start_model()
        self._functional: Functional | None = None
        self._layers: list[Layer] = []
        self.supports_masking = True
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Adds a layer at the end.

        Args:
            layer: A layer, or an `Input`, which goes first.
            rebuild: Whether to make the graph anew at once.
        """
        if isinstance(layer, KerasTensor):
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{self._label}\n  expected: a layer\n  received: {layer!r}\n"
                "  fix:      wrap functions in a Lambda layer, ops in a layer of yours"
            )
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(
                f"{self._label}\n  expected: layers whose names are all different\n"
                f"  received: two layers named {layer.name!r}\n"
                "  fix:      give one of them another name="
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"{self._label}: an Input goes first, before other layers.")
        shape = layer._first_input_shape
        if not self._layers and shape is not None and not isinstance(layer, InputLayer):
            input_tensor = Input(batch_shape=shape, name=f"{layer.name}_input")
            self._layers.append(input_tensor._keras_history.operation)  # type: ignore[arg-type]
        self._layers.append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes the last layer and returns it."""
        layer = self._layers.pop()
        self.built, self._functional = False, None
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Makes the graph, if the shape of the input is known."""
        self.built, self._functional = False, None
        self._invalidate_structure()
        if self._layers and isinstance(self._layers[0], InputLayer) and len(self._layers) > 1:
            inputs = self._layers[0].output
        elif (tensor := _entrance(self._layers[0]) if self._layers else None) is not None:
            inputs = Input(batch_shape=tensor.shape, dtype=tensor.dtype)
        else:
            return
        with name_scope(self.name):
            self._set_path(current_path())
            self._connect(inputs)

    def _connect(self, inputs: KerasTensor) -> None:
        x: Any = inputs
        for layer in self._layers:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        self._functional = Functional(inputs, x, name=self.name)
        self.built = True
        self._build_shapes = {"input_shape": inputs.shape}
        self._update_loss_tracking()

    def build(self, input_shape: Any = None) -> None:
        """Makes the graph for inputs of a shape (with the batch axis)."""
        if self._functional is not None:
            return
        if input_shape is None:
            raise ValueError(f"{self._label}: build needs the shape of the input.")
        if not self._layers:
            raise ValueError(f"{self._label} has no layers: add some first.")
        dtype = self._layers[0].input_dtype
        self._connect(Input(batch_shape=standardize_shape(input_shape), dtype=dtype))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Calls the layers one after the other."""
        if self._functional is None:
            self.build((None, *tuple(inputs.shape)[1:]))
        assert self._functional is not None
        return self._functional.call(inputs, training=training, mask=mask)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the `InputLayer`."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    @property
    def execution_graph(self) -> Functional | None:
        """The graph of the layers; None until the model is built."""
        return self._functional

    def _get_graph_for(self, what: str) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"{self._label} does not know its {what} yet.\n"
                "  fix: begin with an Input, call build(input_shape), or call it on data"
            )
        return self._functional

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input tensor, in a list."""
        return self._get_graph_for("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output tensors, in a list."""
        return self._get_graph_for("outputs").outputs

    @property
    def input(self) -> Any:
        """The input tensor."""
        return self._get_graph_for("input").input

    @property
    def output(self) -> Any:
        """The output tensor."""
        return self._get_graph_for("output").output

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self._get_graph_for("input_shape").input_shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return self._get_graph_for("output_shape").output_shape

    @property
    def input_names(self) -> list[str]:
        """Name of the input, in a list."""
        return self._get_graph_for("input_names").input_names

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in a list."""
        return self._get_graph_for("output_names").output_names

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the output for inputs of a shape."""
        x = KerasTensor(input_shape, record_history=False)
        return tree.map_structure(lambda t: t.shape, self.compute_output_spec(x))

    def get_config(self) -> dict[str, Any]:
        """Returns the layers' configs."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        config["dtype"] = Layer.get_config(self)["dtype"]
        config["layers"] = [serialize_keras_object(layer) for layer in self._layers]
        if self._functional is not None:
            config["build_input_shape"] = self._functional.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a stack of that config, with new weights."""
        with CustomObjectScope(custom_objects):
            model = cls(name=config.get("name"), trainable=config.get("trainable", True))
            for layer in config["layers"]:
                model.add(deserialize_keras_object(layer, kind="layer"), rebuild=False)
        model._rebuild()
        shape = config.get("build_input_shape")
        if model._functional is None and shape and isinstance(shape, (list, tuple)):
            model.build(tuple(shape))
        return model


def _entrance(layer: Any) -> KerasTensor | None:
    """The one input tensor of what is a model and a graph, or None."""
    try:
        tensors = layer.inputs if isinstance(layer, Model) else ()
    except AttributeError:
        return None
    return tensors[0] if len(tensors) == 1 else None
