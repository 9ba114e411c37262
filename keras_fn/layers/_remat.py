"""Layers that compute again for the gradient what they would else keep: `RematScope`."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.ops._op import is_symbolic, spec_of
from keras_fn.ops._rules import product
from keras_fn.ops.autodiff import remat

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_scope: ContextVar[RematScope | None] = ContextVar("keras_fn_remat", default=None)


class RematScope:
    """Layers that are made inside compute again for the gradient what they would else keep.

    Args:
        mode: Which: `"full"` all of them; `"activations"` only the activation function of layers
            that have one; `"larger_than"` those whose outputs are larger than
            `output_size_threshold`; `"list_of_layers"` those whose name is in `layer_names`; None
            none of them, inside another scope.
        output_size_threshold: Number of elements of the outputs, those of the whole batch.
        layer_names: Names of layers.

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
        layer_names: Any = None,
    ):
        if mode not in _MODES:
            raise SpecError(
                "RematScope",
                expected=f"one of {', '.join(map(repr, _MODES))}",
                received=f"mode={mode!r}",
                fix="choose what is computed again",
            )
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())
        self._tokens: list[Token[RematScope | None]] = []

    def __enter__(self) -> RematScope:
        self._tokens.append(_scope.set(self))
        return self

    def __exit__(self, *args: object) -> None:
        _scope.reset(self._tokens.pop())


def rematerialize(layer: Any) -> None:
    """Makes the calls of a new layer compute again, as the scope that it is made in says."""
    scope = _scope.get()
    if scope is None or scope.mode is None:
        return
    if scope.mode == "list_of_layers" and layer.name not in scope.layer_names:
        return
    plain = layer.call
    again = remat(plain)

    def call_large(*args: Any, **kwargs: Any) -> Any:
        if is_symbolic(args, kwargs):
            return plain(*args, **kwargs)
        large = _output_size(layer, args, kwargs) > scope.output_size_threshold
        return (again if large else plain)(*args, **kwargs)

    def call_with_activation(*args: Any, **kwargs: Any) -> Any:
        activation = getattr(layer, "activation", None)
        if activation is None:
            return plain(*args, **kwargs)
        layer.activation = remat(activation)
        try:
            return plain(*args, **kwargs)
        finally:
            layer.activation = activation

    calls = {"larger_than": call_large, "activations": call_with_activation}
    layer.call = calls.get(scope.mode, again)


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
