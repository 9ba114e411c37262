"""The differences between two models, as a table: layers, arguments, wiring and weights."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple, overload

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from keras_fn.core import tree
from keras_fn.core.graph_model import get_graph
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.naming import to_snake_case
from keras_fn.ops._op import OpNode, class_name
from keras_fn.types import AnyModel
from keras_fn.visualization.diagram import get_node_ids

_ABSENT = "-"
_GRAPH_KEYS = ("layers", "input_layers", "output_layers", "build_input_shape")


class Difference(NamedTuple):
    """A difference between two models.

    Attributes:
        path: The layer, with the nested models that it is in: `"encoder/conv"`.
        aspect: What differs: `"layer"`, if one model lacks it, `"name"`, an argument, `"inputs"`,
            `"outputs"`, or a weight.
        model: What the first model has.
        other: What the second model has.
    """

    path: str
    aspect: str
    model: str
    other: str


class ModelDiff(Sequence[Difference]):
    """The differences between two models; `Model.diff` returns them.

    It is a sequence of `Difference`s, empty (and false) if there are none, and prints as a table.

    Args:
        names: The names of the two models.
        differences: The differences.

    Example:
        >>> x = keras.Input((3,))
        >>> small = keras.Model(x, keras.layers.Dense(2, name="head")(x), name="small")
        >>> large = keras.Model(x, keras.layers.Dense(8, name="head")(x), name="large")
        >>> [d.aspect for d in small.diff(large)]
        ['units', 'kernel', 'bias']
    """

    def __init__(self, names: tuple[str, str], differences: Sequence[Difference]):
        self.names, self.differences = names, tuple(differences)

    def __len__(self) -> int:
        return len(self.differences)

    @overload
    def __getitem__(self, index: int) -> Difference: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Difference]: ...
    def __getitem__(self, index: int | slice) -> Difference | Sequence[Difference]:
        return self.differences[index]

    def __rich__(self) -> Table | Text:
        """Returns the table for `rich.print`."""
        first, second = map(repr, self.names)
        if not self:
            return Text(f"No differences between {first} and {second}")
        sides = Text(f"model {first}", "red"), Text(f"other {second}", "green")
        table = Table("Layer", "Difference", *map(Column, sides))
        previous = None
        for path, aspect, ours, theirs in self.differences:
            is_new = path != previous
            if previous is not None and is_new:
                table.add_section()
            shown = Text(path) if is_new else Text("")
            table.add_row(shown, Text(aspect), Text(ours, "red"), Text(theirs, "green"))
            previous = path
        return table

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=120, color_system=None, force_jupyter=False)
        console.print(self)
        text: Any = console.file
        return text.getvalue().rstrip()

    def __repr__(self) -> str:
        return f"<ModelDiff of {self.names[0]!r} and {self.names[1]!r}: {len(self)} differences>"

    def _repr_html_(self) -> str:
        console = Console(record=True, file=io.StringIO(), width=120, force_jupyter=False)
        console.print(self)
        return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


def compare_models(model: AnyModel, other: AnyModel, weights: bool = True) -> ModelDiff:
    """Returns the differences between two models.

    Layers are matched by the names that the user gave them, others by their order.

    Args:
        model: A model.
        other: The model to compare it with.
        weights: Whether to compare the values of weights, too.
    """
    comparison = _Comparison(weights)
    differences = list(comparison.compare(model, other, ""))
    return ModelDiff((model.name, other.name), differences)


class _Comparison:
    """The comparison of two models.

    Args:
        weights: Whether to compare the values of weights.
    """

    def __init__(self, weights: bool):
        self.weights = weights
        self.partners: dict[int, Any] = {}  # id(operation of the other model): ours

    def compare(self, ours: Any, theirs: Any, prefix: str) -> Iterator[Difference]:
        """Yields the differences between two models, and those of the models in them."""
        pairs = list(_pair(_operations(ours), _operations(theirs)))
        self.partners.update((id(b), a) for a, b in pairs if a is not None and b is not None)
        nodes = get_node_ids(ours) | get_node_ids(theirs)
        for a, b in pairs:
            if a is None or b is None or class_name(a) != class_name(b):
                name = next(x.name for x in (a, b) if x is not None)
                shown = [_ABSENT if x is None else _describe(x) for x in (a, b)]
                yield Difference(prefix + name, "layer", *shown)
                continue
            path = prefix + a.name
            if a.name != b.name and not (_has_auto_name(a) and _has_auto_name(b)):
                yield Difference(path, "name", a.name, b.name)
            yield from _different(path, _arguments(a), _arguments(b))
            calls = [[n for n in x._inbound_nodes if id(n) in nodes] for x in (a, b)]
            yield from self._compare_wiring(path, "inputs", *calls)
            if get_graph(a) is not None and get_graph(b) is not None:
                yield from self.compare(a, b, f"{path}/")
            else:
                yield from self._compare_weights(path, a, b)
        graphs = get_graph(ours), get_graph(theirs)
        if graphs[0] is not None and graphs[1] is not None:
            for aspect in ("inputs", "outputs"):
                structures = [getattr(g, f"{aspect[:-1]}_structure") for g in graphs]
                yield from self._compare_tensors(prefix[:-1] or ours.name, aspect, *structures)

    def _compare_wiring(
        self, path: str, aspect: str, ours: list[Any], theirs: list[Any]
    ) -> Iterator[Difference]:
        calls = [[(node.args, node.kwargs) for node in nodes] for nodes in (ours, theirs)]
        yield from self._compare_tensors(path, aspect, *calls)

    def _compare_tensors(
        self, path: str, aspect: str, ours: Any, theirs: Any
    ) -> Iterator[Difference]:
        """Yields a difference if nested tensors come from other calls."""
        if repr(_map_tensors(_origin, ours)) != repr(_map_tensors(self._partner_origin, theirs)):
            yield Difference(path, aspect, _show_tensors(ours), _show_tensors(theirs))

    def _partner_origin(self, tensor: KerasTensor) -> str:
        """Returns the origin of a tensor of the other model, by the names of ours."""
        ours = self.partners.get(id(tensor._keras_history.operation))
        return f"other {_origin(tensor)}" if ours is None else _origin(tensor, ours)

    def _compare_weights(self, path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
        a, b = _weights(ours), _weights(theirs)
        if list(map(_spec, a.values())) == list(map(_spec, b.values())):
            b = dict(zip(a, b.values(), strict=True))  # paths depend on who built an inner layer
        for name in dict.fromkeys([*a, *b]):
            mine, other = a.get(name), b.get(name)
            if mine is None or other is None:
                shown = [_ABSENT if v is None else _spec(v) for v in (mine, other)]
                yield Difference(path, name, *shown)
            elif _spec(mine) != _spec(other):
                yield Difference(path, name, _spec(mine), _spec(other))
            elif self.weights and mine is not other:
                values = mine.numpy(), other.numpy()
                if not np.array_equal(*values, equal_nan=True):
                    yield Difference(path, name, *_show_values(*values))


# -------------------------------------------------------------------- layers


def _operations(model: Any) -> list[Any]:
    graph = get_graph(model)
    return list(model.layers if graph is None else graph.operations)


def _pair(ours: list[Any], theirs: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yields pairs of layers in order, with None for one that the other model lacks."""
    named = {op.name: op for op in theirs if not _has_auto_name(op)}
    matched = {id(op): named[op.name] for op in ours if op.name in named and not _has_auto_name(op)}
    taken = {id(op) for op in matched.values()}
    left = [op for op in ours if id(op) not in matched]
    right = [op for op in theirs if id(op) not in taken]
    keys = [[f"{class_name(op)} {_arguments(op)}" for op in ops] for ops in (left, right)]
    extra: list[Any] = []
    for tag, i, j, k, m in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if tag == "equal":
            matched.update((id(a), b) for a, b in zip(left[i:j], right[k:m], strict=True))
            continue
        rest = right[k:m]
        for a in left[i:j]:  # in order, those of one class
            b = next((b for b in rest if class_name(b) == class_name(a)), None)
            if b is not None:
                matched[id(a)] = rest.pop(rest.index(b))
        extra += rest
    yield from ((op, matched.get(id(op))) for op in ours)
    yield from ((None, op) for op in extra)


