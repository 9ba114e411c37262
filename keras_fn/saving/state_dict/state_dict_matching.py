"""Which tensors of a state dict belong to which weights of a model."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.variable import Variable
from keras_fn.layers.layer import Layer
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.saving.hdf5.datatypes import can_read_as
from keras_fn.saving.state_dict.load_report import (
    LoadReport,
    Match,
    ShapeDifference,
)
from keras_fn.saving.state_dict.state_dict_layouts import (
    Candidate,
    is_a,
    list_candidates,
)
from keras_fn.saving.state_dict.state_dict_sources import TensorSource
from keras_fn.saving.variable_paths import Saveable, join, walk_saveables
from keras_fn.types import AnyModel

Names = Callable[[str], Sequence[str]]
"""Returns the names that the module of a layer may have, for the path of the layer."""

Tensors = Mapping[str, tuple[str, TensorSource]]
"""The old name of each tensor, and the tensor, by its new name."""

_MAX_TRIALS = 50_000  # of a layer and a module, for suggestions
_MAX_PARTS = 3  # weights in a tensor: the query, key and value of an attention layer
_WHOLE_MODULES = ("MultiHeadAttention", "Bidirectional", "RNN")  # with the layers in them


class Target(NamedTuple):
    """A weight of the model, with the layer that it is in.

    Attributes:
        path: Its path.
        variable: The weight.
        saveable: The layer.
        candidates: Returns what its value could be made of.
        names: The names that the modules of layers have by default.
        unit: The path of the layer that is a module as a whole: of an LSTM, not of its cell.
    """

    path: str
    variable: Variable
    saveable: Saveable
    candidates: Callable[[Names], Iterable[Candidate]]
    names: Names
    unit: str

    def describe(self) -> str:
        """Returns the shape and dtype, for messages."""
        return f"{self.variable.shape} {self.variable.dtype}"


class Pair(NamedTuple):
    """A weight, and the tensors that its value is made of."""

    target: Target
    candidate: Candidate
    sources: Sequence[TensorSource]

    def fits(self) -> bool:
        """Returns whether the value has the shape of the weight, and a dtype of its kind."""
        shape, dtype = self.target.variable.shape, numpy_dtype(self.target.variable.dtype)
        # A view in a file can be of any size without memory: nothing is computed from a large one.
        if any(math.prod(source.shape) > _MAX_PARTS * math.prod(shape) for source in self.sources):
            return False
        if not all(can_read_as(source.dtype, dtype) for source in self.sources):
            return False
        try:
            empty = [np.broadcast_to(np.zeros((), s.dtype), s.shape) for s in self.sources]
            value = self.candidate.layout.convert(empty, shape)
        except (ValueError, IndexError):  # of NumPy, about the shapes
            return False
        return value.shape == shape

    def read(self) -> np.ndarray:
        """Returns the value, as an array that no one else holds."""
        arrays = [source.read() for source in self.sources]
        value = self.candidate.layout.convert(arrays, self.target.variable.shape)
        return np.array(value, numpy_dtype(self.target.variable.dtype), order="C", copy=None)

    def difference(self) -> ShapeDifference:
        """Returns what the report says of a pair that does not fit."""
        received = " + ".join(f"{source.shape} {source.dtype.name}" for source in self.sources)
        return ShapeDifference(
            self.target.path, self.candidate.tensors, self.target.describe(), received
        )


def list_targets(model: AnyModel) -> list[Target]:
    """Returns the weights of a model in the order of its layers."""
    saveables = [s for s in walk_saveables(model) if not isinstance(s.owner, Optimizer)]
    owners = {saveable.path: saveable.owner for saveable in saveables}
    places = _places(saveables)
    scopes = {s.path: _scopes(s, model, places) for s in saveables}
    targets, seen = [], set()
    for saveable in saveables:
        for variable in saveable.owner._file_variables():
            if id(variable) not in seen:
                seen.add(id(variable))
                find = partial(list_candidates, saveable, variable, owners)
                unit = _unit(saveable.path, owners)
                names = scopes.__getitem__
                targets.append(Target(variable.path, variable, saveable, find, names, unit))
    return targets


def _unit(path: str, owners: Mapping[str, Any]) -> str:
    parts = path.split("/")
    outer = ("/".join(parts[:i]) for i in range(1, len(parts)))
    return next((p for p in outer if is_a(owners.get(p), *_WHOLE_MODULES)), path)


def _scopes(saveable: Saveable, model: AnyModel, places: Mapping[int, str]) -> list[str]:
    """Returns the names that the module of a layer may have: its path, its place in the model."""
    owner = saveable.owner
    path = getattr(owner, "path", None) or owner.name
    short = path.removeprefix(f"{model.name}/")
    place = places.get(id(owner), saveable.path)
    return list(dict.fromkeys((short, path, place, saveable.path)))


def _places(saveables: Sequence[Saveable]) -> dict[int, str]:
    """Returns the places of layers in a model as PyTorch names them, by identity.

    A place is made of attributes, and of indices or keys in lists and dictionaries.
    """
    places: dict[int, str] = {}
    for saveable in saveables:
        outer = places.get(id(saveable.owner), saveable.path)
        for name, value in vars(saveable.owner).items():
            if name.startswith("_"):
                continue
            place = join(outer, name)
            if isinstance(value, Layer):
                places.setdefault(id(value), place)
            elif isinstance(value, (list, tuple, dict)):
                items = value.items() if isinstance(value, dict) else enumerate(value)
                for key, item in items:
                    if isinstance(item, Layer):
                        places.setdefault(id(item), f"{place}/{key}")
    return places


def match(targets: Sequence[Target], tensors: Tensors) -> tuple[list[Pair], LoadReport]:
    """Returns the weights with their tensors, and the report about all.

    Args:
        targets: The weights.
        tensors: The tensors.
    """
    pairs, missing, different = [], [], []
    used: dict[str, str] = {}
    for target in targets:
        found = find_pair(target, target.names, tensors, used)
        if found is None:
            missing.append(target.path)
            continue
        used.update(dict.fromkeys(found.candidate.tensors, target.unit))
        old = tuple(tensors[name][0] for name in found.candidate.tensors)
        found = found._replace(candidate=found.candidate._replace(tensors=old))
        if found.fits():
            pairs.append(found)
        else:
            different.append(found.difference())
    matches = [Match(p.target.path, p.candidate.tensors, p.candidate.layout.change) for p in pairs]
    unexpected = tuple(old for new, (old, _) in tensors.items() if new not in used)
    return pairs, LoadReport(tuple(matches), tuple(missing), unexpected, tuple(different))


def find_pair(
    target: Target,
    names: Names,
    tensors: Tensors,
    used: Mapping[str, str],
) -> Pair | None:
    """Returns the first candidate of which all tensors are there and not of another layer.

    Args:
        target: The weight.
        names: The names that the module of its layer may have.
        tensors: The tensors.
        used: By the names of tensors that are taken, the layer that has them.
    """

    def is_free(name: str) -> bool:
        return name in tensors and used.get(name, target.unit) == target.unit

    for candidate in target.candidates(names):
        if all(map(is_free, candidate.tensors)):
            return Pair(target, candidate, [tensors[name][1] for name in candidate.tensors])
    return None


# ---------------------------------------------------------------- suggestions


def suggest(targets: Sequence[Target], report: LoadReport, tensors: Tensors) -> dict[str, str]:
    """Returns the modules that would fit layers without tensors, with the names of these layers.

    A module is suggested for a layer if it fits no other one, and no other module fits the layer;
    or if as many modules as layers are left, and they fit in their order.

    Args:
        targets: The weights.
        report: The report about them.
        tensors: The tensors.
    """
    unexpected = set(report.unexpected)
    left = {new: pair for new, pair in tensors.items() if pair[0] in unexpected}
    units: dict[str, list[Target]] = {}
    for target in targets:
        units.setdefault(target.unit, []).append(target)
    missing = set(report.missing)
    units = {u: ts for u, ts in units.items() if all(t.path in missing for t in ts)}
    starts = (name.split("/")[:-1] for name in left)
    ends = ("/".join(parts[:i]) for parts in starts for i in range(len(parts), 0, -1))
    modules = list(dict.fromkeys(ends))
    if len(units) * len(modules) > _MAX_TRIALS:
        return {}
    possible = {u: [m for m in modules if _is_module_of(m, u, ts, left)] for u, ts in units.items()}
    chosen = _choose(possible, modules)
    old_names = {module: _old_name(module, left) for module in chosen.values()}
    return {old_names[module]: units[unit][0].names(unit)[0] for unit, module in chosen.items()}


def _is_module_of(module: str, unit: str, targets: Sequence[Target], tensors: Tensors) -> bool:
    """Returns whether the tensors of a module are those of all weights of a layer."""
    used: set[str] = set()
    for target in targets:
        pair = find_pair(target, lambda path: [module] if path == unit else [], tensors, {})
        if pair is None or not pair.fits():
            return False
        used.update(pair.candidate.tensors)
    return used == {name for name in tensors if name.startswith(f"{module}/")}


def _choose(possible: dict[str, list[str]], modules: Sequence[str]) -> dict[str, str]:
    """Returns the module of each layer for which there is only one possibility."""
    chosen: dict[str, str] = {}
    while True:
        left = {u: [m for m in ms if m not in chosen.values()] for u, ms in possible.items()}
        left = {unit: fitting for unit, fitting in left.items() if unit not in chosen}
        everywhere = [module for fitting in left.values() for module in fitting]
        sure = {u: m[0] for u, m in left.items() if len(m) == 1 and everywhere.count(m[0]) == 1}
        if not sure:
            break
        chosen |= sure
    rest = [module for module in modules if module in set(everywhere)]
    if len(rest) == len(left) and all(m in left[u] for u, m in zip(left, rest, strict=True)):
        chosen |= dict(zip(left, rest, strict=True))
    return chosen


def _old_name(module: str, tensors: Tensors) -> str:
    """Returns the name of a module before it was renamed."""
    new = next(name for name in tensors if name.startswith(f"{module}/"))
    old = tensors[new][0]
    return old[: len(old) - (len(new) - len(module))]
