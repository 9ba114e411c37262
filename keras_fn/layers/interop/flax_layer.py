"""Modules of Flax as layers."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self, Unpack

from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.interop._requirements import framework_backend
from keras_fn.layers.interop.jax_layer import JaxLayer, as_key
from keras_fn.random import SeedGenerator


class FlaxLayer(JaxLayer):
    """Wraps a module of Flax (`flax.linen`) as a layer, on the jax and tensorflow backends.

    The collection `params` are the trainable weights, all other collections the non-trainable ones.

    Args:
        module: An instance of `flax.linen.Module`.
        method: The method to call, or a function of the module and the inputs; `__call__` by
            default. It takes one argument for the inputs, and may have a parameter `training`.
        variables: The initial variables, as `module.init` returns them.

    Call arguments:
        inputs: A tensor, or nested tensors.
        training: Whether to run in training mode, with a key `dropout`.

    Input shape:
        Any that the method takes.

    Output shape:
        That of the method.

    Raises:
        ValueError: The backend is neither of the two.
        ImportError: Flax is not installed.

    Example:
        >>> import flax.linen  # doctest: +SKIP
        >>> layer = keras.layers.FlaxLayer(flax.linen.Dense(2))  # doctest: +SKIP
        >>> layer(keras.Input((3,))).shape  # doctest: +SKIP
        (None, 2)
    """

    _not_in_config = JaxLayer._not_in_config | {
        "module", "method", "variables", "native_serialization_platforms",
    }  # fmt: skip

    def __init__(
        self,
        module: Callable[..., Any],
        method: Callable[..., Any] | None = None,
        variables: dict[str, Any] | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        backend = framework_backend(type(self), "flax_collections_but", "jax", "a module of Flax")
        self.module, self.method = module, method
        flax: Any = module
        options = {"method": method, "mutable": backend.flax_collections_but("params")}
        mode = ("training",) if "training" in _parameters_of_method(module, method) else ()

        def call(params: Any, state: Any, rng: Any, inputs: Any, *training: bool) -> Any:
            variables = {**(params or {}), **(state or {})}
            named = dict(zip(mode, training, strict=True))
            return flax.apply(variables, inputs, rngs=rng, **named, **options)

        def init(rng: Any, inputs: Any, *training: bool) -> Any:
            named = dict(zip(mode, training, strict=True))
            return _split_variables(flax.init(rng, inputs, method=method, **named))

        params, state = _split_variables(variables)
        super().__init__(
            _with_parameters(call, "params", "state", "rng", "inputs", *mode),
            _with_parameters(init, "rng", "inputs", *mode),
            params,
            state,
            **kwargs,
        )

    def _get_init_rng(self) -> Any:
        seed = SeedGenerator(self.seed)
        return {"params": as_key(seed.next()), "dropout": as_key(seed.next())}

    def _get_call_rng(self, training: bool) -> Any:
        key = super()._get_call_rng(training)
        return {} if key is None else {"dropout": key}

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor but the weights, with the module's config."""
        config = super(JaxLayer, self).get_config()
        method: Any = self.method
        if getattr(method, "__self__", None) is self.module:
            method = method.__name__
        return {
            **config,
            "module": serialize_keras_object(self.module),
            "method": serialize_keras_object(method),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: The class of the module, by name, if it is not registered.
        """
        config = dict(config)
        module = deserialize_keras_object(config.pop("module"), custom_objects)
        method = config.pop("method", None)
        if isinstance(method, str):
            method = getattr(module, method)
        else:
            method = deserialize_keras_object(method, custom_objects)
        return cls(module, method, **config)


def _split_variables(variables: Any) -> tuple[Any, Any]:
    """Returns the collection of parameters, and all others."""
    if variables is None:
        return None, None
    trainable = {key: value for key, value in variables.items() if key == "params"}
    return trainable, {key: value for key, value in variables.items() if key != "params"}


def _parameters_of_method(module: Any, method: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(method or module.__call__).parameters


def _with_parameters(function: Any, *names: str) -> Any:
    """Gives a function that takes its arguments by position the parameters of these names."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    function.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    return function
