"""What a layer holds: found among its attributes when asked for, so there is nothing to keep up."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.state import StateHolder
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError

# Attributes that lead elsewhere: to the graph, or back to what the constructor was given.
_NOT_OWN = frozenset({"_inbound_nodes", "_outbound_nodes", "_init_arguments", "_losses"})


class Tracked:
    """Variables, sublayers and metrics of a layer, by where they stand among its attributes."""

    name: str
    _weights: list[Variable]
    _trainable: bool

    def _held(self, kind: type) -> list[Any]:
        """Returns the objects of a kind among the attributes, in order, each once."""
        found: dict[int, Any] = {}
        for key, value in vars(self).items():
            if key not in _NOT_OWN:
                _collect(value, kind, found)
        return list(found.values())

    def _own_variables(self) -> list[Variable]:
        """The layer's own variables: those of `add_weight` first, then others it holds."""
        found = {id(v): v for v in self._weights}
        for variable in self._held(Variable):
            found.setdefault(id(variable), variable)
        own = list(found.values())
        return [v for v in own if v.wants_training] + [v for v in own if not v.wants_training]

    def _sublayers(self) -> list[Any]:
        """The layers that this one holds."""
        return [layer for layer in self._held(Tracked) if layer is not self]

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        """The layers inside, at any depth, each once."""
        found: dict[int, Any] = {id(self): self}
        stack = [self]
        order = []
        while stack:
            layer = stack.pop()
            order.append(layer)
            fresh = [x for x in layer._sublayers() if id(x) not in found]
            found.update((id(x), x) for x in fresh)
            stack += reversed(fresh)
        return order if include_self else order[1:]

    def _holders(self, kind: str) -> list[StateHolder]:
        found: dict[int, StateHolder] = {}
        for layer in self._flatten_layers():
            for holder in layer._held(StateHolder):
                if holder.kind == kind:
                    found.setdefault(id(holder), holder)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """All weights, of sublayers too; without the state of random seeds and metrics."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            found.update((id(v), v) for v in layer._own_variables() if id(v) not in found)
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """All state of the layer: weights, random seeds, and states of recurrent layers."""
        holders = self._holders("seed") + self._holders("state")
        return self.weights + [v for holder in holders for v in holder.variables]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that optimizers update."""
        return [v for v in self.variables if v.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that optimizers leave alone."""
        return [v for v in self.variables if not v.trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that optimizers update."""
        return [v for v in self.weights if v.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that optimizers leave alone."""
        return [v for v in self.weights if not v.trainable]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that the layer and its sublayers hold."""
        return self._holders("metric")

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether optimizers update the weights; setting it sets it for all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for variable in layer._own_variables():
                variable.trainable = bool(value) and variable.wants_training

    def get_weights(self) -> list[np.ndarray]:
        """Returns the weights as NumPy arrays, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets all weights; nothing is set unless everything fits.

        Args:
            weights: Arrays in the order and of the shapes of `weights`.

        Raises:
            ValueError: Their number or a shape differs.
        """
        place = f"{type(self).__name__} layer {self.name!r}"
        variables = self.weights
        if len(variables) != len(weights):
            raise SpecError(
                place, expected=f"{len(variables)} weights", given=f"{len(weights)}",
                fix="pass a list as get_weights() returns it; build the layer first if it has none",
            )  # fmt: skip
        for variable, value in zip(variables, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise SpecError(
                    place, expected=f"shape {variable.shape} for the weight {variable.path!r}",
                    given=f"shape {tuple(np.shape(value))}",
                    fix="pass a list as get_weights() returns it",
                )  # fmt: skip
            if isinstance(value, (np.ndarray, list)) and np.asarray(value).dtype.kind in "USO":
                raise DTypeError(
                    place, expected=f"numbers for the weight {variable.path!r}",
                    given="text or objects",
                    fix="pass a list as get_weights() returns it",
                )  # fmt: skip
        backend = current()
        values = [
            backend.convert_to_tensor(value, variable.dtype)
            for variable, value in zip(variables, weights, strict=True)
        ]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """Returns the number of numbers in the weights."""
        return sum(v.size for v in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own variables, those of sublayers not, into a file's group.

        Args:
            store: A mapping; the keys are "0", "1" … in the order of the variables.
        """
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the layer's own variables from a file's group.

        Args:
            store: What `save_own_variables` wrote.

        Raises:
            ValueError: Their number or a shape differs.
        """
        variables = self._own_variables()
        if len(store) != len(variables):
            raise SpecError(
                f"{type(self).__name__} layer {self.name!r}",
                expected=f"{len(variables)} variables", given=f"{len(store)} in the file",
                fix="load the file into the model it was saved from",
            )  # fmt: skip
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])


def _collect(value: Any, kind: type, found: dict[int, Any]) -> None:
    if isinstance(value, kind):
        found.setdefault(id(value), value)
    elif type(value) in (list, tuple) or isinstance(value, (list, set)):
        for item in value:
            _collect(item, kind, found)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, kind, found)
