"""The Layer: weights and a call, eager or recorded in a graph."""

from collections.abc import Callable
from typing import Any, cast

from keras_fn import constraints, initializers, regularizers
from keras_fn.backend.loader import current
from keras_fn.core import masking, tree
from keras_fn.core.input_spec import check_inputs
from keras_fn.core.keras_tensor import KerasTensor, Shape, standardize_shape
from keras_fn.core.naming import current_path, name_scope
from keras_fn.core.operation import Operation, infer
from keras_fn.core.scopes import (
    NOTHING,
    AutocastScope,
    StatelessScope,
    TrainingScope,
    context,
)
from keras_fn.core.tracebacks import entrance
from keras_fn.core.tracing import is_followed
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers import _losses
from keras_fn.layers._build_wrapper import needs_a_shape, once_built, with_own_parameters
from keras_fn.layers._config import config_of, without_unused
from keras_fn.layers._losses import WithLosses
from keras_fn.layers._policy import WithPolicy
from keras_fn.layers._remat import rematerialize
from keras_fn.layers._signature import build_arguments, signature_of

Base: type = current().LayerBase

_SEEN_AT_MOST = 64  # shapes that the short road remembers; more would be a leak


class Layer(WithLosses, WithPolicy, Base, Operation):
    """A computation with weights of its own.

    Subclasses write `__init__` (their arguments), `build` (their weights, from the input's
    shape) and `call` (the computation, in `keras_fn.ops` or in the framework's own functions).

    Args:
        activity_regularizer: A regularizer of the output, added to the model's losses.
        trainable: Whether optimizers update the weights.
        dtype: A dtype or dtype policy; the global policy by default.
        autocast: Whether floating-point inputs are cast to the compute dtype.
        name: A name; automatic by default.

    Example:
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((), initializer="ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(keras.Input((3,))).shape
        (None, 3)
    """

    _has_hooks = False  # a backend's own call hooks; see `LayerBase.call_with_hooks`
    _building = False  # whether `build` runs
    _changes_state = False  # whether a call in inference assigns variables
    _not_in_config: frozenset[str] = frozenset()  # parameters that get_config leaves out
    _written_when_none: frozenset[str] = frozenset()  # base parameters that it always gives

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = once_built(cls.build)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        Base.__init__(self)
        Operation.__init__(self, name)
        self.dtype_policy = dtype
        self._first_shape = _first_shape(type(self).__name__, kwargs)
        self.activity_regularizer = activity_regularizer
        self.autocast = autocast
        self.built = False
        self.input_spec: Any = None
        self.supports_masking = False
        self._trainable = bool(trainable)
        self._weights: list[Variable] = []  # those of add_weight, in order
        self._losses: list[Any] = []
        self._build_shapes: dict[str, Any] | None = None
        self._signature = signature_of(cast(type, type(self)))
        self._ready: dict[Any, bool] | None = None  # inputs that take the short road
        rematerialize(self)

    # ---------------------------------------------------------------- weights

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight of the layer.

        Args:
            shape: Its shape; `()` by default.
            initializer: How it begins; Glorot uniform for floats, zeros for integers, by default.
            dtype: Its dtype; that of the layer's policy by default.
            trainable: Whether optimizers update it.
            autocast: Whether it is read in the compute dtype.
            regularizer: Adds a loss of its value.
            constraint: Applied after each update.
            aggregation: How copies on several devices become one.
            layout: How it is laid out over devices.
            name: A name; automatic by default.

        Returns:
            The variable.
        """
        dtype = dtype or self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in str(dtype) else "zeros"
        variable = Variable(
            initializers.get(initializer),
            shape=() if shape is None else shape,
            dtype=dtype,
            trainable=trainable and self._trainable,
            autocast=autocast,
            aggregation=aggregation,
            layout=layout,
            name=name,
        )
        variable.wants_training = trainable
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._weights.append(variable)
        return variable

    # ---------------------------------------------------------------- building

    @with_own_parameters
    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of a shape. Subclasses write it; by default sublayers
        are built by running `call` on symbolic inputs.
        """
        if input_shape is not None and not self.built and type(self).build is Layer.build:
            inputs = _map_shapes(
                lambda s: KerasTensor(s, self.input_dtype, record_history=False), input_shape
            )
            with name_scope(self.name):
                self._take_place(current_path())
                infer(self.call, (inputs,), {})
        self.built = True

    def _build_for(self, arguments: dict[str, Any]) -> None:
        """Builds the layer for the arguments of its first call."""
        shapes = build_arguments(self, arguments)
        if type(self).build is not Layer.build:
            if not shapes and needs_a_shape(type(self).build):
                raise DTypeError(
                    self._place,
                    expected="a tensor",
                    received=repr(next(iter(arguments.values()), None))[:100],
                    fix="call the layer on a KerasTensor from keras_fn.Input, an array or a tensor",
                )
            self.build(**shapes)
        self.built = True
        self._build_shapes = shapes

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns what `build_from_config` needs: the shapes that the layer was built for."""
        if self._build_shapes is None:
            return None
        shapes = self._build_shapes
        if list(shapes) == ["input_shape"] or len(shapes) != 1:
            return dict(shapes)
        return {"input_shape": next(iter(shapes.values()))}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer for the shapes that `get_build_config` gave."""
        if not config or self.built:
            return
        shapes = {key: _as_shape(value) for key, value in config.items()}
        if list(shapes) == ["input_shape"]:
            self.build(shapes["input_shape"])
        else:
            self.build(**shapes)
        self.built = True
        self._build_shapes = shapes

    # ---------------------------------------------------------------- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            _losses.used
            and self._silent_while is not _losses.layers_as_they_are
            and not context.now.called
        ):
            return self._outermost_call(args, kwargs)
        # The short road: a tensor, or a list, of shapes and dtypes that went the full road before.
        told = kwargs.get("training") if kwargs else None
        plain = len(args) == 1 and (not kwargs or (told is not None and len(kwargs) == 1))
        if plain and not self._has_hooks and not is_followed() and (ready := self._ready):
            x = args[0]
            many = type(x) is list
            try:
                key: Any = (type(x), x.shape, x.dtype) if not many else _key_of_list(x)
                seen = key in ready
            except (AttributeError, TypeError):  # nested inputs, sizes that are tensors
                key, seen = None, False
            if seen:
                now = context.now
                if many:
                    x = list(x)  # `call` may change it
                    masked = any([masking.get_mask(v) is not None for v in x])
                else:
                    masked = masking.used and masking.get_mask(x) is not None
                if not masked and (now is NOTHING or not (now.symbolic or now.autocast)):
                    if told is not None and told != now.training:
                        with TrainingScope(told):
                            return self._short_call(x, told, key)
                    return self._short_call(x, now.training, key)
        return self._full_call(args, kwargs)

    def _short_call(self, x: Any, training: bool | None, key: Any) -> Any:
        del key  # what was looked up; see Functional
        if self._signature.has_training:
            default = self._signature.default_training
            return self.call(x, training=default if training is None else bool(training))
        return self.call(x)

    @entrance
    def _full_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """The full road: names, conversions, building, checks, masks, training, recording."""
        signature = self._signature
        arguments = signature.bind(self, args, kwargs)
        if self._path is None:
            self._take_place()
        arguments = self._converted(arguments)
        leaves = tree.flatten(list(arguments.values()))
        now = context.now
        symbolic = now.symbolic or any(isinstance(x, KerasTensor) for x in leaves)
        if not self.built:
            outside = is_followed() and type(self).build is not Layer.build
            (self.build_unfollowed if outside else self._build_for)(arguments)
        first = next(iter(arguments.values()), None)
        check_inputs(self.input_spec, first, self._place)
        masks = self._fill_masks(arguments)
        training = self._fill_training(arguments, kwargs, now.training)
        if symbolic and not now.symbolic:
            return self._record(arguments, args, kwargs, masks)
        outputs = self._run(arguments, training, now)
        self._finish(outputs, first, masks, symbolic)
        if not symbolic and not is_followed():
            self._remember(args, kwargs, masks)
        return outputs

    @property
    def _place(self) -> str:
        return f"{type(self).__name__} layer {self.name!r}"

    def _converted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Makes tensors of arrays, and casts floating-point tensors to the compute dtype."""
        backend, dtype = current(), self.input_dtype
        cast = self.autocast and dtype

        def convert(x: Any) -> Any:
            if isinstance(x, (str, int, float, type(None))):
                return x
            if isinstance(x, Variable):
                x = x.value
            if isinstance(x, KerasTensor):
                if cast and x.dtype != dtype and "float" in x.dtype and "float8" not in x.dtype:
                    return _recast(x, dtype)
                return x
            if not backend.is_tensor(x):
                if not hasattr(x, "__array__") and not hasattr(x, "dtype"):
                    return x
                x = backend.convert_to_tensor(x)
            if cast:
                name = backend.dtype_name(x)
                if name != dtype and name in ("float16", "bfloat16", "float32", "float64"):
                    return backend.cast(x, dtype)
            return x

        return {
            name: tree.map_structure(convert, value) if tree.is_nested(value) else convert(value)
            for name, value in arguments.items()
        }

    def _fill_masks(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Returns the mask of each tensor argument that has one, and passes it where it belongs."""
        masks: dict[str, Any] = {}
        for name, value in list(arguments.items()):
            if name.endswith("mask") or not (tree.is_nested(value) or hasattr(value, "shape")):
                continue
            found = [masking.get_mask(x) for x in tree.flatten(value)]
            if all(mask is None for mask in found):
                continue
            masks[name] = found[0] if not tree.is_nested(value) else tree.unflatten(value, found)
        slots = self._signature.mask_slots
        for name, slot in slots.items():
            if arguments.get(slot) is None and name in masks:
                arguments[slot] = masks[name]
        return masks

    def _fill_training(self, arguments: dict, kwargs: dict, inherited: bool | None) -> bool | None:
        """Settles `training`: as told, else as the caller's, else the signature's default."""
        told = kwargs.get("training")
        training = told if told is not None else inherited
        if self._signature.has_training:
            if training is None:
                training = arguments.get("training", self._signature.default_training)
            training = bool(training)
            arguments["training"] = training
        return training

    def _run(self, arguments: dict[str, Any], training: bool | None, now: Any) -> Any:
        """Runs `call` in the scopes that the layer needs, and tells where an error happened."""
        args, kwargs = self._signature.unbind(arguments)
        scopes: list[Any] = []
        if now.symbolic or (not is_followed() and self._ready is None):  # it may make variables
            scopes.append(name_scope(self.name))
        if self._autocast_to != now.autocast:
            scopes.append(AutocastScope(self._autocast_to))
        if training is not None and training != now.training:
            scopes.append(TrainingScope(training))
        call: Callable[..., Any] = self.call
        if self._has_hooks and not now.symbolic:
            call = lambda *a, **k: self.call_with_hooks(self.call, a, k)  # noqa: E731
        try:
            for scope in scopes:
                scope.__enter__()
            return call(*args, **kwargs)
        except SpecError as error:
            if getattr(error, "placed", False) or error.source == self._place:
                raise
            error = error.located(self._place)
            error.placed = True  # type: ignore[attr-defined]
            raise error from None
        finally:
            for scope in reversed(scopes):
                scope.__exit__(None, None, None)

    def _record(self, arguments: dict, args: tuple, kwargs: dict, masks: dict[str, Any]) -> Any:
        """Infers the outputs and enters the call into the graph."""
        first = next(iter(arguments.values()), None)
        with StatelessScope():  # whatever `call` assigns is forgotten
            specs = self._inferred(arguments)
        outputs = self.record(specs, *self._signature.received(args, kwargs))
        self._finish(outputs, first, masks, symbolic=True)
        return outputs

    def _inferred(self, arguments: dict[str, Any]) -> Any:
        """Returns the specs of the outputs: as the subclass says, or by running `call`."""
        if type(self).compute_output_spec is not Layer.compute_output_spec:
            args, kwargs = self._signature.unbind(arguments)
            return self.compute_output_spec(*args, **kwargs)
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            shapes = build_arguments(self, arguments, self.compute_output_shape)
            shape = self.compute_output_shape(**shapes)
            return _map_shapes(
                lambda s: KerasTensor(s, self.compute_dtype, record_history=False), shape
            )

        def run(arguments: dict[str, Any]) -> Any:
            return self._run(arguments, arguments.get("training"), context.now)

        return infer(run, (arguments,), {})

    def _finish(self, outputs: Any, first: Any, masks: dict[str, Any], symbolic: bool) -> None:
        """Lets masks travel on and notes the loss of the outputs."""
        if masks or self._makes_masks:
            self._pass_masks(outputs, first, masks)
        if self.activity_regularizer is not None and not symbolic:
            for output in tree.flatten(outputs):
                self.add_loss(self.activity_regularizer(output))

    @property
    def _makes_masks(self) -> bool:
        return not hasattr(type(self).compute_mask, "makes_none")

    def _pass_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        previous = next(iter(masks.values()), None)
        if not self.supports_masking and not self._makes_masks:
            return
        mask = self.compute_mask(first, previous)
        if mask is None:
            return
        flat = tree.flatten(outputs)
        flat_masks = tree.flatten(mask)
        if len(flat_masks) != len(flat):
            flat_masks = [flat_masks[0]] * len(flat)
        for x, m in zip(flat, flat_masks, strict=True):
            masking.set_mask(x, m)

    def _remember(self, args: tuple, kwargs: dict[str, Any], masks: dict[str, Any]) -> None:
        """Opens the short road to inputs like these, where nothing but `call` has to happen."""
        plain = (
            len(args) == 1
            and not kwargs.keys() - {"training"}
            and not masks
            and self._autocast_to is None
            and self.activity_regularizer is None
            and not self._makes_masks
        )
        if not plain:
            return
        x, backend = args[0], current()
        many = type(x) is list
        for tensor in x if many else (x,):
            if not backend.is_tensor(tensor):
                return
            name = backend.dtype_name(tensor)
            if self.autocast and "float" in name and name != self.dtype:
                return
        self._ready = self._ready or {}
        if len(self._ready) < _SEEN_AT_MOST:
            try:
                self._ready[_key_of_list(x) if many else (type(x), x.shape, x.dtype)] = True
            except TypeError:
                return

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Subclasses write it."""
        raise TypeError(f"{self._place} has no call() method: write one.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns KerasTensors of the shapes and dtypes that a call would give."""
        return infer(self.call, args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the outputs for inputs of a shape."""
        inputs = _map_shapes(
            lambda s: KerasTensor(s, self.input_dtype, record_history=False), input_shape
        )
        if not self.built:
            self._build_for(self._signature.bind(self, (inputs,), {}))
        return tree.map_structure(lambda x: x.shape, self.compute_output_spec(inputs))

    @masking.makes_none
    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the outputs: by default that of the inputs, passed on."""
        del inputs
        return previous_mask

    # ---------------------------------------------------------------- pure functions

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls the layer as a pure function of its variables.

        Args:
            trainable_variables: Values for `self.trainable_variables`.
            non_trainable_variables: Values for `self.non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether to return the losses too.
            **kwargs: Keyword arguments of the call.

        Returns:
            `(outputs, non_trainable_variables)`, the latter as the call left them; with
            `return_losses`, `(outputs, non_trainable_variables, losses)`.

        Raises:
            ValueError: The layer is not built, or the number of values differs.
        """
        if not self.built:
            raise ValueError(
                f"{self._place} has no weights yet, so stateless_call cannot take their values.\n"
                "  fix: call the layer once, or build(input_shape)"
            )
        train, rest = self.trainable_variables, self.non_trainable_variables
        pairs = [
            *_paired(self._place, "trainable_variables", train, trainable_variables),
            *_paired(self._place, "non_trainable_variables", rest, non_trainable_variables),
        ]
        with StatelessScope(pairs, collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else []
        self._clear_losses()
        after = [scope.get_current_value(v) for v in rest]
        return (outputs, after, losses) if return_losses else (outputs, after)

    # ---------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values.

        Layers of this package are described by their attributes; a layer of yours by what its
        constructor was given, if that is plain, or by its own `get_config`.
        """
        return config_of(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns a layer made from what `get_config` gave."""
        return cls(**without_unused(cls, config))

    def __repr__(self) -> str:
        built = ", built" if self.built else ""
        return f"<{type(self).__name__} name={self.name}{built}>"


def _paired(place: str, what: str, variables: list[Variable], values: Any) -> list[tuple]:
    values = list(values)
    if len(values) != len(variables):
        raise ValueError(
            f"{place}: stateless_call takes a value for each of its {len(variables)} {what}; "
            f"{len(values)} came."
        )
    return list(zip(variables, values, strict=True))


def _recast(x: KerasTensor, dtype: str) -> KerasTensor:
    """The symbolic tensor as the layer will see it, with its mask."""
    cast = KerasTensor(x.shape, dtype, record_history=False)
    cast._keras_mask = x._keras_mask
    return cast


def _first_shape(cls: str, kwargs: dict[str, Any]) -> Shape | None:
    """Takes the old ways to name the input's shape (`input_shape`, `input_dim`) off `kwargs`."""
    batch = kwargs.pop("batch_size", None)
    if "batch_input_shape" in kwargs:
        shape = standardize_shape(kwargs.pop("batch_input_shape"))
    elif "input_shape" in kwargs:
        shape = (batch, *standardize_shape(kwargs.pop("input_shape")))
    elif "input_dim" in kwargs:
        shape = (batch, kwargs.pop("input_dim"))
    else:
        shape = None
    if kwargs:
        raise TypeError(f"{cls} does not take the argument {next(iter(kwargs))!r}.")
    return shape


def _as_shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_shape(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if all(item is None or isinstance(item, int) for item in value):
            return tuple(value)
        return [_as_shape(item) for item in value]
    return value


def _map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """Applies `function` to each shape of nested shapes."""
    if isinstance(shapes, dict):
        return {key: _map_shapes(function, value) for key, value in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return function(tuple(shapes))
    return [_map_shapes(function, shape) for shape in shapes]


def _key_of_list(xs: list[Any]) -> tuple[Any, ...]:
    return tuple([(type(x), x.shape, x.dtype) for x in xs])
