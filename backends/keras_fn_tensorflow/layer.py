"""The base class of layers on TensorFlow: a `tf.Module`, for checkpoints and SavedModels."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

_Trackable = tf.__internal__.tracking.Trackable


class LayerBase(tf.Module):
    """Base class of `Layer`. TensorFlow's view is derived from the layer's attributes."""

    # A plain attribute replaces `tf.Module`'s read-only property.
    name: str = ""  # type: ignore[override]

    if TYPE_CHECKING:  # defined by `Layer`
        _contents: Callable[[], Any]
        _flatten_layers: Callable[..., list[Any]]
        _own_variables: Callable[[], list[Any]]
        _sublayers: Callable[[], list[Any]]

    # `tf.Module` would wrap lists and dicts, to track their contents.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __init__(self) -> None:
        """Creates no name scope, which would cost more than the rest of a layer."""

    @property
    def name_scope(self) -> Any:
        """Returns a name scope for the layer's ops, for `tf.Module.with_name_scope`."""
        return tf.name_scope(self.name)

    @property
    def submodules(self) -> tuple[tf.Module, ...]:
        """Returns the sublayers at any depth."""
        return tuple(self._flatten_layers(include_self=False))

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """Returns the objects to save, by their attribute, else by index.

        Not by name: automatic names differ between models of the same architecture.
        """
        # TensorFlow's children: tf.functions, if requested.
        children = super()._trackable_children(save_type, **kwargs)  # type: ignore[misc]
        attributes = {id(value): key for key, value in vars(self).items()}
        for kind, held in self._tf_state().items():
            for i, (owner, trackable) in enumerate(held):
                children[attributes.get(id(owner), f"{kind}-{i}")] = trackable
        for key, value in vars(self).items():  # lookup tables and other trackable objects
            skipped = LayerBase if save_type == "savedmodel" else (LayerBase, *_FUNCTIONS)
            if isinstance(value, _Trackable) and not isinstance(value, skipped):
                children.setdefault(key, value)
        return children

    def _tf_state(self) -> dict[str, list[tuple[Any, Any]]]:
        """Returns the state that the frontend tracks, with TensorFlow's objects."""
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
