"""Stateful objects that are not layers: seed generators, metrics, recurrent states."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_fn.core.variable import Variable


class StatefulObject:
    """Base of objects with variables that a layer tracks as part of its state.

    Attributes:
        kind: `"seed"`, `"metric"` or `"state"`.
    """

    kind = ""

    @property
    def variables(self) -> "list[Variable]":
        """The variables of the object."""
        return []
