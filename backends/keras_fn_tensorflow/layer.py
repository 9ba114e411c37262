"""What a Layer is to TensorFlow: a `tf.Module`, as it looks to checkpoints and SavedModels."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

_Trackable = tf.__internal__.tracking.Trackable


class LayerBase(tf.Module):
    """Base class of `Layer`. Nothing is kept twice: TensorFlow's view follows from ours."""

    # A plain attribute, where `tf.Module` has a read-only property.
    name: str = ""  # type: ignore[override]

    if TYPE_CHECKING:  # what `Layer` brings
        _contents: Callable[[], Any]
        _flatten_layers: Callable[..., list[Any]]
        _own_variables: Callable[[], list[Any]]
        _sublayers: Callable[[], list[Any]]

    # TensorFlow would wrap the lists and dicts that a user sets, to find what they hold.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __init__(self) -> None:
        """Makes no name scope, which would cost more than the rest of a layer."""

    @property
    def name_scope(self) -> Any:
        """A name scope for the ops of the layer, as `tf.Module.with_name_scope` asks for it."""
        return tf.name_scope(self.name)

    @property
    def submodules(self) -> tuple[tf.Module, ...]:
        """The layers inside, at any depth."""
        return tuple(self._flatten_layers(include_self=False))

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """What a checkpoint or a SavedModel keeps, by the attribute that holds it, else by place.

        Not by name: automatic names differ from one model to the next like it.
        """
        # TensorFlow's own: tf.functions, if asked for.
        children = super()._trackable_children(save_type, **kwargs)  # type: ignore[misc]
        attributes = {id(value): key for key, value in vars(self).items()}
        for kind, held in self._tf_state().items():
            for i, (owner, trackable) in enumerate(held):
                children[attributes.get(id(owner), f"{kind}-{i}")] = trackable
        for key, value in vars(self).items():  # tables, and other objects of TensorFlow
            skipped = LayerBase if save_type == "savedmodel" else (LayerBase, *_FUNCTIONS)
            if isinstance(value, _Trackable) and not isinstance(value, skipped):
                children.setdefault(key, value)
        return children

    def _tf_state(self) -> dict[str, list[tuple[Any, Any]]]:
        """The state that the frontend tracks, with what TensorFlow knows it as."""
        holders = self._contents().holders.values()  # seeds, metrics
        variables = self._own_variables() + [v for holder in holders for v in holder.variables]
        return {
            "variable": [(v, v.value) for v in variables],
            "layer": [(layer, layer) for layer in self._sublayers()],
        }

    def _lookup_dependency(self, name: str, cached_dependencies: Any = None) -> Any:
        """Finds a child when a checkpoint is restored."""
        return (cached_dependencies or self._trackable_children()).get(name)


_FUNCTIONS = (tf.types.experimental.PolymorphicFunction, tf.types.experimental.ConcreteFunction)
