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
    """Autograd function with a custom backward pass."""

    @staticmethod
    def forward(ctx: Any, function: Any, *leaves: Tensor) -> Any:
        results, ctx.vjp = function(leaves)
        return tuple(x.view_as(x) if any(x is y for y in leaves) else x for x in results)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Any:
        return None, *ctx.vjp(upstream)


def custom_gradient(
    function: Callable[..., tuple[Any, Callable[..., Any]]], leaves: Sequence[Tensor]
) -> list[Tensor]:
    """A `torch.autograd.Function` whose backward pass is the given function."""
    return list(_Custom.apply(function, *leaves))


def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """`torch.func.jvp`."""
    return torch.func.jvp(function, tuple(primals), tuple(tangents), has_aux=has_aux)


class _Recomputed:
    """Tensors saved for the backward pass, recomputed when it needs them.

    `torch.utils.checkpoint` does the same but imports torch._dynamo.
    """

    def __init__(self, run: Callable[[], Any]):
        self.run, self.counter = run, 0
        self.saved: dict[int, Tensor] = {}

    def pack(self, x: Tensor) -> int:
        """Replaces a saved tensor by its index."""
        del x
        self.counter += 1
        return self.counter - 1

    def unpack(self, index: int) -> Tensor:
        """Returns the tensor with that index, once: it is freed as soon as possible."""
        if index not in self.saved:
            with torch.enable_grad(), saved_tensors_hooks(self.keep, self.unpack):
                self.counter = 0
                self.run()
        return self.saved.pop(index)

    def keep(self, x: Tensor) -> int:
        """Keeps a tensor that the recomputation saves."""
        self.saved[self.counter] = x.detach()
        return self.pack(x)


def remat(function: Callable[..., Any], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Rematerialization; the recomputation sees the variables and scopes of the first run."""
    if torch.compiler.is_compiling():  # the compiler decides what to save
        return function(list(leaves))
    scopes, device = CapturedContext(), thread_state.device
    before: list[
        tuple[Any, Tensor]
    ] = []  # values before the first run of the variables that it assigns

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
