"""Binds targets, losses, weights and metrics to the outputs of a model, by name or in order."""

from collections.abc import Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.graph_model import get_graph
from keras_fn.core.name_matching import find_missing, find_unexpected, select_by_name
from keras_fn.errors import SpecError


class OutputBinder:
    """Binds values to the outputs of a model, flat and in the order of their declaration.

    Args:
        source: The model, for errors.
        names: The name of each output.
        layer_names: The names of the layers that compute them: an alternative to `names`.
        structure: The specs of the outputs, nested.
    """

    def __init__(
        self, source: str, names: Sequence[str], layer_names: Sequence[str], structure: Any
    ):
        self.source, self.names, self.structure = source, list(names), structure
        self.layer_names = list(layer_names)

    def __len__(self) -> int:
        return len(self.names)

    def bind(self, values: Any, kind: str, fill: bool = False) -> list[Any]:
        """Returns a list of values, one for each output.

        Args:
            values: One for all, a list in the order of the outputs, or a dict by name.
            kind: The kind of values, in the plural, for errors.
            fill: Whether the value of outputs without a key is None.

        Raises:
            SpecError: A key is unknown or missing, or the number differs.
        """
        if isinstance(values, dict):
            return self._by_name(values, kind, fill)
        if isinstance(values, (list, tuple)) and (len(self) > 1 or len(values) == 1):
            flat = list(values) if len(values) == len(self) else tree.flatten(values)
            if len(flat) != len(self):
                raise SpecError(
                    self.source,
                    expected=f"{kind} for {len(self)} outputs: {', '.join(self.names)}",
                    received=f"{len(flat)}",
                    fix="one for each, as a list in this order, or a dict",
                )
            return flat
        return [values] * len(self)

    def _by_name(self, values: dict[str, Any], kind: str, fill: bool) -> list[Any]:
        for names in (self.names, self.layer_names):
            is_ambiguous = len(set(names)) < len(names)  # a layer that computes several outputs
            if is_ambiguous and not fill:
                continue
            bound = select_by_name(values, names, [fill] * len(names))
            if bound is not None:
                return bound
        unknown = [str(key) for key in find_unexpected(values, self.names)]
        missing = find_missing(values, self.names)
        advice = [f"drop or rename {', '.join(unknown)}"] * bool(unknown)
        advice += [f"add {', '.join(missing)}"] * bool(missing and not fill)
        raise SpecError(
            self.source,
            expected=f"{kind} for the outputs {', '.join(self.names)}",
            received=f"{kind} for {', '.join(map(str, values))}",
            fix="; ".join(advice),
        )


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
