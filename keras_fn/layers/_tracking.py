"""Variables, sublayers and state of a layer, collected from its attributes when needed."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.construction import SetByInit
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.tracing import substitute_when_tracing
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError
from keras_fn.types import (
    ConstraintLike,
    DTypeLike,
    InitializerLike,
    RegularizerLike,
    ShapeLike,
    TensorLike,
)

# Attributes that refer to objects without owning them: graph, constructor arguments, losses, and
# what `no_automatic_dependency_tracking` of alias/helpers.py left out.
REFERENCE_ATTRIBUTES = frozenset(
    {"_inbound_nodes", "_init_arguments", "_losses", "_outbound_nodes", "_untracked"}
)
_CACHES = frozenset({"_dependents", "_fast_path_keys", "_functions"})
_NOT_TRACKED = REFERENCE_ATTRIBUTES | _CACHES | set(vars(current().LayerBase()))


class TrackedChildren(NamedTuple):
    """The tracked objects in the attributes of a layer, in order, once each, by identity."""

    variables: dict[int, Variable]
    layers: dict[int, Any]
    holders: dict[int, StatefulObject]  # seeds, metrics, states


class AttributeTrackingMixin:
    """The variables, sublayers and metrics of a layer, in the order of its attributes."""

    name: str
    _weights: list[Variable] = cast(Any, SetByInit())
    _trainable: bool

    def _rebuild_children(self) -> TrackedChildren:
        """Like `_contents`, without the growing cache, on which Dynamo would guard."""
        return self._collect_children(_kind_of)

    @substitute_when_tracing(_rebuild_children)
    def _contents(self) -> TrackedChildren:
        """Returns the objects that the layer itself holds."""
        return self._collect_children()

    def _collect_children(
        self, kind_of: Callable[[type], str | None] | None = None
    ) -> TrackedChildren:
        children = TrackedChildren({}, {}, {})
        attributes = vars(self)
        left_out = attributes.get("_untracked", {})
        known = _KINDS if kind_of is None else {}  # most values are of a class without a kind
        own = [
            value
            for name, value in attributes.items()
            if known.get(type(value), _UNKNOWN) is not None
            and name not in _NOT_TRACKED
            and (name not in left_out or left_out[name] is not value)
        ]
        _collect(own, children, kind_of)
        children.layers.pop(id(self), None)
        return children

    def _own_variables(self) -> list[Variable]:
        """The layer's own variables: of `add_weight` first, then of other attributes."""
        return self._in_order(self._contents())

    def _in_order(self, contents: TrackedChildren) -> list[Variable]:
        own = {id(v): v for v in self._weights}
        for key, variable in contents.variables.items():
            own.setdefault(key, variable)
        wanted = [v for v in own.values() if v._trainable_requested]
        return wanted + [v for v in own.values() if not v._trainable_requested]

    def _sublayers(self) -> list[Any]:
        """The layers in the attributes of this one."""
        return list(self._contents().layers.values())

    def _walk_layers(self) -> list[tuple[Any, TrackedChildren]]:
        """This layer and its sublayers at any depth, once each, with the objects they hold."""
        children: set[int] = {id(self)}
        stack, order = [self], []
        while stack:
            layer = stack.pop()
            contents = layer._contents()
            order.append((layer, contents))
            fresh = [x for key, x in contents.layers.items() if key not in children]
            children.update(map(id, fresh))
            stack += reversed(fresh)
        return order

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        """This layer and its sublayers at any depth, once each."""
        layers = [layer for layer, _ in self._walk_layers()]
        return layers if include_self else layers[1:]

    def add_variable(
        self,
        shape: ShapeLike,
        initializer: InitializerLike,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike | None = None,
        constraint: ConstraintLike | None = None,
        name: str | None = None,
    ) -> Variable:
        """Adds a weight variable to the layer, as `add_weight` does.

        Args:
            shape: The shape of the weight.
            initializer: Initializer for the weight.
            dtype: The dtype of the weight; the variable dtype of the layer by default.
            trainable: Whether optimizers update the weight.
            autocast: Whether the weight is read in the compute dtype.
            regularizer: Regularizer applied to the weight.
            constraint: Constraint applied to the weight after each update.
            name: The name of the weight. Unique by default.

        Returns:
            The variable.
        """
        layer: Any = self
        return layer.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    @property
    def weights(self) -> list[Variable]:
        """All weights, including sublayers; without the state of random seeds and metrics."""
        return _weights(self._walk_layers())

    @property
    def variables(self) -> list[Variable]:
        """All variables of the layer: weights, random seeds, states of recurrent layers."""
        layers = self._walk_layers()
        holders = _holders(layers, "seed") + _holders(layers, "state")
        return _weights(layers) + [v for holder in holders for v in holder.variables]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that optimizers update; none if the layer is not `trainable`."""
        return [v for v in self.variables if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that optimizers do not update."""
        return [v for v in self.variables if not (self._trainable and v.trainable)]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that optimizers update; none if the layer is not `trainable`."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that optimizers do not update."""
        return [v for v in self.weights if not (self._trainable and v.trainable)]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that the layer and its sublayers hold."""
        return _holders(self._walk_layers(), "metric")

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
        if not isinstance(value, (bool, np.bool_, int)):
            raise DTypeError(
                f"{type(self).__name__} layer {self.name!r}",
                expected="trainable: True or False",
                received=f"trainable={value!r}",
                fix="for example layer.trainable = False",
            )
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for variable in layer._own_variables():
                may_train = variable._trainable_requested and not variable._is_frozen
                variable.trainable = bool(value) and may_train

    def _freeze_new(self, layers: Iterable[Any]) -> None:
        """Freezes the layer's own variables, and its sublayers but for those of before."""
        before = set(map(id, layers))
        for variable in self._own_variables():
            variable.trainable = False
        for layer in self._sublayers():
            if id(layer) not in before:
                layer.trainable = False

    def get_weights(self) -> list[np.ndarray]:
        """Returns the weights as NumPy arrays, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[TensorLike]) -> None:
        """Sets all weights, or none if one does not fit.

        Args:
            weights: Arrays, in the order of the property `weights` and of the same shapes.

        Raises:
            ValueError: The number of arrays or a shape differs.
        """
        label = f"{type(self).__name__} layer {self.name!r}"
        variables = self.weights
        if len(variables) != len(weights):
            raise SpecError(
                label,
                expected=f"{len(variables)} weights",
                received=f"{len(weights)}",
                fix="pass a list as get_weights() returns it; build the layer first if it has none",
            )
        for variable, value in zip(variables, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise SpecError(
                    label,
                    expected=f"shape {variable.shape} for the weight {variable.path!r}",
                    received=f"shape {tuple(np.shape(value))}",
                    fix="pass a list as get_weights() returns it",
                )
            if isinstance(value, (np.ndarray, list)) and np.asarray(value).dtype.kind in "USO":
                raise DTypeError(
                    label,
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
        """Returns the total number of elements in the weights.

        Raises:
            ValueError: The layer is not built, so it has no weights yet.
        """
        layer: Any = self
        if not layer.built:
            raise SpecError(
                f"{layer._label}, count_params",
                expected="a layer that is built",
                received="one that is not built, so it has no weights yet",
                fix="call it on data, or build(input_shape), before",
            )
        return sum(v.size for v in self.weights)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes the layer's own variables, without sublayers, to a group of a file.

        Args:
            store: A mutable mapping, for the keys "0", "1" … in the order of the variables.
        """
        for i, value in enumerate(self._file_values()):
            store[str(i)] = np.array(value)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads the layer's own variables from a group of a file.

        Args:
            store: A mapping, as `save_own_variables` wrote it.

        Raises:
            ValueError: The number of arrays or a shape differs.
        """
        variables = self._file_variables()
        if len(store) != len(variables):
            raise SpecError(
                f"{type(self).__name__} layer {self.name!r}",
                expected=f"{len(variables)} variables",
                received=f"{len(store)} in the file",
                fix="load the file into the model it was saved from",
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
        self._after_load()

    def _file_variables(self) -> list[Variable]:
        """The layer's own variables that files hold, in their order there."""
        return self._own_variables()

    def _file_values(self) -> list[np.ndarray]:
        """The values of `_file_variables` that files hold; they may share memory with them."""
        return [variable._view() for variable in self._file_variables()]

    def _after_load(self) -> None:
        """Adapts what files do not hold, once `_file_variables` have the values of a file."""


