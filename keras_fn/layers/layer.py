"""The base class `Layer`: weights and a call, eager or symbolic."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from keras_fn.backend.loader import current
from keras_fn.core import masking, registry, tree
from keras_fn.core.construction import SetByInit
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.host_text import is_text_array
from keras_fn.core.input_spec import InputSpec, check_inputs
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.named_dims import show_dim_names
from keras_fn.core.naming import current_path, name_scope
from keras_fn.core.operation import Operation, infer_spec
from keras_fn.core.ragged import get_ragged_test, pad_ragged_tensor
from keras_fn.core.scopes import (
    DEFAULT_CONTEXT,
    AutocastScope,
    StatelessScope,
    TrainingScope,
    context,
)
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.core.tracing import is_dynamo_compiling, substitute_when_tracing
from keras_fn.core.variable import Variable
from keras_fn.dtype_policies import DTypePolicyMap
from keras_fn.errors import DTypeError, KerasError, SpecError, missing_method
from keras_fn.layers._arguments import check_flag
from keras_fn.layers._build_wrapper import (
    allow_signature_override,
    requires_input_shape,
    wrap_build,
)
from keras_fn.layers._config import drop_noop_arguments, layer_config
from keras_fn.layers._constructor import check_arguments, check_constructor
from keras_fn.layers._fast_path import FastPathMixin, arguments_key, has_masks, sequence_key
from keras_fn.layers._losses import LossTrackingMixin
from keras_fn.layers._masks import MaskPropagationMixin
from keras_fn.layers._options import InputShapeOptions
from keras_fn.layers._policy import AUTOCAST_DTYPES, DTypePolicyMixin
from keras_fn.layers._quantization import QuantizationMixin, wrap_quantize
from keras_fn.layers._remat import rematerialize
from keras_fn.layers._shapes import pop_input_shape, symbolic_inputs, to_shapes
from keras_fn.layers._signature import (
    CallSignature,
    build_arguments,
    drop_unknown_options,
    signature_of,
)
from keras_fn.layers._stateless import StatelessCallMixin
from keras_fn.layers._text import check_no_text, convert_text
from keras_fn.layers._weights import WeightCreationMixin
from keras_fn.layers.interop._wrapped_modules import wrap_modules_of
from keras_fn.types import (
    DTypeLike,
    Nested,
    RegularizerLike,
    Tensor,
)

if TYPE_CHECKING:

    class Base:
        """The members of a backend's `LayerBase` that `Layer` uses."""

        def call_with_hooks(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
            """Runs `call(*args, **kwargs)` with the hooks that are registered."""

        def build_outside_tracing(self, arguments: dict[str, Any]) -> None:
            """Builds the layer outside of the graph that is being traced."""

else:
    Base = current().LayerBase


class Layer(
    StatelessCallMixin,
    FastPathMixin,
    WeightCreationMixin,
    LossTrackingMixin,
    MaskPropagationMixin,
    DTypePolicyMixin,
    QuantizationMixin,
    Base,
    Operation,
):
    """Base class of layers: a computation with weights.

    Subclasses define `__init__` (the arguments), `build` (the weights, from the shape of the
    input) and `call` (the computation, in `keras.ops` or in functions of the framework).

    Args:
        activity_regularizer: Regularizer applied to the output: a name, a `Regularizer` or a
            function of the output. None by default.
        trainable: Whether optimizers update the weights.
        dtype: The dtype or dtype policy of the layer. The global policy by default.
        autocast: Whether floating-point inputs are cast to the compute dtype.
        name: The name of the layer. Unique and derived from the class by default.
        **kwargs: `input_shape`, `batch_input_shape`, `input_dim` and `batch_size`, as in Keras 2:
            the shape of the input of the first layer of a `Sequential` model.

    Raises:
        TypeError: Another keyword argument.

    Example:
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((), initializer="ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(keras.Input((3,))).shape
        (None, 3)
    """

    built: bool = cast(Any, SetByInit())
    _signature: CallSignature = cast(Any, SetByInit())
    _first_input_shape: Any = SetByInit()
    _has_hooks = False  # whether hooks of the backend are registered; see `call_with_hooks`
    _takes_text = False  # whether `call` takes text on the host
    _has_nothing_to_build = False  # whether a new layer is built, as it has no state
    _names_inner_errors = False  # whether errors of layers inside name this layer, too
    _wraps_modules = True  # whether a module of PyTorch as an attribute becomes a layer
    _updates_state_at_inference = False  # whether a call assigns variables at inference
    _not_in_config: frozenset[str] = frozenset()  # parameters that get_config omits
    _written_when_none: frozenset[str] = frozenset()  # parameters that get_config writes as None

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = wrap_build(cls.build)
        if "quantize" in vars(cls) and not cls._quantizes_layers:
            cls.quantize = wrap_quantize(cls.quantize)
        if registry.adopt(cls):
            check_constructor(cls)
        wrap_modules_of(cls)

    @check_arguments
    def __init__(
        self,
        *,
        activity_regularizer: RegularizerLike | None = None,
        trainable: bool = True,
        dtype: DTypeLike | None = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Unpack[InputShapeOptions],
    ):
        Base.__init__(self)
        Operation.__init__(self, name)
        self.dtype_policy = dtype
        self._first_input_shape = pop_input_shape(type(self).__name__, cast(dict, kwargs))
        self.activity_regularizer = activity_regularizer
        self.autocast = autocast
        self.built = self._has_nothing_to_build and type(self).build is Layer.build
        self.input_spec: Any = None
        self.supports_masking = False
        self._trainable = check_flag(self, "trainable", trainable)
        self._weights: list[Variable] = []  # of add_weight, in order
        self._losses: list[Any] = []
        self._build_shapes: dict[str, Any] | None = None
        self._signature = signature_of(cast(type, type(self)))
        self._fast_path_keys: dict[Any, bool] | None = None  # inputs that take the fast path
        rematerialize(self)

    # ---------------------------------------------------------------- building

    @allow_signature_override
    def build(self, input_shape: Nested = None) -> None:
        """Creates the weights. Subclasses define it.

        By default, sublayers are built by running `call` on symbolic inputs.

        Args:
            input_shape: The shape of the input with the batch axis, or nested shapes.
        """
        is_default = type(self).build is Layer.build
        inner = self._flatten_layers(include_self=False) if is_default and not self.built else ()
        if input_shape is not None and not all(layer.built for layer in inner):
            inputs = symbolic_inputs(input_shape, self.input_dtype)
            with name_scope(self.name):
                self._set_path(current_path())
                infer_spec(self.call, (inputs,), {})
            if is_default:
                self._build_shapes = {"input_shape": input_shape}
        self.built = True

    def _build_for(self, arguments: dict[str, Any]) -> None:
        """Builds the layer for the arguments of its first call."""
        shapes = build_arguments(self, arguments)
        build = type(self).build
        if build is not Layer.build:
            first = next(iter(arguments.values()), None)
            is_shapeless = not shapes or (registry.is_builtin(build) and not _holds_tensor(first))
            if is_shapeless and requires_input_shape(build):
                raise DTypeError(
                    self._label,
                    expected="a tensor",
                    received=repr(first)[:100],
                    fix="call the layer on a KerasTensor from keras_fn.Input, an array or a tensor",
                )
            try:
                self.build(**shapes)
            except SpecError as error:
                if self._names_inner_errors and not error.source.startswith(self._label):
                    raise error.with_context(self._label) from None
                raise
        self.built = True
        self._build_shapes = shapes

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the shapes that the layer was built for, as `build_from_config` takes them."""
        if self._build_shapes is None:
            return None
        shapes = self._build_shapes
        if len(shapes) > 1:
            return {"shapes_dict": dict(shapes)}
        takes_shape = "input_shape" in inspect.signature(self.build).parameters
        return {"input_shape": next(iter(shapes.values()), None)} if shapes or takes_shape else {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer for the shapes of a config.

        Args:
            config: A config, as `get_build_config` returns it.
        """
        if not config or self.built:
            return
        config = config.get("shapes_dict", config)
        shapes = {key: to_shapes(value) for key, value in config.items()}
        if list(shapes) == ["input_shape"]:
            self.build(shapes["input_shape"])
        else:
            self.build(**shapes)
        self.built = True
        self._build_shapes = shapes

    # ---------------------------------------------------------------- calling

    def _traced_call(self, *args: Any, **kwargs: Any) -> Tensor:
        """Like `__call__`, without the fast path, on whose cache Dynamo would guard."""
        if self._tracks_losses is not False and not context.current.in_layer_call:
            return self._outermost_call(args, kwargs)
        return self._slow_call(args, kwargs)

    @substitute_when_tracing(_traced_call)
    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        if self._tracks_losses is not False and not context.current.in_layer_call:
            return self._outermost_call(args, kwargs)
        # Fast path: a tensor, or a list, whose shapes and dtypes have taken the slow path before.
        training = kwargs.get("training") if kwargs else None
        is_simple = len(args) == 1 and (not kwargs or (training is not None and len(kwargs) == 1))
        if is_simple and not self._has_hooks and (known_keys := self._fast_path_keys):
            x = args[0]
            is_list = type(x) is list
            try:
                key: Any = sequence_key(x) if is_list else (type(x), x.shape, x.dtype)
                is_known = key in known_keys
            # Nested inputs, sizes that are tensors, nested tensors of PyTorch.
            except (AttributeError, TypeError, RuntimeError):
                key, is_known = None, False
            if is_known:
                active = context.current
                if is_list:
                    x = list(x)  # `call` may change it
                    is_masked = any([masking.get_mask(v) is not None for v in x])
                else:
                    mask = masking.get_mask(x) if active.masks else getattr(x, "_keras_mask", None)
                    is_masked = mask is not None
                if not is_masked and (
                    active is DEFAULT_CONTEXT or not (active.symbolic or active.autocast)
                ):
                    if training is not None and training != active.training:
                        with TrainingScope(training):
                            return self._fast_call(x, training, key)
                    return self._fast_call(x, active.training, key)
        elif len(args) > 1 and self._fast_path_keys and not self._has_hooks:
            active = context.current
            if (
                not (active.symbolic or active.autocast)
                and arguments_key(args, kwargs) in self._fast_path_keys
                and not has_masks(args, kwargs, bool(active.masks))
            ):
                return self._fast_call_of_several(args, kwargs, active.training)
        return self._slow_call(args, kwargs)

    @filter_traceback
    def _slow_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Handles any call: conversion, building, checks, masks, `training`, the graph."""
        signature = self._signature
        arguments = signature.bind(self, args, kwargs)
        if self._path is None and self._needs_path():
            self._set_path()
        arguments = self._convert_inputs(arguments)
        active = context.current
        symbolic = active.symbolic or any(map(_holds_keras_tensor, arguments.values()))
        first = next(iter(arguments.values()), None)
        try:
            if not self.built:
                self._check_input_spec(first)  # what `build` would take for another fault
                outside = is_dynamo_compiling() and type(self).build is not Layer.build
                (self.build_outside_tracing if outside else self._build_for)(arguments)
            self._check_input_spec(first)
        except SpecError as error:
            raise show_dim_names(error, args) from error.__cause__
        masks = self._fill_masks(arguments)
        training = self._fill_training(arguments, kwargs, active.training)
        try:
            if symbolic and not active.symbolic:
                return self._call_symbolically(arguments, args, kwargs, masks)
            outputs = self._run(arguments, training, active)
            self._post_call(outputs, first, masks, symbolic)
        except Exception as error:
            if not isinstance(error, KerasError):
                check_no_text(self, arguments)
            raise
        if not symbolic and not is_dynamo_compiling():
            self._cache_fast_path(args, kwargs, masks)
        return outputs

    def _build_outside_tracing(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Builds the layer before a traced call: in the scope of the call, no graph may break."""
        if not self.built and type(self).build is not Layer.build:
            arguments = self._signature.bind(self, args, kwargs)
            self.build_outside_tracing(self._convert_inputs(arguments))

    def _needs_path(self) -> bool:
        """Returns whether a call sets the path; Dynamo would trace a second graph for it."""
        if not self.built or not is_dynamo_compiling():
            return True
        return isinstance(self._dtype_policy, DTypePolicyMap)

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} layer {self.name!r}"

    def _check_input_spec(self, inputs: Any) -> None:
        spec = self.input_spec
        if isinstance(spec, InputSpec) and hasattr(inputs, "shape"):
            spec.check(tuple(inputs.shape), standardize_dtype(inputs.dtype), self._label)
        else:
            check_inputs(spec, inputs, self._label)

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Converts arrays to tensors, and casts floating-point tensors to the compute dtype."""
        backend = current()
        accepted = self.input_dtype if self.autocast else None
        is_ragged = get_ragged_test()

        def convert(x: Any) -> Any:
            if isinstance(x, (str, int, float, type(None))):
                return x
            if isinstance(x, Variable):
                x = x.value
            is_symbolic = isinstance(x, KerasTensor)
            if is_symbolic:
                if x.dtype == "string":
                    return convert_text(self, x)
            elif is_ragged is not None and is_ragged(x):
                x = pad_ragged_tensor(x, self._label)
            elif not backend.is_tensor(x):
                if is_text_array(x):
                    return convert_text(self, x)
                if not hasattr(x, "__array__") and not hasattr(x, "dtype"):
                    return x
                x = backend.convert_to_tensor(x)
            if accepted:
                name = x.dtype if is_symbolic else backend.dtype_name(x)
                if name != accepted and name in AUTOCAST_DTYPES:
                    dtype = self._float_input_dtype(name)
                    if dtype != name:
                        if is_symbolic:
                            return _cast_keras_tensor(x, dtype)
                        mask, x = masking.get_mask(x), backend.cast(x, dtype)
                        masking.set_mask(x, mask)
            return x

        return {
            name: tree.map_structure(convert, value) if _is_nested(value) else convert(value)
            for name, value in arguments.items()
        }

    def _fill_masks(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Returns the masks of the tensor arguments, and adds them to the arguments of `call`."""
        masks: dict[str, Any] = {}
        for name, value in list(arguments.items()):
            if name.endswith("mask"):
                continue
            if _is_nested(value):
                flat = [masking.get_mask(x) for x in tree.flatten(value)]
                if any(mask is not None for mask in flat):
                    masks[name] = tree.unflatten(value, flat)
                continue
            # `get_mask` only where masks of traced tensors are kept aside.
            mask = getattr(value, "_keras_mask", None)
            if mask is None and context.current.masks:
                mask = masking.get_mask(value)
            if mask is not None:
                masks[name] = mask
        for name, mask_argument in self._signature.mask_arguments.items():
            given = arguments.get(mask_argument)
            if given is None and name in masks:
                arguments[mask_argument] = masks[name]
            elif given is not None and mask_argument == "mask":
                masks[name] = given  # the caller's: the mask of the output follows from it
        return masks

    @allow_signature_override
    def _fill_training(self, arguments: dict, kwargs: dict, inherited: bool | None) -> bool | None:
        """Resolves `training`: the argument, else the caller's, else the default of `call`."""
        training: Any = arguments.get("training", kwargs.get("training"))
        if training is None:
            training = inherited
        if isinstance(training, KerasTensor) or len(getattr(training, "shape", ())):
            raise DTypeError(
                self._label,
                expected="training: True or False",
                received=f"a tensor of shape {tuple(training.shape)}",
                fix="pass several inputs of one layer as a list: layer([a, b])",
            )
        if self._signature.has_training:
            if training is None:
                training = self._signature.default_training
            training = bool(training)
            arguments["training"] = training
        return training

    def _run(self, arguments: dict[str, Any], training: bool | None, active: Any) -> Any:
        """Runs `call` in the scopes that it needs, and names the layer in errors."""
        args, kwargs = self._signature.unbind(arguments)
        scopes: list[Any] = []
        may_create = self._fast_path_keys is None and not is_dynamo_compiling()
        if active.symbolic or may_create:
            scopes.append(name_scope(self.name))
        if self._autocast_to != active.autocast:
            scopes.append(AutocastScope(self._autocast_to))
        if training is not None and training != active.training:
            scopes.append(TrainingScope(training))
        call: Callable[..., Any] = self.call
        if self._has_hooks and not active.symbolic:
            call = lambda *a, **k: self.call_with_hooks(self.call, a, k)  # noqa: E731
        if may_create:
            self._is_calling = True
        try:
            for scope in scopes:
                scope.__enter__()
            return call(*args, **kwargs)
        except SpecError as error:
            is_named = getattr(error, "names_layer", False) and not self._names_inner_errors
            if is_named or error.source.startswith(self._label):
                raise
            error = error.with_context(self._label)
            error.names_layer = True  # type: ignore[attr-defined]
            raise error from None
        finally:
            for scope in reversed(scopes):
                scope.__exit__(None, None, None)
            if may_create:
                self._is_calling = False

    def _call_symbolically(
        self, arguments: dict, args: tuple, kwargs: dict, masks: dict[str, Any]
    ) -> Any:
        """Infers the specs of the outputs and adds a node to the graph."""
        first = next(iter(arguments.values()), None)
        outputs = self.add_node(
            self._infer_outputs(arguments), *self._signature.drop_none(args, kwargs)
        )
        self._post_call(outputs, first, masks, symbolic=True)
        return outputs

    def _infer_outputs(self, arguments: dict[str, Any]) -> Any:
        """Returns the specs of the outputs: of the subclass's own methods, or by running `call`."""
        if _is_override(self, "compute_output_spec"):
            args, kwargs = self._signature.unbind(arguments, by_name=("training", "mask"))
            kwargs = drop_unknown_options(self.compute_output_spec, kwargs)
            with StatelessScope():  # discards assignments, as inference does
                return self.compute_output_spec(*args, **kwargs)
        if _is_override(self, "compute_output_shape"):
            with StatelessScope():
                return self._spec_of_shape(arguments)

        def run(arguments: dict[str, Any]) -> Any:
            return self._run(arguments, arguments.get("training"), context.current)

        return infer_spec(run, (arguments,), {})

    def _post_call(self, outputs: Any, first: Any, masks: dict[str, Any], symbolic: bool) -> None:
        """Propagates masks and adds the loss of the activity regularizer."""
        if masks or self._makes_masks:
            self._propagate_masks(outputs, first, masks)
        if self._activity_regularizer is not None and not symbolic:
            self._add_activity_losses(outputs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Subclasses define it.

        Args:
            *args: The inputs: tensors, or tensors in nested lists, tuples and dicts.
            **kwargs: Further arguments. A parameter `training` receives the mode, `mask` (or
                `<name>_mask`) the mask of the first input (or of the input `<name>`).

        Returns:
            A tensor, or nested tensors.
        """
        raise missing_method(self, "call()")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the shapes and dtypes of the outputs of a call, as KerasTensors.

        Args:
            *args: The inputs of the call, as KerasTensors.
            **kwargs: Further arguments of the call.
        """
        if _is_override(self, "compute_output_shape"):
            return self._spec_of_shape(self._signature.bind(self, args, kwargs))
        return infer_spec(self, args, kwargs)

    def _spec_of_shape(self, arguments: dict[str, Any]) -> Nested:
        """Returns the spec of the output, of the shape that the subclass computes."""
        shapes = build_arguments(self, arguments, self.compute_output_shape)
        return symbolic_inputs(self.compute_output_shape(**shapes), self.compute_dtype)

    def compute_output_shape(self, input_shape: Nested) -> Nested:
        """Returns the shape of the output for the shape of an input.

        Args:
            input_shape: The shape with the batch axis, or nested shapes.

        Returns:
            A shape, or nested shapes.
        """
        inputs = symbolic_inputs(input_shape, self.input_dtype)
        return tree.map_structure(lambda x: x.shape, self.compute_output_spec(inputs))

    # ---------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values.

        The config of a built-in layer is read from its attributes. The config of a custom layer
        holds the arguments that the constructor received, if they are plain values; otherwise the
        class overrides `get_config`.
        """
        return layer_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates a layer from a config.

        Args:
            config: A config, as `get_config` returns it.
        """
        return cls(**drop_noop_arguments(cls, config))

    def __repr__(self) -> str:
        built = ", built" if self.built else ""
        return f"<{type(self).__name__} name={self.name}{built}>"


registry.adopt(Layer)  # as `__init_subclass__` does for the others


def _cast_keras_tensor(x: KerasTensor, dtype: str) -> KerasTensor:
    """Returns a symbolic tensor of another dtype, with the same mask."""
    cast = KerasTensor(x.shape, dtype, x.sparse, x.ragged, record_history=False)
    cast._keras_mask = x._keras_mask
    return cast


def _is_override(layer: Layer, name: str) -> bool:
    """Returns whether a method of specs is a subclass's own, which has precedence over `call`."""
    method = getattr(type(layer), name)
    return method is not getattr(Layer, name) and not hasattr(method, "follows_call")


def _is_nested(x: Any) -> bool:  # not `tree.is_nested`: a step of `fit` goes through few files
    return isinstance(x, (list, tuple, dict))


def _holds_tensor(x: Any) -> bool:
    return hasattr(x, "shape") or any(hasattr(leaf, "shape") for leaf in tree.flatten(x))


def _holds_keras_tensor(x: Any) -> bool:
    if _is_nested(x):
        return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(x))
    return isinstance(x, KerasTensor)
