"""Paths of variables in a weights file, as Keras defines them.

The path of a nested layer is the attribute that holds it; of a layer in a list, tuple or dict, its
class. The walk visits attributes in the order of their names, private ones last, and each layer
once, at the first path that leads to it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core import registry
from keras_fn.core.graph_model import get_graph
from keras_fn.core.naming import to_snake_case
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.variable import Variable
from keras_fn.layers._tracking import REFERENCE_ATTRIBUTES
from keras_fn.layers.layer import Layer
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import AnyModel

# Attributes whose layers have another path in the file, or that only refer to layers.
_SKIPPED = REFERENCE_ATTRIBUTES | {"_functional", "_layers", "_operations", "execution_plan"}

_STORE_METHODS = ("save_own_variables", "load_own_variables")
_PLAIN_NAME = re.compile(r"[A-Za-z](\w*[A-Za-z])?")  # without the number of an automatic name


class Saveable(NamedTuple):
    """A layer, model or optimizer with variables, and its path; the path of the model is `""`."""

    path: str
    owner: Any

    @property
    def title(self) -> str:
        """The object in error messages."""
        return f"{type(self.owner).__name__} {getattr(self.owner, 'name', '')!r}"

    @property
    def group(self) -> str:
        """The path of the HDF5 group of its variables."""
        return join(self.path, "vars")

    def variables(self) -> dict[str, Variable]:
        """Returns its own variables, by the paths of their datasets."""
        owner = self.owner
        own = owner.variables if isinstance(owner, Optimizer) else owner._file_variables()
        return {f"{self.group}/{i}": v for i, v in enumerate(own)}

    def values(self) -> dict[str, np.ndarray]:
        """Returns the values that a file holds, by the paths of their datasets."""
        if isinstance(self.owner, Optimizer):
            return {path: variable._view() for path, variable in self.variables().items()}
        return {f"{self.group}/{i}": v for i, v in enumerate(self.owner._file_values())}

    def has_other_values(self) -> bool:
        """Returns whether a file may hold other values than those of its variables."""
        is_quantized = bool(getattr(self.owner, "_quantized_weights", None))
        return is_quantized or bool(getattr(self.owner, "lora_enabled", False))

    def tensor_names(self) -> dict[str, str]:
        """Returns the names of its own variables in a `safetensors` file, by their paths in HDF5.

        Such a name is the path of the layer and the name of the variable: `layers/dense/kernel`.
        Where the names of the variables are automatic, or not distinct, it is the path in HDF5; as
        it is for optimizers, and for layers with a method for their own part of a file.
        """
        if isinstance(self.owner, Optimizer) or any(map(self.overrides, _STORE_METHODS)):
            return {}
        variables = self.variables()
        own = {variable.name for variable in variables.values()}
        if len(own) < len(variables) or not all(map(_PLAIN_NAME.fullmatch, own)):
            return {}
        return {path: join(self.path, variable.name) for path, variable in variables.items()}

    def seeds(self) -> dict[str, Variable]:
        """Returns the states of its seed generators, which are optional in files of Keras."""
        if isinstance(self.owner, Optimizer):
            return {}
        attributes = sorted(vars(self.owner).items())
        return {
            join(self.path, name, "vars", str(i)): variable
            for name, value in attributes
            if isinstance(value, StatefulObject) and value.kind == "seed"
            for i, variable in enumerate(value.variables)
        }

    def overrides(self, method: str) -> bool:
        """Returns whether its class overrides a method for saving or loading variables."""
        base = Optimizer if isinstance(self.owner, Optimizer) else Layer
        function = getattr(type(self.owner), method, None)
        return function is not None and function is not getattr(base, method, None)


def join(*parts: str) -> str:
    """Joins the parts of a path, without the empty ones."""
    return "/".join(part for part in parts if part)


def walk_saveables(model: AnyModel, skipped: Iterable[Any] = ()) -> list[Saveable]:
    """Returns the layers, models and optimizers in a model, with their paths.

    Args:
        model: The model.
        skipped: Layers to leave out, with the layers that only they contain.
    """
    seen = {id(x) for x in skipped}
    return list(_walk(model, "", seen))


def list_variables(model: AnyModel) -> list[Variable]:
    """Returns all variables that a file of a model may hold, each once.

    Args:
        model: The model.
    """
    found: dict[int, Variable] = {}
    for saveable in walk_saveables(model):
        found |= {id(v): v for v in (*saveable.owner.variables, *saveable.seeds().values())}
    return list(found.values())


def _walk(owner: Any, path: str, seen: set[int]) -> Iterator[Saveable]:
    if id(owner) in seen:
        return
    seen.add(id(owner))
    yield Saveable(path, owner)
    for name, value in _attributes(owner):
        yield from _walk_value(value, join(path, name), seen, set())


def _walk_value(value: Any, path: str, seen: set[int], containers: set[int]) -> Iterator[Saveable]:
    if isinstance(value, (Layer, Optimizer)):
        yield from _walk(value, path, seen)
    elif isinstance(value, (list, tuple, dict)) and id(value) not in containers:
        containers.add(id(value))
        used: dict[str, int] = {}
        for item in list(value.values()) if isinstance(value, dict) else list(value):
            if isinstance(item, (Layer, Optimizer)):
                name = _unique(to_snake_case(type(item).__name__), used)
            elif isinstance(item, (list, tuple, dict)):
                name = _unique("container", used)
            else:
                continue
            yield from _walk_value(item, join(path, name), seen, containers)


def _unique(name: str, used: dict[str, int]) -> str:
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """Yields the attributes in Keras's order; for a graph, its layers first."""
    names = vars(owner).keys() - _common_attributes(type(owner)) - _SKIPPED
    names |= _properties(type(owner))
    if isinstance(getattr(type(owner), "layers", None), property):
        if get_graph(owner) is not None:
            yield "layers", owner.layers
        else:
            names |= {"layers"}  # of a subclassed model
    for name in sorted(names, key=lambda n: f"~{n}" if n.startswith("_") else n):
        try:
            yield name, getattr(owner, name)
        except Exception:  # a property that cannot be read has no layers
            continue