def _has_auto_name(operation: Any) -> bool:
    """Returns whether the name of a layer is one that it may have got automatically."""
    is_op = isinstance(operation, OpNode)
    base = operation.op.__name__ if is_op else to_snake_case(type(operation).__name__)
    return re.fullmatch(rf"{re.escape(base)}(_\d+)?", operation.name) is not None


def _describe(operation: Any) -> str:
    arguments = [f"{k}={v}" for k, v in _arguments(operation).items() if k in _TELLING]
    return f"{class_name(operation)}({', '.join(arguments)})"


_TELLING = ("units", "filters", "kernel_size", "input_dim", "output_dim", "rate", "batch_shape")


def _arguments(operation: Any) -> dict[str, str]:
    """Returns the arguments of a layer as text, without its name and, for a graph, its layers."""
    if isinstance(operation, OpNode):
        return {}
    try:
        config = operation.get_config()
    except (TypeError, ValueError, NotImplementedError):
        return {}  # a custom layer without a config
    skipped = ("name", *_GRAPH_KEYS) if get_graph(operation) is not None else ("name",)
    return {key: _show(value) for key, value in config.items() if key not in skipped}


def _different(path: str, ours: dict[str, str], theirs: dict[str, str]) -> Iterator[Difference]:
    for key in dict.fromkeys([*ours, *theirs]):
        a, b = ours.get(key, _ABSENT), theirs.get(key, _ABSENT)
        if a != b:
            yield Difference(path, key, a, b)


