"""Rematerialization of layers: `RematScope`."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar, Token
from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import check_choice
from keras_fn.ops._op import is_symbolic, spec_of
from keras_fn.ops._rules import product
from keras_fn.ops.autodiff import remat

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_scope: ContextVar[RematScope | None] = ContextVar("keras_fn_remat", default=None)


class RematScope:
    """Rematerialization (gradient checkpointing) of the layers that are created in the scope.

    Such a layer keeps no intermediate results for the gradient; it computes them again.

    Args:
        mode: The layers to rematerialize. `"full"`: all. `"activations"`: only the activation
            functions of layers. `"larger_than"`: layers whose outputs have more elements than
            `output_size_threshold`. `"list_of_layers"`: layers whose name is in `layer_names`.
            None: no layer, inside another scope.
        output_size_threshold: A number of elements, of the outputs of a whole batch.
        layer_names: Names of layers.

    Raises:
        ValueError: `mode` is not one of these.

    Example:
        >>> with keras.RematScope(mode="full"):
        ...     layer = keras.layers.Dense(4, activation="relu")
        >>> layer(np.ones((2, 3))).shape == (2, 4)
        True
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ):
        self.mode = check_choice("RematScope", "mode", mode, _MODES)
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())
        self._tokens: list[Token[RematScope | None]] = []

    def __enter__(self) -> RematScope:
        self._tokens.append(_scope.set(self))
        return self

    def __exit__(self, *args: object) -> None:
        _scope.reset(self._tokens.pop())


def rematerialize(layer: Any) -> None:
    """Applies the active `RematScope` to a new layer."""
    scope = _scope.get()
    if scope is None or scope.mode is None:
        return
    if scope.mode == "list_of_layers" and layer.name not in scope.layer_names:
        return
    call = layer.call
    remat_call = remat(call)

    def call_large(*args: Any, **kwargs: Any) -> Any:
        if is_symbolic(args, kwargs):
            return call(*args, **kwargs)
        is_large = _output_size(layer, args, kwargs) > scope.output_size_threshold
        return (remat_call if is_large else call)(*args, **kwargs)

    def call_with_activation(*args: Any, **kwargs: Any) -> Any:
        activation = getattr(layer, "activation", None)
        if activation is None:
            return call(*args, **kwargs)
        layer.activation = remat(activation)
        try:
            return call(*args, **kwargs)
        finally:
            layer.activation = activation

    calls = {"larger_than": call_large, "activations": call_with_activation}
    layer.call = calls.get(scope.mode, remat_call)


def _output_size(layer: Any, args: tuple, kwargs: dict[str, Any]) -> int:
    """The number of elements of the outputs; an unknown size counts as one."""

    def symbol(x: Any) -> Any:
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            return x
        spec = spec_of(x)
        return KerasTensor(spec.shape, spec.dtype, record_history=False)

    args, kwargs = tree.map_structure(symbol, [args, kwargs])
    outputs = tree.flatten(type(layer).compute_output_spec(layer, *args, **kwargs))
    return sum(product([n or 1 for n in x.shape]) or 0 for x in outputs if x is not None)
