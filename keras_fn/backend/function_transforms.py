"""Function transforms of `Backend.ops`, in addition to those of variables in the contract.

`leaves` are the tensors that a function takes, flat: it takes them as one list, and returns a list.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from keras_fn.backend.backend_types import Tensor


class FunctionTransforms(Protocol):
    """Part of `Backend.ops`. All arguments are positional."""

    def custom_gradient(
        self,
        function: Callable[..., tuple[Any, Callable[..., Any]]],
        leaves: Sequence[Tensor],
        /,
    ) -> list[Tensor]:
        """Results of `function(leaves) -> (results, vjp)`, with gradients computed by `vjp`."""
        ...

    def jvp(
        self, function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool, /
    ) -> tuple[Any, ...]:
        """Results, their Jacobian-vector product with the tangents, and auxiliary results."""
        ...

    def remat(self, function: Callable[..., Any], leaves: Sequence[Tensor], /) -> list[Tensor]:
        """Rematerialization: results that store no intermediates; the backward pass recomputes."""
        ...

    def vectorized_map(
        self, function: Callable[..., Any], leaves: Sequence[Tensor], /
    ) -> list[Tensor]:
        """Results of the function for each slice along the first axis, stacked."""
        ...


class SupportsLoops(Protocol):
    """Optional part of `Backend.ops`: for backends that trace, where Python cannot branch."""

    def while_loop(
        self,
        cond: Callable[..., Any],
        body: Callable[..., Any],
        leaves: Sequence[Tensor],
        maximum_iterations: Any,
        /,
    ) -> list[Tensor]:
        """Loop variables at the first iteration for which the condition is False."""
        ...

    def fori_loop(
        self, lower: Any, upper: Any, body: Callable[..., Any], leaves: Sequence[Tensor], /
    ) -> list[Tensor]:
        """Loop variables after `leaves = body(i, leaves)` for each i in [lower, upper)."""
        ...