def list_named_in_config(saveables: Iterable[Saveable]) -> list[Saveable]:
    """Returns the layers of nested graphs, whose names are in the config of the model."""
    graphs: set[str] = set()
    named = []
    for saveable in saveables:
        outer, layers, name = f"/{saveable.path}".rpartition("/layers/")
        in_graph = bool(layers) and outer[1:] in graphs and "/" not in name
        if in_graph and _keeps_its_name(saveable.owner):
            named.append(saveable)
        if (in_graph or not saveable.path) and _has_graph_config(saveable.owner):
            graphs.add(saveable.path)
    return named


def _keeps_its_name(owner: Any) -> bool:
    """Returns whether a layer that is made of its config has its name again.

    A constructor or a `get_config` of the program may do without it.
    """
    return registry.is_builtin(type(owner)) or "name" in owner.get_config()


def _has_graph_config(owner: Any) -> bool:
    """Returns whether the config of a model lists its layers, not a constructor's arguments."""
    cls = type(owner)
    is_own = registry.is_builtin(cls.__init__) and registry.is_builtin(cls.get_config)
    return is_own and get_graph(owner) is not None


@cache
def _common_attributes(cls: type) -> frozenset[str]:
    """Returns the attributes that every layer, or every optimizer, has."""
    if issubclass(cls, Optimizer):
        return frozenset(vars(Optimizer(0.1, name="bare")))
    return frozenset(vars(Layer(name="bare")))


@cache
def _properties(cls: type) -> frozenset[str]:
    """Returns the properties of a class that are not properties of `Layer` or `Model`."""
    layers = registry.table("layer")
    base_classes = (Layer, *(layers.get(name) for name in ("Model", "Functional", "Sequential")))
    return frozenset(
        name
        for base in cls.__mro__
        if issubclass(base, Layer) and base not in base_classes
        for name, value in vars(base).items()
        if isinstance(value, property) and not hasattr(Layer, name)
    )


def names(saveables: Iterable[Saveable]) -> Mapping[str, str]:
    """Returns the names of layers, models and optimizers by the paths of their HDF5 groups."""
    return {s.group: s.owner.name for s in saveables if isinstance(s.owner.name, str)}
