"""Custom gradients, forward-mode derivatives, rematerialization."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks

from keras_fn.core.scopes import CapturedContext, StatelessScope
from keras_fn_torch.device import on_device
from keras_fn_torch.tensors import Tensor
from keras_fn_torch.thread_state import thread_state


class _Custom(torch.autograd.Function):
    """A function whose gradient is another function."""

    @staticmethod
    def forward(ctx: Any, function: Any, *leaves: Tensor) -> Any:
        results, ctx.pull = function(leaves)
        return tuple(x.view_as(x) if any(x is y for y in leaves) else x for x in results)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Any:
        return None, *ctx.pull(upstream)


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[Tensor]
) -> list[Tensor]:
    """A `torch.autograd.Function`."""
    return list(_Custom.apply(function, *leaves))


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """`torch.func.jvp`."""
    return torch.func.jvp(function, tuple(primals), tuple(tangents), has_aux=has_aux)


class _Recomputed:
    """What a function saved for its gradient, computed again when the gradient asks for it.

    `torch.utils.checkpoint` does the same, and imports torch._dynamo for it.
    """

    def __init__(self, run: Callable[[], Any]):
        self.run, self.count = run, 0
        self.saved: dict[int, Tensor] = {}

    def pack(self, x: Tensor) -> int:
        """Keeps a number for a tensor."""
        del x
        self.count += 1
        return self.count - 1

    def unpack(self, place: int) -> Tensor:
        """The tensor of that number. Each is given once: no more of them stay than are needed."""
        if place not in self.saved:
            with torch.enable_grad(), saved_tensors_hooks(self.keep, self.unpack):
                self.count = 0
                self.run()
        return self.saved.pop(place)

    def keep(self, x: Tensor) -> int:
        """Takes what the second run saves."""
        self.saved[self.count] = x.detach()
        return self.pack(x)


def remat(function: Callable[..., Any], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Saves nothing; the second run sees the variables and the scopes of the first."""
    if torch.compiler.is_compiling():  # what it keeps for the gradient is its own choice
        return function(list(leaves))
    scopes, device = CapturedContext(), thread_state.device
    before: list[tuple[Any, Tensor]] = []  # variables that the first run assigns, as they were

    def again() -> None:
        with scopes, on_device(device), StatelessScope(before):
            function(list(leaves))

    recomputed = _Recomputed(again)
    with StatelessScope() as scope, saved_tensors_hooks(recomputed.pack, recomputed.unpack):
        results = function(list(leaves))
    for key, variable in scope.written.items():
        value = variable.value
        before.append((variable, value.detach().clone().requires_grad_(value.requires_grad)))
        variable.assign(scope.state[key].detach())
    return results
