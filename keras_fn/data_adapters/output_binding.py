"""Binds targets, losses, weights and metrics to the outputs of a model: by name, or in order."""

from collections.abc import Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.errors import SpecError


class Outputs:
    """The outputs of a model, flat, in the order in which they were declared.

    Args:
        who: The model, for errors.
        names: A name for each output.
        layer_names: The names of the layers that give them, which may stand in their place.
        structure: The outputs, nested.
    """

    def __init__(
        self, source: str, names: Sequence[str], layer_names: Sequence[str], structure: Any
    ):
        self.source, self.names, self.structure = source, list(names), structure
        self.layer_names = list(layer_names)

    def __len__(self) -> int:
        return len(self.names)

    def bind(self, values: Any, what: str, fill: bool = False) -> list[Any]:
        """Returns what `values` holds for each output.

        Args:
            values: One for all, a list in the order of the outputs, or a dict by name.
            what: What it is, for errors.
            fill: Whether outputs without a key get None.

        Raises:
            SpecError: A key is unknown or missing, or the number differs.
        """
        if isinstance(values, dict):
            return self._by_name(values, what, fill)
        if isinstance(values, (list, tuple)) and (len(self) > 1 or len(values) == 1):
            flat = list(values) if len(values) == len(self) else tree.flatten(values)
            if len(flat) != len(self):
                raise SpecError(
                    self.source,
                    expected=f"{what} for {len(self)} outputs: {', '.join(self.names)}",
                    received=f"{len(flat)}",
                    fix="one for each, as a list in this order, or a dict",
                )
            return flat
        return [values] * len(self)

    def _by_name(self, values: dict[str, Any], what: str, fill: bool) -> list[Any]:
        for names in (self.names, self.layer_names):
            if all(key in names for key in values) and (fill or len(values) == len(names)):
                return [values.get(name) for name in names]
        unexpected = [str(key) for key in values if key not in self.names]
        missing = [name for name in self.names if name not in values]
        advice = [f"drop or rename {', '.join(unexpected)}"] * bool(unexpected)
        advice += [f"add {', '.join(missing)}"] * bool(missing and not fill)
        raise SpecError(
            self.source,
            expected=f"{what} for the outputs {', '.join(self.names)}",
            received=f"{what} for {', '.join(map(str, values))}",
            fix="; ".join(advice),
        )


def outputs_of(model: Any, y_pred: Any) -> Outputs:
    """Returns the outputs of a model, from what a call of it gives."""
    source = f"{type(model).__name__} model {model.name!r}"
    count = len(tree.flatten(y_pred))
    if hasattr(model, "output_names"):
        names = model.output_names
        layers = [t._keras_history.operation.name for t in model.outputs]
        if len(names) == count:
            return Outputs(source, names, layers, y_pred)
    if isinstance(y_pred, dict) and len(y_pred) == count:
        names = [str(key) for key in y_pred]
    else:
        names = [f"output_{i}" for i in range(count)] if count > 1 else ["output"]
    return Outputs(source, names, names, y_pred)