def _show(value: Any) -> str:
    """Returns a value of a config as it is written in code: `GlorotUniform(seed=3)`."""
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config")
        if not isinstance(config, dict):
            return str(config)
        arguments = (f"{k}={_show(v)}" for k, v in config.items() if v is not None)
        return f"{value['class_name']}({', '.join(arguments)})"
    return repr(value)


# -------------------------------------------------------------------- tensors


def _origin(tensor: KerasTensor, operation: Any = None) -> str:
    """Returns where a tensor comes from: its layer, and the call and output if there are more."""
    history = tensor._keras_history
    calls = [n for n in history.operation._inbound_nodes if not n.is_repeat]
    node = history.operation._inbound_nodes[history.node_index]
    name = (operation or history.operation).name
    call = f":{calls.index(node)}" if len(calls) > 1 and node in calls else ""
    return name + call + (f"[{history.tensor_index}]" if len(node.output_tensors) > 1 else "")


def _map_tensors(function: Any, structure: Any) -> Any:
    return tree.map_structure(lambda x: function(x) if isinstance(x, KerasTensor) else x, structure)


def _show_tensors(structure: Any) -> str:
    """Returns the origins of nested tensors, and the other arguments of calls."""
    if isinstance(structure, list) and structure and isinstance(structure[0], tuple):
        return "; ".join(_show_call(*call) for call in structure) or _ABSENT
    if isinstance(structure, KerasTensor):
        return _origin(structure)
    return str(_map_tensors(_origin, structure)).replace("'", "") if structure else _ABSENT


def _show_call(args: tuple, kwargs: dict[str, Any]) -> str:
    shown = [str(_map_tensors(_origin, x)).replace("'", "") for x in args]
    shown += [f"{k}={_map_tensors(_origin, v)}" for k, v in kwargs.items() if v is not None]
    return ", ".join(shown) or _ABSENT


# -------------------------------------------------------------------- weights


def _weights(layer: Any) -> dict[str, Any]:
    """Returns the weights of a layer by their paths inside it, without automatic numbers."""
    found: dict[str, Any] = {}
    for weight in getattr(layer, "weights", ()):
        path = re.sub(r"_\d+(?=/|$)", "", weight.path.rpartition(f"{layer.name}/")[2])
        found[path if path not in found else f"{path} ({len(found)})"] = weight
    return found


def _spec(variable: Any) -> str:
    return f"{variable.dtype} {tuple(variable.shape)}"


def _show_values(ours: np.ndarray, theirs: np.ndarray) -> tuple[str, str]:
    """Returns the statistics of two arrays that differ, also of complex or infinite numbers."""
    wide = np.complex128 if ours.dtype.kind == "c" else np.longdouble
    a, b = ours.astype(wide), theirs.astype(wide)
    with np.errstate(all="ignore"):
        largest = np.fmax.reduce(np.abs(a - b), axis=None)  # NaN only if there is no number
        shown = [f"mean {x.mean():.3g}, std {x.std():.3g}" for x in (a, b)]
    return shown[0], f"{shown[1]}; largest difference {largest:.3g}"
