"""Which weight of a legacy file belongs to which variable: by the names that the file has.

Keras writes the weights of a layer with the trainable ones first and reads them in that order, so
that a file of a partly frozen model does not fit a model that is frozen otherwise. The names in the
file do not depend on that. They can differ from those of the model where names are automatic
(`dense_3` for `dense`): then the weights are matched by what the names have in common.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from keras_fn.core.variable import Variable
from keras_fn.saving.errors import ModelFileError, sanitize_for_display

_NUMBERED = re.compile(r"(.*?)(?:_(\d{1,9}))?")
_SUFFIX = re.compile(r":\d+$")  # Keras 2 wrote "dense/kernel:0"

Pairs = list[tuple[Variable, str]]
"""Variables, each with the name of a weight in the file."""


class Candidates(NamedTuple):
    """The weights of a layer: in a file and in the model.

    Attributes:
        saved: The names in the file, in its order.
        variables: The variables of the layer, the trainable ones first, as Keras orders them.
        names: The names of the variables by identity, as `unique_names` returns them.
        fits: Whether the weight of a name has the shape of a variable.
        order: The position of each layer in the config of the file; empty without a config.
    """

    saved: Sequence[str]
    variables: Sequence[Variable]
    names: Mapping[int, str]
    fits: Callable[[str, Variable], bool]
    order: Mapping[str, int]


def unique_names(variables: Sequence[Variable]) -> dict[int, str]:
    """Returns a name for each variable, by identity: its path, numbered where paths are equal.

    Args:
        variables: The variables in an order that does not depend on which are trainable.
    """
    names: dict[int, str] = {}
    used: set[str] = set()
    for variable in variables:
        name, count = variable.path, 0
        while name in used:
            count += 1
            name = f"{variable.path}_{count}"
        used.add(name)
        names[id(variable)] = name
    return names


def layer_order(config: Any) -> dict[str, int]:
    """Returns the position of each layer in the config of a model, at any depth, by name.

    Args:
        config: The config of a model; anything else has no layers.
    """
    return {name: i for i, name in enumerate(dict.fromkeys(_layer_names(config)))}


def _layer_names(entry: Any) -> Iterator[str]:
    config = entry.get("config") if isinstance(entry, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config  # a list in Keras 1
    for layer in layers if isinstance(layers, list) else ():
        inner = layer.get("config") if isinstance(layer, dict) else None
        name = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(name, str):
            yield name
        yield from _layer_names(layer)


def match_by_name(weights: Candidates) -> Pairs | None:
    """Returns the pairs if the file has exactly the names of the variables, else None.

    Args:
        weights: The weights of a layer.
    """
    by_name = {_SUFFIX.sub("", name): name for name in weights.saved}
    names = [weights.names[id(v)] for v in weights.variables]
    if len(by_name) != len(weights.saved) or by_name.keys() != set(names):
        return None
    return [(v, by_name[name]) for v, name in zip(weights.variables, names, strict=True)]


def common_pairs(weights: Candidates) -> Pairs:
    """Returns the pairs of the layers inside whose weights the file has under the same names.

    Args:
        weights: The weights of a layer.
    """
    saved, own = _by_owner(weights)
    shared = [owner for owner in own if saved.get(owner, {}).keys() == own[owner].keys()]
    return [(v, saved[owner][last]) for owner in shared for last, v in own[owner].items()]


def match_slots(weights: Candidates) -> Pairs | None:
    """Returns the pairs of an optimizer of Keras 2; None if its weights are not named as there.

    Keras 2 has no variable for the learning rate. The moments of `dense/kernel` are named
    `Adam/m/dense/kernel:0`, or `Adam/dense/kernel/m:0` before Keras 2.11, where all first moments
    are in front of all second ones.

    Args:
        weights: The variables of an optimizer.
    """
    saved = list(weights.saved)
    if not saved or not saved[0].endswith(("iteration:0", "iter:0")):
        return None
    position = 1 if saved[0].endswith("iteration:0") else -1
    variables = [v for v in weights.variables if not v.name.endswith("learning_rate")]
    in_file: dict[str, list[str]] = {}
    for name in saved[1:]:
        parts = name.removesuffix(":0").split("/")
        in_file.setdefault(parts[min(position, len(parts) - 1)], []).append(name)
    in_model: dict[str, list[Variable]] = {}
    for variable in variables[1:]:
        in_model.setdefault(variable.name.rpartition("_")[2], []).append(variable)
    if [*map(len, in_file.values())] != [*map(len, in_model.values())]:
        return None
    slots = zip(in_model.values(), in_file.values(), strict=True)
    pairs = [pair for ours, theirs in slots for pair in zip(ours, theirs, strict=True)]
    return [(variables[0], saved[0]), *pairs]


def match_in_order(weights: Candidates) -> Pairs:
    """Returns the pairs by name or, if the file has other names, by the order of both.

    Args:
        weights: The variables of an optimizer.

    Raises:
        ModelFileError: The order is another one for a name that both have.
    """
    exact = match_by_name(weights)
    if exact is not None:
        return exact
    pairs = list(zip(weights.variables, weights.saved, strict=True))
    own = set(weights.names.values())
    if any("/".join(_parts(name)) in own - {weights.names[id(v)]} for v, name in pairs):
        raise _ambiguous_error(weights)
    return pairs


def match(weights: Candidates) -> Pairs:
    """Returns each variable of a layer with the name of its weight in the file.

    Args:
        weights: The weights of a layer, as many in the file as in the model.

    Raises:
        ModelFileError: The names differ, and say something else than the order does.
    """
    exact = match_by_name(weights)
    if exact is not None:
        return exact
    found = [f(weights) for f in (_match_by_number, _match_by_position)]
    matches = [pairs for pairs in found if pairs is not None]
    fitting = [pairs for pairs in matches if all(weights.fits(name, v) for v, name in pairs)]
    matches = fitting or matches
    if not matches:
        return _match_by_order(weights)
    if len(matches) == 2 and matches[0] != matches[1] and not _is_ordered_by_config(weights):
        raise _ambiguous_error(weights)
    return matches[0]


def _is_ordered_by_config(weights: Candidates) -> bool:
    """Returns whether the config of the file says which of the layers inside is first."""
    owners = {_parts(name)[:-1] for name in weights.saved}
    return len({_position(owner, weights.order) for owner in owners}) == len(owners)


def _match_by_number(weights: Candidates) -> Pairs | None:
    """Matches names that differ in their automatic numbers: `dense_3`, `dense_4` with `dense`,
    `dense_1`. The lowest number is the first, in the order of the config if there is one.
    """
    own = {id(v): tuple(weights.names[id(v)].split("/")) for v in weights.variables}
    in_order = (part for key in weights.names for part in own.get(key, ()))
    position = {part: i for i, part in enumerate(dict.fromkeys(in_order))} if weights.order else {}
    own_keys = _without_numbers(own, position)
    saved_keys = _without_numbers({name: _parts(name) for name in weights.saved}, weights.order)
    by_key = {key: name for name, key in saved_keys.items()}
    if len(by_key) != len(own) or by_key.keys() != set(own_keys.values()):
        return None
    return [(v, by_key[own_keys[id(v)]]) for v in weights.variables]


def _without_numbers(
    paths: Mapping[Any, tuple[str, ...]], order: Mapping[str, int]
) -> dict[Any, tuple[Any, ...]]:
    """Returns the paths with each number replaced by its rank among the parts next to it."""
    shared = _common_prefix(list(paths.values()))
    siblings: dict[Any, set[str]] = {}
    for path in paths.values():
        for i in range(shared, len(path)):
            siblings.setdefault((path[:i], _split_number(path[i])[0]), set()).add(path[i])
    ranks: dict[Any, tuple[str, int]] = {}
    for (parent, base), parts in siblings.items():
        ranked = sorted(parts, key=lambda part: (order.get(part, -1), _split_number(part)[1]))
        ranks.update(((*parent, part), (base, rank)) for rank, part in enumerate(ranked))
    return {
        key: tuple(ranks[path[: i + 1]] for i in range(shared, len(path)))
        for key, path in paths.items()
    }


def _common_prefix(paths: list[tuple[str, ...]]) -> int:
    """Returns how many parts all paths begin with, without the last part of any."""
    shortest = min((len(path) for path in paths), default=1) - 1
    return next((i for i in range(shortest) if len({path[i] for path in paths}) > 1), shortest)


def _parts(name: str) -> tuple[str, ...]:
    """Returns the parts of the path of a weight in a file."""
    return tuple(_SUFFIX.sub("", name).split("/"))


def _split_number(part: str) -> tuple[str, int]:
    base, number = _NUMBERED.fullmatch(part).groups()  # type: ignore[union-attr]
    return base, -1 if number is None else int(number)


def _match_by_position(weights: Candidates) -> Pairs | None:
    """Matches the layers inside by their order, and the weights of each by their names."""
    saved, own = _by_owner(weights)
    owners = sorted(saved, key=lambda owner: _position(owner, weights.order))
    if [saved[o].keys() for o in owners] != [group.keys() for group in own.values()]:
        return None
    names: dict[int, str] = {}
    for owner, group in zip(owners, own.values(), strict=True):
        names.update((id(v), saved[owner][last]) for last, v in group.items())
    return [(v, names[id(v)]) for v in weights.variables]


def _by_owner(
    weights: Candidates,
) -> tuple[dict[tuple[str, ...], dict[str, str]], dict[tuple[str, ...], dict[str, Variable]]]:
    """Returns the weights of each layer inside by their own names: in the file, in the model."""
    saved: dict[tuple[str, ...], dict[str, str]] = {}
    own: dict[tuple[str, ...], dict[str, Variable]] = {}
    for name in weights.saved:
        *owner, last = _parts(name)
        saved.setdefault(tuple(owner), {})[last] = name
    variables = {id(v): v for v in weights.variables}
    for key in weights.names if weights.order else variables:
        if key in variables:
            *owner, last = weights.names[key].split("/")
            own.setdefault(tuple(owner), {})[last] = variables[key]
    return saved, own


def _position(owner: tuple[str, ...], order: Mapping[str, int]) -> int:
    """Returns the position in the config of the innermost layer that it has."""
    return next((order[part] for part in reversed(owner) if part in order), -1)


def _match_by_order(weights: Candidates) -> Pairs:
    """Matches unrelated names by their order, as Keras does, unless the last parts contradict."""
    pairs = list(zip(weights.variables, weights.saved, strict=True))
    lasts = [(weights.names[id(v)].rpartition("/")[2], _parts(name)[-1]) for v, name in pairs]
    if sorted(a for a, _ in lasts) == sorted(b for _, b in lasts) and any(a != b for a, b in lasts):
        raise _ambiguous_error(weights)
    return pairs


def _ambiguous_error(weights: Candidates) -> ModelFileError:
    listed = ", ".join(weights.names[id(v)] for v in weights.variables[:8])
    return ModelFileError(
        "the names of the weights are others than the model's, and their order is another one too, "
        "as that of a file whose layers were frozen",
        expected=listed,
        received=", ".join(sanitize_for_display(name, 60) for name in weights.saved[:8]),
        fix="give the layers the names that are in the file, or load the model with load_model",
    )
