"""Binds targets, losses, weights and metrics to the outputs of a model, by name or in order."""

from collections.abc import Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.graph_model import get_graph
from keras_fn.core.name_matching import find_missing, find_unexpected
from keras_fn.errors import SpecError

Bound = tuple[Any, Any]
"""Indices of outputs (one, or a part of the nested outputs), and the value for them."""


class OutputBinder:
    """Binds values to the outputs of a model, in the order of their declaration.

    Args:
        source: The model, for errors.
        names: The name of each output.
        layer_names: The names of the layers that compute them: an alternative to `names`.
        structure: The specs of the outputs, nested.

    Attributes:
        indices: The index of each output, nested like the outputs.
    """

    def __init__(
        self, source: str, names: Sequence[str], layer_names: Sequence[str], structure: Any
    ):
        self.source, self.names, self.structure = source, list(names), structure
        self.layer_names = list(layer_names)
        self.indices = tree.unflatten(structure, range(len(self.names)))
        self._is_flat = all(len(path) <= 1 for path in tree.paths(structure))

    def __len__(self) -> int:
        return len(self.names)

    def bind(self, values: Any, kind: str, fill: bool = False) -> list[Any]:
        """Returns a list of values, one for each output.

        Args:
            values: One for all, a list in the order of the outputs, a dict by name, or nested like
                the outputs.
            kind: The kind of values, in the plural, for errors.
            fill: Whether the value of outputs without a key is None.

        Raises:
            SpecError: A key is unknown or missing, or the number differs.
        """
        is_list = isinstance(values, (list, tuple))
        if values is None or not (is_list or isinstance(values, dict)):
            return [values] * len(self)
        if is_list and self._is_flat and len(values) == len(self) > 1:
            return list(values)
        bound: dict[int, Any] = {}
        for part, value in self.match(values, kind, several=False):
            bound.update(dict.fromkeys(tree.flatten(part), value))
        if isinstance(values, dict) and not fill and len(bound) < len(self):
            raise self._name_error(
                values, kind, [n for i, n in enumerate(self.names) if i in bound]
            )
        return [bound.get(i) for i in range(len(self))]

    def match(self, values: Any, kind: str, several: bool) -> list[Bound]:
        """Returns pairs of outputs and their values.

        Args:
            values: A value for all outputs; or a list, a tuple or a dict of values, nested like the
                outputs up to where it ends.
            kind: The kind of values, in the plural, for errors.
            several: Whether an output may have several values, in a list. Else a list that is met
                there is the value. A list for nested outputs that holds something nested like them
                has several values for their whole, too.

        Returns:
            A list of `(indices, value)`. The indices are one of an output, or those of a part of
            the nested outputs that has one value.

        Raises:
            SpecError: A key is unknown, or the number differs.
        """
        is_list = isinstance(values, (list, tuple))
        if len(self) == 1 and is_list and (several or len(values) == 1):
            values = values if several else tree.flatten(values)
            if not several and len(values) != 1:
                raise self._count_error(kind, len(values))
            return self._match(values if several else values[0], 0, kind, several)
        if len(self) == 1 and not isinstance(values, dict):
            return [(0, values)]
        return self._match(values, self.indices, kind, several)

    def _match(self, values: Any, part: Any, kind: str, several: bool) -> list[Bound]:
        if _is_dict(values):
            pairs = self._match_names(values, part, kind)
        elif not isinstance(values, (list, tuple)):
            return [(part, values)]
        elif tree.is_nested(part) and not (several and _is_list_for_whole(values, part)):
            pairs = self._match_in_order(values, part, kind)
        else:
            if not several:
                return [(part, values)]
            part = tree.map_structure(lambda index: index, part)  # not `indices`: it is explicit
            pairs = [(part, value) for value in values]
        return [
            bound for inner, value in pairs for bound in self._match(value, inner, kind, several)
        ]

    def _match_names(self, values: dict[Any, Any], part: Any, kind: str) -> list[Bound]:
        """Returns pairs for a dict by the keys of the outputs, or by the names of some of them."""
        if isinstance(part, dict) and not find_unexpected(values, list(part)):
            return [(part[key], values[key]) for key in part if key in values]
        inside = tree.flatten(part)
        for names in (self.names, self.layer_names):
            if not find_unexpected(values, [names[i] for i in inside]):
                return [(i, values[names[i]]) for i in inside if names[i] in values]
        raise self._name_error(values, kind, values)

    def _match_in_order(self, values: Sequence[Any], part: Any, kind: str) -> list[Bound]:
        """Returns pairs for a list: of the parts of nested outputs, or of all outputs in them."""
        children = list(part.values()) if isinstance(part, dict) else list(part)
        inside = tree.flatten(part)
        for targets, found in (
            (children, values),
            (inside, values),
            (inside, tree.flatten(values)),
        ):
            if len(targets) == len(found):
                return list(zip(targets, found, strict=True))
        raise self._count_error(kind, len(tree.flatten(values)))

    def label(self, part: Any) -> str:
        """Returns the name under which the loss of an output, or of a part of them, is reported."""
        paths = tree.paths(self.structure)
        if not tree.is_nested(part):
            path = paths[part]
            last = path[-1] if path and isinstance(path[-1], str) else self.names[part]
            return "/".join(map(str, (*path[:-1], last)))
        inside, common = tree.flatten(part), []
        for keys in zip(*(paths[i] for i in inside), strict=False):
            if len(set(keys)) > 1:
                break
            common.append(str(keys[0]))
        return "/".join(common) or "_".join(self.names[i] for i in inside)

    def _count_error(self, kind: str, count: int) -> SpecError:
        return SpecError(
            self.source,
            expected=f"{kind} for {len(self)} outputs: {', '.join(self.names)}",
            received=f"{count}",
            fix="one for each, as a list in this order, or a dict",
        )

    def _name_error(self, values: dict[Any, Any], kind: str, found: Any) -> SpecError:
        keys = list(self.structure) if isinstance(self.structure, dict) else []
        unknown = [str(key) for key in find_unexpected(values, [*self.names, *keys])]
        missing = find_missing(found, self.names) if not unknown else []
        advice = [f"drop or rename {', '.join(unknown)}"] * bool(unknown)
        advice += [f"add {', '.join(missing)}"] * bool(missing)
        return SpecError(
            self.source,
            expected=f"{kind} for the outputs {', '.join(self.names)}",
            received=f"{kind} for {', '.join(map(str, values))}",
            fix="; ".join(advice) or "name each output once",
        )


