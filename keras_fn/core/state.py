"""What holds variables without being a layer: seed generators and metrics."""

from typing import Any


class StateHolder:
    """Base of objects that a layer tracks by kind.

    Attributes:
        kind: `"seed"` or `"metric"`.
    """

    kind = ""

    @property
    def variables(self) -> list[Any]:
        """The variables of the object."""
        return []
