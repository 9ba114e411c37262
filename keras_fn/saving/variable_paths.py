"""Where the variables of a model stand in its weights file: the paths that Keras gives them.

Keras names a layer inside another by the attribute that holds it, and a layer in a list, tuple or
dict by its class. Attributes are walked in the order of their names, private ones last, and each
layer is met once: on the first of the paths that lead to it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from keras_fn.core.graph_model import get_graph
from keras_fn.core.naming import to_snake_case
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.variable import Variable
from keras_fn.layers.layer import Layer
from keras_fn.optimizers.optimizer import Optimizer

# Attributes that lead to what is met elsewhere, or back to what the constructor was given.
_SKIPPED = frozenset(
    {
        "_init_arguments",
        "_inbound_nodes",
        "_outbound_nodes",
        "_functional",
        "_layers",
        "_operations",
        "execution_plan",
        "_losses",
    }
)

# Where the framework defines properties; those of its layers and of users' classes count.
_FRAME = ("keras_fn.core.", "keras_fn.models.", "keras_fn.training.", "keras_fn.layers._")


class Saveable(NamedTuple):
    """What holds variables, and its path: `""` is the model."""

    path: str
    owner: Any

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{type(self.owner).__name__} {getattr(self.owner, 'name', '')!r}"

    @property
    def group(self) -> str:
        """The path of the group with its variables."""
        return join(self.path, "vars")

    def variables(self) -> dict[str, Variable]:
        """Returns its own variables by the paths of their datasets."""
        owner = self.owner
        own = owner.variables if isinstance(owner, Optimizer) else owner._own_variables()
        return {f"{self.group}/{i}": v for i, v in enumerate(own)}

    def seeds(self) -> dict[str, Variable]:
        """Returns the states of its random seeds, which Keras files may have or lack."""
        if isinstance(self.owner, Optimizer):
            return {}
        found = {k: v for k, v in vars(self.owner).items() if isinstance(v, StatefulObject)}
        return {
            join(self.path, key, "vars", str(i)): variable
            for key, holder in sorted(found.items())
            if holder.kind == "seed"
            for i, variable in enumerate(holder.variables)
        }

    def overrides(self, method: str) -> bool:
        """Whether its class writes or reads its variables in a way of its own."""
        base = Optimizer if isinstance(self.owner, Optimizer) else Layer
        own = getattr(type(self.owner), method, None)
        return own is not None and own is not getattr(base, method, None)


def join(*parts: str) -> str:
    """Joins the parts of a path; empty ones do not count."""
    return "/".join(part for part in parts if part)


def walk_saveables(model: Any, skipped: Iterable[Any] = ()) -> list[Saveable]:
    """Returns all that holds variables in a model, by path.

    Args:
        model: The model.
        skipped: Layers to leave out, with what only they hold.
    """
    seen = {id(x) for x in skipped}
    return list(_walk(model, "", seen))


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
    """Yields the attributes in Keras's order; a graph or stack begins with its layers."""
    names = vars(owner).keys() - _common_attributes(type(owner)) - _SKIPPED
    names |= _properties(type(owner))
    if get_graph(owner) is not None:
        yield "layers", owner.layers
    elif isinstance(getattr(type(owner), "layers", None), property):
        names |= {"layers"}  # of a model with a call of its own
    for name in sorted(names, key=lambda n: f"~{n}" if n.startswith("_") else n):
        try:
            yield name, getattr(owner, name)
        except Exception:  # a property that cannot be read now holds nothing
            continue


def list_named_in_config(found: Iterable[Saveable]) -> list[Saveable]:
    """Returns the layers whose names the config of the model says: those of graphs in graphs."""
    graphs: set[str] = set()
    named = []
    for holder in found:
        outer, layers, name = f"/{holder.path}".rpartition("/layers/")
        in_graph = bool(layers) and outer[1:] in graphs and "/" not in name
        if in_graph:
            named.append(holder)
        if (in_graph or not holder.path) and get_graph(holder.owner) is not None:
            graphs.add(holder.path)
    return named


@cache
def _common_attributes(cls: type) -> frozenset[str]:
    """The attributes that every layer, or every optimizer, has."""
    if issubclass(cls, Optimizer):
        return frozenset(vars(Optimizer(0.1, name="bare")))
    return frozenset(vars(Layer(name="bare")))


@cache
def _properties(cls: type) -> frozenset[str]:
    """The properties that layers of keras_fn and classes of users define."""
    return frozenset(
        name
        for base in cls.__mro__
        if issubclass(base, Layer) and base is not Layer and not base.__module__.startswith(_FRAME)
        for name, value in vars(base).items()
        if isinstance(value, property) and not hasattr(Layer, name)
    )


def names(found: Iterable[Saveable]) -> Mapping[str, str]:
    """Returns the name of each holder by the path of its group of variables."""
    return {h.group: h.owner.name for h in found if isinstance(h.owner.name, str)}
