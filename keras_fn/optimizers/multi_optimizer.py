"""Several optimizers for one model, each for some of its variables."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from keras_fn import _regex
from keras_fn.core import serialization
from keras_fn.core.path_map import PathMap
from keras_fn.errors import DTypeError, SpecError
from keras_fn.optimizers.loss_scale_optimizer import LossScaleOptimizer
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class OptimizerMap(PathMap[Optimizer]):
    """Optimizers by the paths of variables; for the others, one default.

    Args:
        default_optimizer: The optimizer of variables that no key matches.
        optimizer_map: Optimizers by path, or by a regular expression that matches the whole path.

    Raises:
        TypeError: A value is no optimizer.
        ValueError: On a look-up, several keys match.

    Example:
        >>> optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
        >>> optimizers["encoder/.*"] = keras.optimizers.Adam()
        >>> type(optimizers["encoder/kernel"]).__name__, type(optimizers["kernel"]).__name__
        ('Adam', 'SGD')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ):
        self._default = self._accepted(default_optimizer)
        self._entries = {}
        self.update(optimizer_map or {})

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no key matches."""
        return self._default

    def __call__(self, variable: Any) -> Optimizer:
        """Returns the optimizer of a variable."""
        return self[variable.path]

    def _default_entry(self) -> Optimizer:
        return self._default

    def _accepted(self, value: Any) -> Optimizer:
        if isinstance(value, Optimizer):
            return value
        raise DTypeError(
            "OptimizerMap",
            expected="optimizers as values and as the default",
            received=f"{value!r} of type {type(value).__name__}",
            fix="for example keras.optimizers.Adam()",
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            "default_optimizer": serialization.serialize_keras_object(self._default),
            "optimizer_map": serialization.serialize_keras_object(self._entries),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "OptimizerMap":
        """Returns an instance made from what `get_config` gave; its optimizers without state.

        Args:
            config: The config.
            custom_objects: Names of classes of your own.
        """

        def read(optimizer: Any) -> Any:
            return serialization.deserialize_as("optimizer", optimizer, custom_objects)

        default = read(config["default_optimizer"])
        entries = (config.get("optimizer_map") or {}).items()
        return cls(default, {_regex.check(key, "OptimizerMap"): read(x) for key, x in entries})


class MultiOptimizer(Optimizer):
    """Updates each variable with an optimizer of its own choice.

    There is no learning rate of the whole: read and set those of `optimizers`. Callbacks that
    change learning rates change the rate of each.

    Args:
        optimizer_map: An `OptimizerMap`; or a function that takes a variable and returns its
            optimizer: one object for all variables that are updated together.
        loss_scale_factor: What the loss is multiplied by, and the gradients divided by; it takes
            the place of that of the optimizers.
        name: A name; automatic by default.

    Raises:
        TypeError: `optimizer_map` is neither, or what it gives is no optimizer.
        ValueError: One of the optimizers is a `LossScaleOptimizer` or `MultiOptimizer`.

    Example:
        >>> optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD(1.0))
        >>> optimizers[".*slow"] = keras.optimizers.SGD(0.25)
        >>> optimizer = keras.optimizers.MultiOptimizer(optimizers)
        >>> fast, slow = keras.Variable(0.0, name="fast"), keras.Variable(0.0, name="slow")
        >>> optimizer.apply([ops.ones(()), ops.ones(())], [fast, slow])
        >>> float(fast.numpy()), float(slow.numpy())
        (-1.0, -0.25)
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        if not callable(optimizer_map):
            raise DTypeError(
                "MultiOptimizer",
                expected="an OptimizerMap, or a function from a variable to its optimizer",
                received=f"{optimizer_map!r} of type {type(optimizer_map).__name__}",
                fix="for example keras.optimizers.OptimizerMap(keras.optimizers.Adam())",
            )
        self.optimizer_map = optimizer_map
        # An attribute: files have the state of each optimizer under its name, as Keras's do.
        self.optimizers: list[Optimizer] = []
        self._optimizer_indices: list[
            int
        ] = []  # for each variable, its optimizer among `optimizers`
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._index_of_optimizer(optimizer)
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)

    def _index_of_optimizer(self, optimizer: Any) -> int:
        """Returns the place of an optimizer in the list; adds it where it is new."""
        for i, known in enumerate(self.optimizers):
            if known is optimizer:
                return i
        self._check(optimizer)
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    @staticmethod
    def _check(optimizer: Any) -> None:
        fix = "give each variable one of the other optimizers of keras.optimizers"
        if not isinstance(optimizer, Optimizer):
            received = f"{optimizer!r} of type {type(optimizer).__name__}"
            raise DTypeError(
                "MultiOptimizer",
                expected="an optimizer for each variable",
                received=received,
                fix=fix,
            )
        if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
            raise SpecError(
                "MultiOptimizer",
                expected="optimizers that wrap no others",
                received=f"a {type(optimizer).__name__}",
                fix=f"{fix}; a LossScaleOptimizer goes around the MultiOptimizer",
            )

    def build(self, variables: Sequence[Any]) -> None:
        """Finds the optimizer of each variable, and builds them."""
        if self.built:
            return
        select: Callable[[Any], Any] = self.optimizer_map
        self._optimizer_indices = [self._index_of_optimizer(select(v)) for v in variables]
        for i, optimizer in enumerate(self.optimizers):
            optimizer.loss_scale_factor = self.loss_scale_factor
            own = [
                v for v, place in zip(variables, self._optimizer_indices, strict=True) if place == i
            ]
            if own and not optimizer.built:
                self._propagate_exclusions(optimizer)
                optimizer.build(own)
        super().build(variables)

    def _propagate_exclusions(self, optimizer: Optimizer) -> None:
        patterns = [p for p in (optimizer._excluded_names, self._excluded_names) if p is not None]
        optimizer._excluded += self._excluded
        if patterns:
            optimizer._excluded_names = re.compile("|".join(p.pattern for p in patterns))

    @property
    def variables(self) -> list[Any]:
        """The step counter and an unused learning rate, then the variables of each optimizer."""
        return [*self._variables, *(v for o in self.optimizers for v in o.variables)]

    @property
    def learning_rate(self) -> Any:
        """There is none: each of `optimizers` has its own."""
        raise AttributeError(self._NO_RATE)

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(self._NO_RATE)

    _NO_RATE = (
        "A MultiOptimizer has no learning_rate of its own: read and set those of its `optimizers`."
    )

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss is multiplied by; that of all the optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        self._loss_scale_factor = factor
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = factor

    def apply(self, grads: Sequence[Tensor], trainable_variables: Any = None) -> None:
        """Updates variables, each by its optimizer.

        Args:
            grads: A gradient for each variable; None where there is none.
            trainable_variables: The variables; by default those that the optimizer was built for.

        Raises:
            ValueError: The optimizer does not know a variable, or there are not as many gradients
                as variables, or none at all.
        """
        grads, variables = self._prepare_gradients(grads, trainable_variables)
        if not grads:
            return
        parts: dict[int, tuple[list[Any], list[Any]]] = {}
        for g, v in zip(grads, variables, strict=True):
            own_grads, own = parts.setdefault(
                self._optimizer_indices[self._get_variable_index(v)], ([], [])
            )
            own_grads.append(g)
            own.append(v)
        for place, (own_grads, own) in parts.items():
            self.optimizers[place].apply(own_grads, own)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Sets variables to their averages, where their optimizer keeps some.

        Args:
            var_list: The variables that the optimizer was built for.
        """
        for optimizer in self.optimizers:
            own = [v for v in var_list if id(v) in optimizer._variable_indices]
            optimizer.finalize_variable_values(own)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            "optimizer_map": serialization.serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "MultiOptimizer":
        """Returns an optimizer made from what `get_config` gave, without its state.

        Args:
            config: The config.
            custom_objects: Names of classes and functions of your own.
        """
        found = serialization.deserialize_as(
            "optimizer_map", config.get("optimizer_map"), custom_objects
        )
        return cls(**{**config, "optimizer_map": found})