def _is_list_for_whole(values: Sequence[Any], part: Any) -> bool:
    """Returns whether a list for nested outputs has values for their whole, not one for each.

    Args:
        values: A list or a tuple, of another type than the nested outputs if it is for their whole;
            one of the values is nested like them.
        part: The indices of the outputs, nested like them.
    """
    kind = dict if isinstance(part, dict) else type(part)
    return not isinstance(part, type(values)) and any(isinstance(value, kind) for value in values)


def _is_dict(values: Any) -> bool:
    """Returns whether a value is a dict by name, rather than the config of an object."""
    return isinstance(values, dict) and "class_name" not in values


def make_output_binder(model: Any, y_pred: Any) -> OutputBinder:
    """Returns the binder for the outputs of a model.

    Args:
        model: The model.
        y_pred: The specs of its outputs, nested.
    """
    source = f"{type(model).__name__} model {model.name!r}"
    count = len(tree.flatten(y_pred))
    if get_graph(model) is not None and len(model.output_names) == count:
        layer_names = [t._keras_history.operation.name for t in model.outputs]
        return OutputBinder(source, model.output_names, layer_names, y_pred)
    if isinstance(y_pred, dict) and len(y_pred) == count:
        names = [str(key) for key in y_pred]
    else:
        names = [f"output_{i}" for i in range(count)] if count > 1 else ["output"]
    return OutputBinder(source, names, names, y_pred)
