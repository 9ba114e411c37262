"""What backends do to functions of tensors, beside the functions of variables in the contract.

`leaves` are the tensors that a function takes, flat; it takes them as one list and returns a list.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

Tensor = Any


class Transformations(Protocol):
    """Part of `Backend.ops`. All arguments come by position."""

    def custom_gradient(
        self,
        function: Callable[..., tuple[Any, Callable[..., Any]]],
        leaves: Sequence[Tensor],
        /,
    ) -> list[Tensor]:
        """Results of `function(leaves) -> (results, pull)`, whose gradients `pull` gives."""
        ...

    def jvp(
        self, function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool, /
    ) -> tuple[Any, ...]:
        """Results, their derivative along the tangents, and with `has_aux` what else there is."""
        ...

    def remat(self, function: Callable[..., Any], leaves: Sequence[Tensor], /) -> list[Tensor]:
        """Results that keep nothing for the gradient: the function runs once more for it."""
        ...

    def vectorized_map(
        self, function: Callable[..., Any], leaves: Sequence[Tensor], /
    ) -> list[Tensor]:
        """Results of the function for each slice along the first axis, stacked."""
        ...


class Loops(Protocol):
    """Optional part of `Backend.ops`: for backends that trace, where Python cannot branch."""

    def while_loop(
        self,
        cond: Callable[..., Any],
        body: Callable[..., Any],
        leaves: Sequence[Tensor],
        maximum_iterations: Any,
        /,
    ) -> list[Tensor]:
        """What is left when the condition, a boolean, no longer holds."""
        ...

    def fori_loop(
        self, lower: Any, upper: Any, body: Callable[..., Any], leaves: Sequence[Tensor], /
    ) -> list[Tensor]:
        """What is left of `leaves = body(i, leaves)` for each i from `lower` below `upper`."""
        ...
