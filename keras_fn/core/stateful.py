"""What holds variables without being a layer: seed generators, metrics, recurrent states."""

from typing import Any


class StateHolder:
    """Base of objects that a layer tracks by kind.

    Attributes:
        kind: `"seed"`, `"metric"` or `"state"`.
    """

    kind = ""

    @property
    def variables(self) -> list[Any]:
        """The variables of the object."""
        return []
