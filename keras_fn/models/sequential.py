"""The Sequential model: a stack of layers, which is a graph once its input shape is known."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

from keras_fn.core import masking, tree
from keras_fn.core.graph_model import get_graph
from keras_fn.core.host_text import has_text
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.naming import current_path, name_scope
from keras_fn.core.operation import Node, infer_spec
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.scopes import BuildScope, StatelessScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.core.shapes import is_compatible
from keras_fn.core.sparse import is_sparse
from keras_fn.errors import DTypeError, SpecError, UnsupportedError
from keras_fn.layers._shapes import symbolic_inputs
from keras_fn.layers._signature import shape_of
from keras_fn.layers.core.input_layer import Input, InputLayer
from keras_fn.layers.layer import Layer
from keras_fn.models.functional import Functional, mark_as_repeats
from keras_fn.models.model import Model
from keras_fn.models.shape_relaxation import relax_shape
from keras_fn.types import Nested, Shape


class Sequential(Model):
    """Sequential model: a stack of layers, each called on the output of the previous one.

    Without an `Input`, the first data build it. It then takes all data that its layers take: of the
    shape it keeps the rank, and the sizes that weights depend on. A stack whose first layer takes
    several tensors, or whose layers cannot infer shapes, runs layer by layer.

    Args:
        layers: The layers. With an `Input` as the first one the model is built immediately,
            otherwise by the first call.
        trainable: Whether optimizers update the weights. Default True.
        name: Name of the model; automatic by default.

    Raises:
        TypeError: Something in `layers` is not a layer.
        ValueError: Two layers have the same name, or an `Input` is not first.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    def __new__(cls, *args: Nested, **kwargs: Any) -> Self:
        return Layer.__new__(cls)

    _is_stack = True
    # Whether the input is sparse, or text, in a model without an `Input`.
    _is_sparse, _is_text = False, False

    def __init__(
        self,
        layers: Iterable[Layer | KerasTensor] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ):
        Layer.__init__(self, trainable=trainable, name=name)
        self._start_model()
        self._functional: Functional | None = None
        self._layers: list[Layer] = []
        self._nodes: list[Node] = []  # of the newest graph
        self._has_no_graph = False  # whether a call runs layer by layer
        self._is_open = False  # whether data of other sizes can change the graph
        self.supports_masking = True
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer: Layer | KerasTensor, rebuild: bool = True) -> None:
        """Adds a layer on top of the stack.

        Args:
            layer: A layer; or an `Input`, which must be the first.
            rebuild: Whether to rebuild the graph. Default True.

        Raises:
            TypeError: It is not a layer.
            ValueError: There is a layer of that name, or an `Input` is not first.
        """
        if isinstance(layer, KerasTensor):
            layer = cast(Layer, layer._keras_history.operation)
        if not isinstance(layer, Layer):
            raise DTypeError(
                self._label,
                expected="a layer",
                received=f"{layer!r}"[:300],
                fix="wrap functions in a Lambda layer, ops in a custom layer",
            )
        if any(other.name == layer.name for other in self._layers):
            raise SpecError(
                self._label,
                expected="layers whose names are all different",
                received=f"two layers named {layer.name!r}",
                fix="give one of them another name=",
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise SpecError(
                self._label,
                expected="an Input before all other layers",
                received=f"{layer.name!r} after {self._layers[-1].name!r}",
                fix="add the Input first",
            )
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
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Builds the graph, if the shape of the input is known."""
        built_for = self._build_shapes if self._functional is not None else None
        self.built, self._functional, self._has_no_graph = False, None, False
        self._invalidate_structure()
        if self._layers and isinstance(self._layers[0], InputLayer) and len(self._layers) > 1:
            inputs = self._layers[0].output
        elif (tensor := _single_input(self._layers[0]) if self._layers else None) is not None:
            inputs = Input(batch_shape=tensor.shape, dtype=tensor.dtype)
        else:
            if built_for is not None and self.layers:
                self._build_again(built_for["input_shape"])
            return
        with name_scope(self.name):
            self._set_path(current_path())
            self._connect(inputs)

    def _build_again(self, shape: Shape) -> None:
        """Builds a changed stack for the shape that it was built for; if it fits, now."""
        is_open = self._is_open
        with contextlib.suppress(Exception):  # otherwise, the next call raises the error
            self.build(shape)
            self._is_open = is_open
            self._relax_if_open()

    def _connect(self, inputs: KerasTensor) -> None:
        x: Any = inputs
        try:
            for layer in self.layers:
                x = layer(x)
        except NotImplementedError as error:
            if isinstance(error, UnsupportedError):
                raise
            self._build_without_graph(inputs.shape)
            return
        self._functional = Functional(inputs, x, name=self.name)
        mark_as_repeats(self._nodes)
        self._nodes = self._functional.execution_plan.nodes
        mark_as_repeats(self._nodes)
        self.built = True
        self._build_shapes = {"input_shape": inputs.shape}

    def _build_without_graph(self, input_shape: Nested) -> None:
        """Builds the layers if they can run on symbols; otherwise the first data build them."""
        self._has_no_graph = True
        self._build_shapes = {"input_shape": input_shape}
        try:
            infer_spec(self.call, (symbolic_inputs(input_shape, self.input_dtype),), {})
        except Exception:  # such a layer can need values
            self.built = all(layer.built for layer in self.layers)

    def build(self, input_shape: Nested = None) -> None:
        """Builds the graph, or the layers for nested shapes.

        Args:
            input_shape: The shape of the input, with the batch axis; or nested shapes.

        Raises:
            ValueError: The shape is missing, there are no layers, or the model is built for
                another shape.
        """
        if self._functional is not None:
            if input_shape is not None and not _is_nested_shape(input_shape):
                self._check_built_for(standardize_shape(input_shape))
            return
        if input_shape is None:
            raise SpecError(
                f"{self._label}, build",
                expected="the shape of the input",
                received="input_shape=None",
                fix="pass input_shape=, for example (None, 28)",
            )
        if not self._layers:
            raise SpecError(
                f"{self._label}, build",
                expected="a model with layers",
                received="an empty one",
                fix="add layers first",
            )
        if _is_nested_shape(input_shape):
            self._build_without_graph(input_shape)
        elif not self._has_no_graph:
            self._connect_to_shape(standardize_shape(input_shape))

    def _check_built_for(self, shape: Shape) -> None:
        """Raises an error unless the graph takes data of that shape."""
        built_for = self.inputs[0].shape
        if not is_compatible(shape, built_for):
            raise SpecError(
                f"{self._label}, build",
                expected=f"the shape {built_for}, for which it is built",
                received=f"input_shape={shape}",
                fix="create a new model for other shapes",
            )

    def _connect_to_shape(self, shape: Shape, name: str | None = None) -> None:
        dtype = "string" if self._is_text else self._layers[0]._common_input_dtype
        self._connect(Input(batch_shape=shape, dtype=dtype, sparse=self._is_sparse, name=name))
        if self._functional is not None:
            self._functional.input_binder.keeps_dtypes = dtype is None

    def _build_for(self, arguments: dict[str, Any]) -> None:
        """Builds the model for the arguments of its first call."""
        inputs = next(iter(arguments.values()), None)
        if tree.is_nested(inputs):
            self._has_no_graph, self._build_shapes = True, {"input_shape": shape_of(inputs)}
        if self._has_no_graph:
            return  # the layers build themselves
        self._is_sparse, self._is_text = is_sparse(inputs), has_text([inputs])
        self.build(shape_of(inputs))
        self._is_open = True
        # The sizes of an Input of the user are kept until other data come.
        if not isinstance(inputs, KerasTensor) or not hasattr(inputs, "_keras_history"):
            self._relax_if_open()

    def _relax_if_open(self) -> None:
        """Builds the graph again, for all shapes of data that the layers take."""
        if self._functional is None or not self._is_open:
            return
        tensor = self.inputs[0]

        def accepts(shape: Shape) -> bool:
            x = KerasTensor(shape, tensor.dtype, record_history=False)
            try:
                with StatelessScope():
                    infer_spec(self._call_layers, (x,), {})
            except Exception:  # of any layer
                return False
            return True

        shape = relax_shape(tensor.shape, accepts)
        if shape != tensor.shape:
            self._reconnect(shape)

    def _build_like(self, model: "Sequential") -> None:
        """Builds the model for the shapes that another one was built for."""
        self.build((model._build_shapes or {}).get("input_shape"))
        if self._functional is not None and model._functional is not None:
            self._reconnect(model.inputs[0].shape)

    def _reconnect(self, shape: Shape) -> None:
        """Builds the graph again, on an input of a shape that the weights fit."""
        built_for, name = self._build_shapes, self.input_names[0]
        with BuildScope(), name_scope(self.name):
            self._connect_to_shape(shape, name)
        self._build_shapes = built_for

    def call(self, inputs: Nested, training: bool | None = None, mask: Nested = None) -> Nested:
        """Calls the layers in order.

        Args:
            inputs: The input tensor.
            training: Whether layers run in training mode.
            mask: The mask of the input, or None.

        Returns:
            The output of the last layer.
        """
        if self._functional is None and not self._has_no_graph:
            self._build_for({"inputs": inputs})
        graph = self._functional
        if graph is not None:
            try:
                return graph.call(inputs, training=training, mask=mask)
            except SpecError:
                self._relax_if_open()
                if self._functional is graph:
                    raise
                graph = cast(Functional, self._functional)
                return graph.call(inputs, training=training, mask=mask)
        if mask is not None:
            for x, m in zip(tree.flatten(inputs), tree.flatten(mask), strict=True):
                masking.set_mask(x, m)
        outputs = self._call_layers(inputs, training)
        if not self.built:
            self.built = True
        return outputs

    def _call_layers(self, inputs: Nested, training: bool | None = None) -> Nested:
        """Calls the layers one by one, without the graph."""
        for layer in self.layers:
            takes_training = layer._signature.has_training
            inputs = layer(inputs, training=training) if takes_training else layer(inputs)
        return inputs

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the `InputLayer`."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    @property
    def execution_graph(self) -> Functional | None:
        """The graph of the layers; None until the model is built."""
        return self._functional

    def _float_input_dtype(self, dtype: str) -> str:
        """Keeps all, as an `Input` casts itself; without one, as the first layer takes it."""
        first = self._layers[0] if self._layers else None
        if first is None or isinstance(first, InputLayer):
            return dtype
        return first._float_input_dtype(dtype)

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._functional is not None and self._functional.host_preprocessing is not None:
            return arguments
        return super()._convert_inputs(arguments)

    def _propagate_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        """Does nothing: the layers set the masks of their outputs."""

    def _get_graph_for(self, what: str) -> Functional:
        if self._functional is None:
            state = "runs layer by layer" if self._has_no_graph else "is not built"
            raise AttributeError(
                f"{self._label} {state}, so its {what} is not known.\n"
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
    def input(self) -> Nested:
        """The input tensor."""
        return self._get_graph_for("input").input

    @property
    def output(self) -> Nested:
        """The output tensor."""
        return self._get_graph_for("output").output

    @property
    def input_shape(self) -> Nested:
        """The shape of the input."""
        return self._get_graph_for("input_shape").input_shape

    @property
    def output_shape(self) -> Nested:
        """The shape of the output."""
        return self._get_graph_for("output_shape").output_shape

    @property
    def input_names(self) -> list[str]:
        """The name of the input, in a list."""
        return self._get_graph_for("input_names").input_names

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, in a list."""
        return self._get_graph_for("output_names").output_names

    def compute_output_spec(
        self, inputs: Nested, training: bool | None = None, mask: Nested = None
    ) -> Nested:
        """Infers the shape and dtype of the output.

        Args:
            inputs: The input, a tensor or a KerasTensor.
            training: Whether layers run in training mode.
            mask: The mask of the input, or None.
        """
        return infer_spec(self, (inputs,), {"training": training, "mask": mask})

    def compute_output_shape(self, input_shape: Shape) -> Nested:
        """Returns the shape of the output for an input of a shape.

        Args:
            input_shape: The shape of the input, with the batch axis.
        """
        x = KerasTensor(input_shape, record_history=False)
        return tree.map_structure(lambda t: t.shape, self.compute_output_spec(x))

    def get_config(self) -> dict[str, Any]:
        """Returns the configs of the layers."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        config["dtype"] = Layer.get_config(self)["dtype"]
        config["layers"] = [serialize_keras_object(layer) for layer in self._layers]
        if self._functional is not None:
            config["build_input_shape"] = self._functional.input_shape
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Returns a model created from a config, with new weights.

        Args:
            config: The result of `get_config`.
            custom_objects: Custom classes and functions, by name.
        """
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        with CustomObjectScope(custom_objects), name_scope(model.name):  # layers may be built
            for layer in config["layers"]:
                model.add(deserialize_keras_object(layer, kind="layer"), rebuild=False)
        model._rebuild()
        shape = config.get("build_input_shape")
        if model._functional is None and shape and isinstance(shape, (list, tuple)):
            model.build(tuple(shape))
        return model


def _is_nested_shape(shape: Nested) -> bool:
    """Returns whether a value is several shapes, of nested inputs."""
    return isinstance(shape, dict) or (
        isinstance(shape, (list, tuple)) and any(isinstance(x, (list, tuple, dict)) for x in shape)
    )


def _single_input(layer: Any) -> KerasTensor | None:
    """Returns the input tensor of a nested model that is built and has a single one, else None."""
    graph = get_graph(layer)
    tensors = graph.inputs if graph is not None else ()
    return tensors[0] if len(tensors) == 1 else None
