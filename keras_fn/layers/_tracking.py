"""What a layer holds: found among its attributes when asked for, so there is nothing to keep up."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.stateful import StateHolder
from keras_fn.core.tracing import traced_as
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError

# Attributes that lead elsewhere: to the graph, to compiled steps, or back to what the constructor
# was given.
_NOT_OWN = frozenset(
    {"_inbound_nodes", "_outbound_nodes", "_init_arguments", "_losses", "_functions"}
)


class Contents(NamedTuple):
    """What the attributes of a layer hold, in their order, each object once by its identity."""

    variables: dict[int, Variable]
    layers: dict[int, Any]
    holders: dict[int, StateHolder]  # seeds, metrics, states


class Tracked:
    """Variables, sublayers and metrics of a layer, by where they stand among its attributes."""

    name: str
    _weights: list[Variable]
    _trainable: bool

    def _contents_anew(self) -> Contents:
        """As `_contents`, without the table that grows: a compiler would compile anew with it."""
        return self._found(_role_of)

    @traced_as(_contents_anew)
    def _contents(self) -> Contents:
        """Returns what the layer itself holds."""
        return self._found()

    def _found(self, kind_of: Callable[[type], str | None] | None = None) -> Contents:
        found = Contents({}, {}, {})
        own = [value for key, value in vars(self).items() if key not in _NOT_OWN]
        _collect(own, found, kind_of)
        found.layers.pop(id(self), None)
        return found

    def _own_variables(self) -> list[Variable]:
        """The layer's own variables: those of `add_weight` first, then others it holds."""
        return self._in_order(self._contents())

    def _in_order(self, contents: Contents) -> list[Variable]:
        own = {id(v): v for v in self._weights}
        for key, variable in contents.variables.items():
            own.setdefault(key, variable)
        wanted = [v for v in own.values() if v.wants_training]
        return wanted + [v for v in own.values() if not v.wants_training]

    def _sublayers(self) -> list[Any]:
        """The layers that this one holds."""
        return list(self._contents().layers.values())

    def _survey(self) -> list[tuple[Any, Contents]]:
        """This layer and those inside, at any depth, each once, with what they hold."""
        found: set[int] = {id(self)}
        stack, order = [self], []
        while stack:
            layer = stack.pop()
            contents = layer._contents()
            order.append((layer, contents))
            fresh = [x for key, x in contents.layers.items() if key not in found]
            found.update(map(id, fresh))
            stack += reversed(fresh)
        return order

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        """The layers inside, at any depth, each once."""
        layers = [layer for layer, _ in self._survey()]
        return layers if include_self else layers[1:]

    @property
    def weights(self) -> list[Variable]:
        """All weights, of sublayers too; without the state of random seeds and metrics."""
        return _weights(self._survey())

    @property
    def variables(self) -> list[Variable]:
        """All state of the layer: weights, random seeds, and states of recurrent layers."""
        survey = self._survey()
        holders = _holders(survey, "seed") + _holders(survey, "state")
        return _weights(survey) + [v for holder in holders for v in holder.variables]

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
        return _holders(self._survey(), "metric")

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
                place,
                expected=f"{len(variables)} weights",
                received=f"{len(weights)}",
                fix="pass a list as get_weights() returns it; build the layer first if it has none",
            )
        for variable, value in zip(variables, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise SpecError(
                    place,
                    expected=f"shape {variable.shape} for the weight {variable.path!r}",
                    received=f"shape {tuple(np.shape(value))}",
                    fix="pass a list as get_weights() returns it",
                )
            if isinstance(value, (np.ndarray, list)) and np.asarray(value).dtype.kind in "USO":
                raise DTypeError(
                    place,
                    expected=f"numbers for the weight {variable.path!r}",
                    received="text or objects",
                    fix="pass a list as get_weights() returns it",
                )
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
                expected=f"{len(variables)} variables",
                received=f"{len(store)} in the file",
                fix="load the file into the model it was saved from",
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])


def _weights(survey: list[tuple[Any, Contents]]) -> list[Variable]:
    found: dict[int, Variable] = {}
    for layer, contents in survey:
        for variable in layer._in_order(contents):
            found.setdefault(id(variable), variable)
    return list(found.values())


def _holders(survey: list[tuple[Any, Contents]], kind: str) -> list[StateHolder]:
    found: dict[int, StateHolder] = {}
    for _, contents in survey:
        for key, holder in contents.holders.items():
            if holder.kind == kind:
                found.setdefault(key, holder)
    return list(found.values())


_UNKNOWN = ""
_CONTAINERS = frozenset({"items", "dict"})
_ROLES: dict[type, str | None] = {}  # filled as classes come


def _role_of(cls: type) -> str | None:
    """What objects of a class are to a layer that holds them; None for nothing."""
    if issubclass(cls, Variable):
        return "variables"
    if issubclass(cls, Tracked):
        return "layers"
    if issubclass(cls, StateHolder):
        return "holders"
    if issubclass(cls, dict):
        return "dict"
    return "items" if issubclass(cls, (list, tuple, set)) else None


def _collect(
    values: Iterable[Any], found: Contents, kind_of: Callable[[type], str | None] | None = None
) -> None:
    """Notes what the values are, or hold, at any depth."""
    for value in values:
        cls = type(value)
        role = _ROLES.get(cls, _UNKNOWN) if kind_of is None else kind_of(cls)
        if role == _UNKNOWN:
            role = _ROLES[cls] = _role_of(cls)
        if role is None:
            continue
        if role in _CONTAINERS:
            if value:
                _collect(value.values() if role == "dict" else value, found, kind_of)
        else:
            getattr(found, role).setdefault(id(value), value)