def _weights(layers: list[tuple[Any, TrackedChildren]]) -> list[Variable]:
    children: dict[int, Variable] = {}
    for layer, contents in layers:
        for variable in layer._in_order(contents):
            children.setdefault(id(variable), variable)
    return list(children.values())


def _holders(layers: list[tuple[Any, TrackedChildren]], kind: str) -> list[StatefulObject]:
    children: dict[int, StatefulObject] = {}
    for _, contents in layers:
        for key, holder in contents.holders.items():
            if holder.kind == kind:
                children.setdefault(key, holder)
    return list(children.values())


_UNKNOWN = ""
_CONTAINERS = frozenset({"items", "dict"})
_KINDS: dict[type, str | None] = {}  # cache


def _kind_of(cls: type) -> str | None:
    """The kind of the objects of a class, for a layer that holds them; None if not tracked."""
    if issubclass(cls, Variable):
        return "variables"
    if issubclass(cls, AttributeTrackingMixin):
        return "layers"
    if issubclass(cls, StatefulObject):
        return "holders"
    if issubclass(cls, dict):
        return "dict"
    return "items" if issubclass(cls, (list, tuple, set)) else None


def _collect(
    values: Iterable[Any],
    children: TrackedChildren,
    kind_of: Callable[[type], str | None] | None = None,
    above: tuple[Any, ...] = (),
) -> None:
    """Adds the tracked objects among the values, at any depth, to `children`.

    Args:
        values: The values.
        children: The objects that were found.
        kind_of: Returns the kind of a class; by default the cached one.
        above: The containers around the values: one may hold itself.
    """
    for value in values:
        cls = type(value)
        kind = _KINDS.get(cls, _UNKNOWN) if kind_of is None else kind_of(cls)
        if kind == _UNKNOWN:
            kind = _KINDS[cls] = _kind_of(cls)
        if kind is None:
            continue
        if kind in _CONTAINERS:
            if value and not (above and any(value is container for container in above)):
                items = value.values() if kind == "dict" else value
                _collect(items, children, kind_of, (*above, value))
        else:
            getattr(children, kind).setdefault(id(value), value)
