"""Several optimizers for one model, each for some of its variables."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from keras_fn import _regex
from keras_fn.core import serialization
from keras_fn.core.path_map import PathMap
from keras_fn.core.scopes import context
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.optimizers.loss_scale_optimizer import LossScaleOptimizer
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.optimizers.sharded_updates import apply_in_scope, needs_scope
from keras_fn.types import LearningRateLike, Tensor


class OptimizerMap(PathMap[Optimizer]):
    """Optimizers by the path of a variable, with a default.

    Args:
        default_optimizer: The optimizer of variables that no key matches.
        optimizer_map: Optimizers by path, or by a regular expression that matches the whole path.

    Raises:
        TypeError: A value is not an optimizer.
        ValueError: Several keys match, on look-up.

    Example:
        >>> optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
        >>> optimizers["encoder/.*"] = keras.optimizers.Adam()
        >>> type(optimizers["encoder/kernel"]).__name__, type(optimizers["kernel"]).__name__
        ('Adam', 'SGD')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ):
        self._default = self._validate(default_optimizer)
        self._entries = {}
        self.update(optimizer_map or {})

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no key matches."""
        return self._default

    def __call__(self, variable: Variable) -> Optimizer:
        """Returns the optimizer of a variable."""
        return self[variable.path]

    def _default_entry(self) -> Optimizer:
        return self._default

    def _validate(self, value: Any) -> Optimizer:
        if isinstance(value, Optimizer):
            return value
        raise DTypeError(
            "OptimizerMap",
            expected="optimizers as values and as the default",
            received=f"{value!r} of type {type(value).__name__}",
            fix="for example keras.optimizers.Adam()",
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            "default_optimizer": serialization.serialize_keras_object(self._default),
            "optimizer_map": serialization.serialize_keras_object(self._entries),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "OptimizerMap":
        """Creates a map from the dict that `get_config` returned; its optimizers without state.

        Args:
            config: The config.
            custom_objects: Custom classes and functions by name.

        Returns:
            The map.
        """

        def deserialize(optimizer: Any) -> Any:
            return serialization.deserialize_as("optimizer", optimizer, custom_objects)

        default = deserialize(config["default_optimizer"])
        entries = (config.get("optimizer_map") or {}).items()
        return cls(
            default, {_regex.check(key, "OptimizerMap"): deserialize(x) for key, x in entries}
        )


class MultiOptimizer(Optimizer):
    """Updates each variable with the optimizer that is chosen for it.

    It does not have a learning rate: read and set the learning rates of `optimizers`. Callbacks
    that change the learning rate change each of them.

    Args:
        optimizer_map: An `OptimizerMap`; or a callable that takes a variable and returns its
            optimizer, the same object for all variables that are updated together.
        loss_scale_factor: Factor by which the loss is multiplied and gradients are divided; it
            replaces the factors of the optimizers. Default None.
        name: Name of the optimizer. Default: from the class name.

    Raises:
        TypeError: `optimizer_map` is neither, or returns something that is not an optimizer.
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
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
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
        # The name of the attribute is part of the paths in files, as in Keras.
        self.optimizers: list[Optimizer] = []
        self._optimizer_indices: list[
            int
        ] = []  # for each variable, its optimizer among `optimizers`
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._index_of_optimizer(optimizer)
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)

    def _index_of_optimizer(self, optimizer: Any) -> int:
        """Returns the index of an optimizer in `optimizers`; appends a new one."""
        for i, other in enumerate(self.optimizers):
            if other is optimizer:
                return i
        self._check(optimizer)
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    @staticmethod
    def _check(optimizer: Any) -> None:
        fix = "use another optimizer of keras.optimizers for each variable"
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
                expected="optimizers that do not wrap others",
                received=f"a {type(optimizer).__name__}",
                fix=f"{fix}; a LossScaleOptimizer goes around the MultiOptimizer",
            )

    def build(self, variables: Sequence[Variable]) -> None:
        """Chooses the optimizer of each variable, and builds the optimizers.

        Args:
            variables: The variables to optimize.
        """
        if self.built:
            return
        select: Callable[[Variable], Any] = self.optimizer_map
        self._optimizer_indices = [self._index_of_optimizer(select(v)) for v in variables]
        for i, optimizer in enumerate(self.optimizers):
            optimizer.loss_scale_factor = self.loss_scale_factor
            group = [
                v for v, index in zip(variables, self._optimizer_indices, strict=True) if index == i
            ]
            if group and not optimizer.built:
                self._propagate_exclusions(optimizer)
                optimizer.build(group)
        super().build(variables)

    def _propagate_exclusions(self, optimizer: Optimizer) -> None:
        """Excludes variables from the weight decay of an inner optimizer, too."""
        patterns = [p for p in (optimizer._excluded_names, self._excluded_names) if p is not None]
        optimizer._excluded += self._excluded
        if patterns:
            optimizer._excluded_names = re.compile("|".join(p.pattern for p in patterns))

    @property
    def variables(self) -> list[Variable]:
        """The step counter and an unused learning rate, then the variables of each optimizer."""
        return [*self._variables, *(v for o in self.optimizers for v in o.variables)]

    @property
    def learning_rate(self) -> Any:
        """Not available: each of `optimizers` has its learning rate."""
        raise AttributeError(self._NO_LEARNING_RATE)

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRateLike) -> None:
        raise AttributeError(self._NO_LEARNING_RATE)

    _NO_LEARNING_RATE = (
        "A MultiOptimizer has one learning_rate for each of its `optimizers`: use theirs."
    )

    @property
    def loss_scale_factor(self) -> float | None:
        """Factor by which the loss is multiplied; shared by all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        self._loss_scale_factor = factor
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = factor

    def apply(
        self, grads: Sequence[Tensor | None], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Updates variables, each by its optimizer.

        Args:
            grads: Gradients, one for each variable; None for a variable without one.
            trainable_variables: The variables. Default: those that the optimizer was built for.

        Raises:
            ValueError: A variable is unknown, the numbers of gradients and variables differ, or
                there are no gradients.
        """
        grads, variables = self._prepare_gradients(grads, trainable_variables)
        if not grads:
            return
        if context.current.replica is not None and needs_scope(()):  # all gradients at once
            apply_in_scope(self, grads, variables)
            return
        groups: dict[int, tuple[list[Any], list[Any]]] = {}
        for g, v in zip(grads, variables, strict=True):
            group_grads, group = groups.setdefault(
                self._optimizer_indices[self._get_variable_index(v)], ([], [])
            )
            group_grads.append(g)
            group.append(v)
        for index, (group_grads, group) in groups.items():
            self.optimizers[index].apply(group_grads, group)
        self._iterations.accumulate(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Sets variables to their moving averages, where their optimizer keeps them.

        Args:
            var_list: The variables that the optimizer was built for.
        """
        for optimizer in self.optimizers:
            group = [v for v in var_list if id(v) in optimizer._variable_indices]
            optimizer.finalize_variable_values(group)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            "optimizer_map": serialization.serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "MultiOptimizer":
        """Creates an optimizer from the dict that `get_config` returned, without its state.

        Args:
            config: The config.
            custom_objects: Custom classes and functions by name.

        Returns:
            The optimizer.
        """
        optimizer_map = serialization.deserialize_as(
            "optimizer_map", config.get("optimizer_map"), custom_objects
        )
        return cls(**{**config, "optimizer_map": optimizer_map})
