"""The losses that layers add while they are called."""

from typing import Any

from keras_fn import regularizers
from keras_fn.core import tree
from keras_fn.core.scopes import CallScope, context
from keras_fn.core.tracebacks import entrance
from keras_fn.core.tracing import is_followed
from keras_fn.layers._tracking import Tracked

used = False
"""Whether any layer adds losses: until then no call has those of the last one to forget."""
layers_as_they_are: object = object()
"""Another object whenever a layer is made, or told to add losses: what was known of a model may be
past then. An object, as a number could mean something else in the process that reads a copy.
"""


def note_change() -> None:
    """Notes that layers may add losses which did not."""
    global layers_as_they_are
    layers_as_they_are = object()


class WithLosses(Tracked):
    """What `Layer` knows of losses: they are those of the last call that no other layer made."""

    _losses: list[Any]
    _activity_regularizer: Any = None
    _ready: dict[Any, bool] | None = None
    _silent_while: object = None  # `layers_as_they_are` when no layer inside could add a loss

    @property
    def activity_regularizer(self) -> Any:
        """What adds a loss of the layer's output, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value: Any) -> None:
        global used
        self._activity_regularizer = regularizers.get(value)
        used |= self._activity_regularizer is not None
        self._ready = None  # calls that were seen before added nothing
        note_change()

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar (or several) to what training makes small."""
        global used
        used = True
        now = context.now
        if now.symbolic:
            return
        losses = tree.flatten(loss)
        scope = now.stateless
        if scope is not None and scope.collect_losses:
            for value in losses:
                scope.add_loss(value)
        self._losses += losses

    @property
    def losses(self) -> list[Any]:
        """Losses of `add_loss`, of activity regularizers and of the weights' regularizers.

        Those that calls add are of the last call: a new one forgets them.
        """
        found = [loss for layer in self._flatten_layers() for loss in layer._losses]
        for variable in self.trainable_weights:
            if variable.regularizer is not None:
                found.append(variable.regularizer(variable))
        return found

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    @entrance
    def _outermost_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """A call that no layer makes: the losses of the one before are forgotten."""
        self._clear_losses()
        with CallScope():
            outputs = self(*args, **kwargs)  # type: ignore[operator]
        if not is_followed() and not any(map(_may_add, self._flatten_layers())):
            self._silent_while = layers_as_they_are
        return outputs


def _may_add(layer: Any) -> bool:
    ours = type(layer).__module__.startswith("keras_fn.")
    return not ours or layer.activity_regularizer is not None
