"""Functions of JAX, and modules of Flax, as layers."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.scopes import AutocastScope
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, check_seed
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import map_shapes
from keras_fn.layers.interop._requirements import framework_backend, refuse_symbols, reraise_refusal
from keras_fn.layers.layer import Layer
from keras_fn.ops.core import cast
from keras_fn.ops.creation import ones
from keras_fn.random import SeedGenerator
from keras_fn.types import Nested, Tensor

_CALL_ARGUMENTS = ("params", "state", "rng", "inputs", "training")
_INIT_ARGUMENTS = ("rng", "inputs", "training")

_PLATFORMS = frozenset(("cpu", "cuda", "rocm", "tpu"))


class JaxLayer(Layer):
    """Wraps a function of JAX as a layer, on the jax backend, and on tensorflow by `jax2tf`.

    Arguments are passed by position, in the order in which a function names them.

    Args:
        call_fn: The function of the model. It names some of the parameters `params` (the trainable
            pytree), `state` (the non-trainable one), `rng` (a key, None at inference), `inputs` and
            `training`. With `state` it returns a tuple of the outputs and the next state.
        init_fn: A function that returns the initial `params`, or a tuple of `params` and `state` if
            `call_fn` takes a state. It names some of the parameters `rng`, `inputs` (ones of the
            shape of the inputs) and `training` (True).
        params: A pytree of the initial parameters, instead of `init_fn`.
        state: A pytree of the initial state.
        seed: An integer, for reproducible keys.
        native_serialization_platforms: On the tensorflow backend, the platforms for which a
            SavedModel holds the function: a list of "cpu", "cuda", "rocm" and "tpu"; None for the
            one on which it is exported.

    Call arguments:
        inputs: A tensor, or nested tensors.
        training: Whether to run in training mode.

    Input shape:
        Any that the function takes.

    Output shape:
        That of the function.

    Raises:
        ImportError: JAX is not installed.
        ValueError: The backend is neither of the two; a function has other parameters than these;
            the initial parameters are missing.

    Example:
        >>> dense = lambda params, inputs: inputs @ params["w"]
        >>> layer = keras.layers.JaxLayer(dense, params={"w": np.ones((3, 2))})
        >>> layer(keras.Input((3,))).shape
        (None, 2)
    """

    _not_in_config = frozenset({"call_fn", "init_fn", "params", "state", "seed"})

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Nested = None,
        state: Nested = None,
        seed: int | None = None,
        native_serialization_platforms: Sequence[str] | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        self._backend = framework_backend(type(self), "flatten_pytree", "jax", "a function of JAX")
        super().__init__(**kwargs)
        self.call_fn, self.init_fn = call_fn, init_fn
        platforms = native_serialization_platforms
        is_list = isinstance(platforms, (list, tuple))
        if platforms is not None and not (is_list and set(platforms) <= _PLATFORMS):
            raise argument_error(
                self,
                "native_serialization_platforms",
                f"a list of {', '.join(sorted(_PLATFORMS))}, or None",
                platforms,
                "leave it out",
            )
        self.native_serialization_platforms = platforms
        self._function = self._backend.wrap_jax(call_fn, platforms)
        self.call_fn_arguments = self._parameters_of("call_fn", call_fn, _CALL_ARGUMENTS)
        self.init_fn_arguments = (
            () if init_fn is None else self._parameters_of("init_fn", init_fn, _INIT_ARGUMENTS)
        )
        self.seed = check_seed(self, seed)
        self.seed_generator = SeedGenerator(seed) if "rng" in self.call_fn_arguments else None
        has_weights = "params" in self.call_fn_arguments or "state" in self.call_fn_arguments
        self._needs_init = has_weights and params is None and state is None
        if self._needs_init and init_fn is None:
            raise argument_error(
                self,
                "init_fn",
                "a function, if there are neither params nor state",
                None,
                "pass params=, or an init_fn(rng, inputs) that returns them",
            )
        self._updates_state_at_inference = "state" in self.call_fn_arguments
        self._tracked: list[Variable] = []
        self._set_weights(params, state)

    def _parameters_of(self, name: str, function: Any, allowed: Sequence[str]) -> tuple[str, ...]:
        names = tuple(inspect.signature(function).parameters)
        if "inputs" not in names or not set(names) <= set(allowed):
            raise argument_error(
                self,
                name,
                f"a function of inputs, with some of the parameters {', '.join(allowed)}",
                f"a function of {', '.join(names)}",
                "wrap it in a function with these parameters",
            )
        return names

    def _set_weights(self, params: Any, state: Any) -> None:
        """Makes variables of the leaves of both pytrees that are numbers or arrays."""
        self._params = self._make_variables(params, trainable=True)
        self._state = self._make_variables(state, trainable=False)

    def _make_variables(self, values: Any, trainable: bool) -> tuple[list[Any], Any]:
        leaves, nest = self._backend.flatten_pytree(values)

        def make(value: Any) -> Any:
            is_number = isinstance(value, (bool, int, float, np.ndarray, np.generic))
            if not is_number and not current().is_tensor(value):
                return value
            array = current().convert_to_tensor(value)
            dtype = dtypes.standardize_dtype(array.dtype)
            return self.add_weight(
                array.shape,
                lambda shape, dtype: cast(array, dtype),
                dtype=None if dtypes.is_float(dtype) else dtype,
                trainable=trainable,
            )

        variables = [make(leaf) for leaf in leaves]
        self._tracked += [v for v in variables if isinstance(v, Variable)]
        return variables, nest

    @property
    def params(self) -> Nested:
        """The pytree of parameters, with variables as leaves."""
        leaves, nest = self._params
        return nest(leaves)

    @property
    def state(self) -> Nested:
        """The pytree of the state, with variables as leaves."""
        leaves, nest = self._state
        return nest(leaves)

    def build(self, input_shape: Nested) -> None:
        """Calls `init_fn`, if there are neither `params` nor `state`."""
        if not self._needs_init:
            return
        self._needs_init = False

        def placeholder(shape: Any) -> Any:
            return ones([1 if size is None else size for size in shape], "float32")

        arguments = {
            "rng": self._get_init_rng(),
            "inputs": map_shapes(placeholder, input_shape),
            "training": True,
        }
        assert self.init_fn is not None  # as the constructor has checked
        result = self._backend.call_jax(
            self.init_fn, [arguments[name] for name in self.init_fn_arguments]
        )
        self._set_weights(*(result if "state" in self.call_fn_arguments else (result, None)))

    def _get_init_rng(self) -> Any:
        return as_key(SeedGenerator(self.seed).next())

    def _get_call_rng(self, training: bool) -> Any:
        if not training or self.seed_generator is None:
            return None
        return as_key(self.seed_generator.next())

    def call(self, inputs: Nested, training: bool = False) -> Nested:
        """Returns the outputs of the function."""
        refuse_symbols(inputs)
        arguments = {
            "params": _values(*self._params),
            "state": _values(*self._state),
            "rng": self._get_call_rng(training),
            "inputs": inputs,
            "training": training,
        }
        try:
            outputs = self._function(*[arguments[name] for name in self.call_fn_arguments])
        except Exception as error:
            reraise_refusal(self, inputs, error)
        if "state" not in self.call_fn_arguments:
            return outputs
        outputs, state = outputs
        self._assign_state(state)
        return outputs

    def _assign_state(self, state: Any) -> None:
        leaves, _ = self._state
        values, _ = self._backend.flatten_pytree(state)
        if len(values) != len(leaves):
            raise SpecError(
                self._label,
                expected=f"call_fn to return a state with the {len(leaves)} leaves of the initial",
                received=f"{len(values)} leaves",
                fix="return (outputs, state), with a state of the same structure",
            )
        for variable, value in zip(leaves, values, strict=True):
            if isinstance(variable, Variable):
                variable.assign(value)

    def compute_output_spec(self, inputs: Nested, training: bool = False) -> Nested:
        """Returns KerasTensors of the shapes of the outputs."""
        if not self.built:
            self._build_for({"inputs": inputs})
        with AutocastScope(self._autocast_to):
            return current().abstract_eval(self.call, (inputs, training), {})

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor but the weights, with functions by name.

        Raises:
            ValueError: A function is a Python lambda.
        """
        return {
            **super().get_config(),
            "call_fn": serialize_keras_object(self.call_fn),
            "init_fn": serialize_keras_object(self.init_fn),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: The functions, by name, if they are not registered.
        """
        functions = {
            name: deserialize_keras_object(config[name], custom_objects)
            for name in ("call_fn", "init_fn")
        }
        return cls(**{**config, **functions})


def as_key(seed: Tensor) -> Any:
    """Returns a state of a `SeedGenerator` as a key of `jax.random`."""
    return cast(seed, "uint32")


def _values(leaves: list[Any], nest: Callable[[list[Any]], Any]) -> Any:
    return nest([leaf.value if isinstance(leaf, Variable) else leaf for leaf in leaves])
