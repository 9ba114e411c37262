"""Modules of PyTorch as layers."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Self, Unpack, cast

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import is_float
from keras_fn.core.scopes import AutocastScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._options import UnnamedLayerOptions
from keras_fn.layers._shapes import symbolic_inputs, to_shapes
from keras_fn.layers.interop._requirements import (
    framework_backend,
    refuse_code,
    refuse_symbols,
    reraise_refusal,
)
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested, ShapeLike


class TorchModuleWrapper(Layer):
    """Wraps an `nn.Module` of PyTorch as a layer, on the torch backend.

    The parameters of the module are the layer's weights, and its buffers (such as the moving
    averages of `BatchNorm2d`) the non-trainable ones: they are trained, frozen, saved and loaded
    with the model. Both share their memory with the module. A module whose parameters are lazy is
    initialized when the layer is built. A module that is set as an attribute of a layer or a model
    of the program is wrapped by itself.

    A module is code, which a model file never holds. Save the weights and load them into a model
    that the program builds; or register a subclass that creates its module in the constructor.

    Args:
        module: The module.
        name: The name of the layer. Unique by default.
        output_shape: The shape of the output, with the batch axis; inferred by default.

    Call arguments:
        *args: The inputs of the module.
        training: Whether to run the module in training mode; it is in evaluation mode otherwise.
        **kwargs: Further arguments of the module.

    Input shape:
        Any that the module takes; modules expect the channels first.

    Output shape:
        That of the module.

    Raises:
        ValueError: The backend is not torch.
        TypeError: `module` is not a module of PyTorch.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> layer = keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 2))  # doctest: +SKIP
        >>> layer(keras.Input((3,))).shape  # doctest: +SKIP
        (None, 2)
    """

    _not_in_config = frozenset({"module"})
    _wraps_modules = False

    def __init__(
        self,
        module: Callable[..., Any],
        name: str | None = None,
        output_shape: ShapeLike | None = None,
        **kwargs: Unpack[UnnamedLayerOptions],
    ):
        backend = self._backend
        super().__init__(name=name, **kwargs)
        if not hasattr(module, "named_parameters") or isinstance(module, type):
            raise DTypeError(
                type(self).__name__,
                expected="module: an instance of torch.nn.Module",
                received=f"module={module!r}"[:200],
                fix="for example TorchModuleWrapper(torch.nn.Linear(3, 2))",
            )
        self.module = module
        self.output_shape = None if output_shape is None else to_shapes(output_shape)
        self._module_variables: dict[str, Variable] = {}
        if backend.is_initialized(module):
            self._track_module_parameters()

    @property
    def _backend(self) -> Any:  # not an attribute, which copies and pickles would contain
        return framework_backend(type(self), "module_variables", "torch", "a module of PyTorch")

    def _track_module_parameters(self) -> None:
        self._module_variables = self._backend.module_variables(self.module)
        self.built = True

    @property
    def _autocast_to(self) -> str | None:
        """The compute dtype, unless all of the module is in it."""
        dtypes = {v._dtype for v in self._module_variables.values() if is_float(v._dtype)}
        return self.compute_dtype if dtypes - {self.compute_dtype} else None

    def build(self, input_shape: Nested = None) -> None:
        """Initializes the parameters of a lazy module.

        Args:
            input_shape: The shape of the input, or a list of shapes of the inputs.
        """
        if not self._module_variables and not self._backend.is_initialized(self.module):
            inputs = tree.flatten(symbolic_inputs(input_shape, "float32"))
            self._backend.initialize_module(
                self.module, [tuple(1 if n is None else n for n in x.shape) for x in inputs]
            )
        if not self._module_variables:
            self._track_module_parameters()

    def _build_for(self, arguments: dict[str, Any]) -> None:
        shapes = [x.shape for x in tree.flatten(list(arguments.values())) if hasattr(x, "shape")]
        self.build(list(map(tuple, shapes)))

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Returns an iterator over the parameters of the module, as PyTorch's modules do.

        Args:
            recurse: Whether to include those of modules inside.
        """
        return cast(Any, self.module).parameters(recurse)

    def call(self, *args: Nested, training: bool | None = None, **kwargs: Any) -> Nested:
        """Returns the outputs of the module."""
        refuse_symbols((args, kwargs))
        variables = self._module_variables
        try:
            return self._backend.call_module(self.module, variables, bool(training), args, kwargs)
        except Exception as error:
            reraise_refusal(self, (args, kwargs), error)

    def compute_output_spec(self, *args: Nested, **kwargs: Any) -> Nested:
        """Returns KerasTensors, of `output_shape` if it is set."""
        if self.output_shape is not None:
            return symbolic_inputs(self.output_shape, self.compute_dtype)
        if not self.built:
            self._build_for({"args": args})
        with AutocastScope(self._autocast_to):
            return current().abstract_eval(self.call, args, kwargs)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes parameters and buffers under their keys in `state_dict`.

        Args:
            store: A mutable mapping.
        """
        for key, variable in self._module_variables.items():
            store[key] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads parameters and buffers, by their keys in `state_dict`.

        Args:
            store: A mapping, as `save_own_variables` wrote it.

        Raises:
            ValueError: The keys or a shape differ.
        """
        if store.keys() != self._module_variables.keys():
            raise SpecError(
                self._label,
                expected=f"the weights {', '.join(self._module_variables)}",
                received=", ".join(store)[:500],
                fix="load the file into the module that it was saved from",
            )
        for key, variable in self._module_variables.items():
            variable.assign(store[key])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with the config of the module.

        Raises:
            TypeError: The class of the module has no `get_config`.
        """
        if not hasattr(self.module, "get_config"):
            raise DTypeError(
                self._label,
                expected="a module whose class has get_config(): files hold no code",
                received=f"a module of type {type(self.module).__name__}",
                fix="use save_weights and load_weights, or register a subclass of "
                "TorchModuleWrapper that creates the module in its constructor",
            )
        module = serialize_keras_object(self.module)
        return {**super().get_config(), "module": module}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: The class of the module, by name, if it is not registered.
            safe_mode: Has no effect; accepted for compatibility. There is no unsafe mode.

        Raises:
            ValueError: The module is written as code, which is never loaded.
        """
        del safe_mode
        if isinstance(config.get("module"), str):  # as Keras writes it
            raise refuse_code(
                cls,
                "a pickled module, which would run code from the config",
                "build the model in the program and load its weights with load_weights, or give "
                "the class of the module get_config() and register it",
            )
        module = config.get("module")
        if isinstance(module, dict):
            config = {**config, "module": deserialize_keras_object(module, custom_objects)}
        return cls(**config)
