"""Losses that layers add during a call: `add_loss` and activity regularizers."""

from collections.abc import Sequence
from typing import Any
from weakref import ref

from keras_fn import regularizers
from keras_fn.core import tree
from keras_fn.core.construction import SetByInit
from keras_fn.core.dtypes import mean_accumulator_type
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import without_nodes
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import OutermostCallScope, context
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.layers._tracking import AttributeTrackingMixin
from keras_fn.ops.arithmetic import divide, maximum, multiply
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.regularizers import Regularizer
from keras_fn.types import Nested, RegularizerLike, Tensor


class LossTrackingMixin(AttributeTrackingMixin):
    """The losses of a `Layer`: they belong to its last outermost call (one that no layer makes).

    A layer remembers whether it can add losses or holds layers that can. If not, its calls neither
    open a scope nor clear anything. Layers that it asked keep a weak reference to it, so that a
    regularizer which is set later invalidates the answer.
    """

    _losses: Any = SetByInit()  # a list
    _activity_regularizer: Regularizer | None = None
    _fast_path_keys: dict[Any, bool] | None = None
    _tracks_losses: bool | None = None  # whether an outermost call clears losses; None: not known
    _dependents: Sequence[ref[Any]] = ()  # layers whose cached answers depend on this one

    def __getstate__(self) -> dict[str, Any]:
        state = without_nodes(super().__getstate__())
        # A copy has made no call yet.
        return {**state, "_losses": [], "_tracks_losses": None, "_dependents": ()}

    @property
    def activity_regularizer(self) -> Regularizer | None:
        """The regularizer of the layer's output, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value: RegularizerLike | None) -> None:
        self._activity_regularizer = regularizers.get(value)
        self._invalidate_structure()

    def add_loss(self, loss: Nested) -> None:
        """Adds one or more losses to the total that training minimizes.

        Args:
            loss: A scalar tensor, or several in any nesting.
        """
        current = context.current
        if current.symbolic:
            return
        if self._tracks_losses is False:
            if not is_dynamo_compiling():
                self._invalidate_structure()
            self._tracks_losses = True
        losses = tree.flatten(loss)
        scope = current.stateless
        if scope is not None and scope.collect_losses:
            for value in losses:
                scope.add_loss(value)
        self._losses += losses

    def _add_activity_losses(self, outputs: Any) -> None:
        """Adds the activity regularizer's penalty of each output: of a sample, on average."""
        regularizer = self._activity_regularizer
        for output in tree.flatten(outputs):
            if regularizer is not None and hasattr(output, "shape"):
                self.add_loss(_divide_by_batch_size(regularizer(output), output))

    @property
    def losses(self) -> list[Tensor]:
        """Losses of `add_loss`, of activity regularizers and of the weights' regularizers.

        Losses that calls add belong to the last call: the next one clears them.
        """
        losses = [loss for layer in self._flatten_layers() for loss in layer._losses]
        for variable in self.trainable_weights:
            if variable.regularizer is not None:
                losses.append(variable.regularizer(variable))
        return losses

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    @filter_traceback
    def _outermost_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Makes a call that no layer makes: clears the losses of the previous one."""
        if context.current.symbolic or (args and isinstance(args[0], KerasTensor)):
            return self._slow_call(args, kwargs)  # type: ignore[attr-defined]  # adds no losses
        if is_dynamo_compiling():
            self._build_outside_tracing(args, kwargs)  # type: ignore[attr-defined]
        self._clear_losses()
        with OutermostCallScope():
            outputs = self(*args, **kwargs)  # type: ignore[operator]
        if self._tracks_losses is None and not is_dynamo_compiling():
            self._update_loss_tracking()
        return outputs

    def _may_add_losses(self) -> bool:
        """Returns whether a call of a layer whose structure is known can add losses."""
        if self._tracks_losses is not None:
            return self._tracks_losses
        if is_dynamo_compiling():
            return self._holds_losses([layer for layer, _ in self._walk_layers()[1:]])
        self._update_loss_tracking()
        return self._tracks_losses is not False

    def _holds_losses(self, inner: Sequence[Any]) -> bool:
        return (
            self._activity_regularizer is not None
            or bool(self._losses)
            or any(
                not is_builtin(type(layer)) or layer._activity_regularizer or layer._tracks_losses
                for layer in inner
            )
        )

    def _update_loss_tracking(self) -> None:
        """Determines whether calls can add losses: from the structure, and from the last call."""
        walk = self._walk_layers()[1:]
        inner = [layer for layer, _ in walk]
        self._depend_on(inner)
        self._tracks_losses = self._holds_losses(inner)
        if not self._tracks_losses:  # so no layer inside does: known before its first call
            for layer, children in walk:
                if layer._tracks_losses is None and not children.layers and not layer._losses:
                    layer._tracks_losses = False

    def _depend_on(self, layers: Sequence[Any]) -> None:
        """Lets changes of these layers invalidate the cached answers of this one."""
        own = ref(self)
        for layer in layers:
            known = layer._dependents
            if not known or not any(dependent() is self for dependent in known):
                layer._dependents = (*known, own)

    def _invalidate_structure(self, new_weights: bool = False) -> None:
        """Drops cached answers about losses, of this layer and of those that depend on it.

        Args:
            new_weights: Whether the layer has other weights, so that models drop compiled
                functions, too.
        """
        self._fast_path_keys = None
        self._tracks_losses = None
        dependents, self._dependents = self._dependents, ()
        for dependent in dependents:
            layer = dependent()
            if layer is not None:
                layer._invalidate_structure(new_weights)


def _divide_by_batch_size(loss: Any, output: Any) -> Any:
    """Returns the penalty of a whole batch as that of one sample."""
    if len(output.shape) == 0:
        return loss
    loss = cast(loss, mean_accumulator_type(dtype_of(loss)))  # which holds large batch sizes
    size = shape_of(output)[0]
    size = max(size, 1) if isinstance(size, int) else maximum(cast(size, dtype_of(loss)), 1)
    rows = context.current.rows_per_sample
    if rows is not None:
        loss = multiply(loss, rows if isinstance(rows, int) else cast(rows, dtype_of(loss)))
    return divide(loss, size)
