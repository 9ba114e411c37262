"""Calls of a layer as a pure function of its variables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.types import TensorLike

if TYPE_CHECKING:
    from keras_fn.layers.layer import Layer


class StatelessCallMixin:
    """The method `stateless_call` of `Layer`."""

    def stateless_call(
        self,
        trainable_variables: Sequence[TensorLike],
        non_trainable_variables: Sequence[TensorLike],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls the layer as a pure function of its variables.

        Args:
            trainable_variables: The values of `self.trainable_variables`.
            non_trainable_variables: The values of `self.non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether to return the losses too.
            **kwargs: Keyword arguments of the call.

        Returns:
            `(outputs, non_trainable_variables)`, the latter as updated by the call; with
            `return_losses`, `(outputs, non_trainable_variables, losses)`.

        Raises:
            ValueError: The layer is not built, or the number of values differs.
        """
        layer = cast("Layer", self)
        if not layer.built:
            raise SpecError(
                f"{layer._label} has no weights yet, so stateless_call cannot take their values",
                expected="a layer that is built",
                received="a layer that is not built",
                fix="call the layer once, or call build(input_shape)",
            )
        train, rest = layer.trainable_variables, layer.non_trainable_variables
        assignments = [
            *_match_values(layer._label, "trainable_variables", train, trainable_variables),
            *_match_values(layer._label, "non_trainable_variables", rest, non_trainable_variables),
        ]
        with StatelessScope(assignments, collect_losses=return_losses) as scope:
            outputs = layer(*args, **kwargs)
            losses = layer.losses if return_losses else []
        layer._clear_losses()
        updated = [scope.get_current_value(v) for v in rest]
        return (outputs, updated, losses) if return_losses else (outputs, updated)


def _match_values(
    label: str, name: str, variables: list[Variable], values: Sequence[TensorLike]
) -> list[tuple[Variable, Any]]:
    values = list(values)
    if len(values) != len(variables):
        raise SpecError(
            f"{label}, in stateless_call",
            expected=f"a value for each of its {len(variables)} {name}",
            received=f"{len(values)} values",
            fix=f"pass [v.value for v in layer.{name}] with your changes",
        )
    return list(zip(variables, values, strict=True))
