"""Bidirectional wrapper of recurrent layers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, Unpack

from keras_fn.core import tree
from keras_fn.core.masking import propagates_mask_only
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._config import base_config
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import cast
from keras_fn.ops.joining_splitting import concatenate
from keras_fn.ops.rearranging import flip
from keras_fn.types import Nested, Shape, TensorLike

_MERGES: dict[Any, Callable[[Any, Any], Any]] = {
    "concat": lambda x, y: concatenate([x, y], axis=-1),
    "sum": add,
    "mul": multiply,
    "ave": lambda x, y: add(multiply(x, 0.5), multiply(y, 0.5)),  # the sum may be infinite
    None: lambda x, y: (x, y),
}


class Bidirectional(Layer):
    """Bidirectional wrapper: runs a recurrent layer forwards and a copy of it backwards.

    Args:
        layer: A recurrent layer, or a layer with the attributes `go_backwards`,
            `return_sequences`, `return_state` and `stateful`. Both directions are new layers,
            created from its config.
        merge_mode: How to combine the outputs: `"concat"`, `"sum"`, `"mul"`, `"ave"` (average), or
            None for a tuple of both.
        weights: Initial values of the weights, of the forward layer, then of the backward layer.
        backward_layer: The layer for the backward direction, with `go_backwards=True`. A copy of
            `layer` by default.

    Call arguments:
        sequences: A tensor of shape `(batch, time, ...)`.
        initial_state: A list of initial states: the first half is for the forward layer.
        mask: Booleans of shape `(batch, time)`; steps at False are skipped.
        training: Whether to run in training mode.

    Input shape:
        The same as of `layer`.

    Output shape:
        The merged outputs, in the order of the sequence. With `return_state`, a tuple of the
        outputs, the states of the forward layer and the states of the backward layer. With
        `return_sequences`, outputs at masked steps are 0.

    Raises:
        ValueError: An argument is invalid, or the layers are incompatible.

    Example:
        >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
        >>> layer(keras.Input((5, 3))).shape
        (None, 5, 8)

    References:
        Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997.
    """

    _names_inner_errors = True
    forward_layer: Any  # an `RNN`, or a layer with the same attributes
    backward_layer: Any

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Sequence[TensorLike] | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        for name, received in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(received, Layer) and (received is not None or name == "layer"):
                raise argument_error(
                    self, name, "a recurrent layer", received, "for example LSTM(8)"
                )
        if merge_mode not in _MERGES:
            raise argument_error(
                self,
                "merge_mode",
                "'concat', 'sum', 'mul', 'ave' or None",
                merge_mode,
                "use 'concat'",
            )
        super().__init__(**kwargs)
        self.forward_layer = _clone_with_prefix(layer, "forward_")
        self.backward_layer = backward_layer or _clone_with_prefix(
            layer, "backward_", go_backwards=True
        )
        recurrent: Any = layer
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(recurrent, "use_cudnn"):
                one.use_cudnn = recurrent.use_cudnn
            if getattr(one, "zero_output_for_mask", None) is not None:
                one.zero_output_for_mask = one.return_sequences
        self._check_pair()
        self.merge_mode = merge_mode
        self.stateful = self._updates_state_at_inference = recurrent.stateful
        self.return_sequences = recurrent.return_sequences
        self.return_state = recurrent.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._initial_weights = weights

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards or not backward.go_backwards:
            raise argument_error(
                self,
                "backward_layer",
                "layer with go_backwards=False and backward_layer with True",
                (forward.go_backwards, backward.go_backwards),
                "set go_backwards=True on backward_layer only",
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise argument_error(
                    self,
                    "backward_layer",
                    f"{name}={getattr(forward, name)}, as layer has",
                    getattr(backward, name),
                    f"give both layers the same {name}",
                )

    def _float_input_dtype(self, dtype: str) -> str:
        """Leaves the cast to the layers."""
        return self.forward_layer._float_input_dtype(dtype)

    def build(self, sequences_shape: Shape, initial_state_shape: Nested = None) -> None:
        """Builds both layers."""
        del initial_state_shape  # the layers determine it
        for layer in (self.forward_layer, self.backward_layer):
            layer.build_from_config({"input_shape": sequences_shape})
        self.input_spec = self.forward_layer.input_spec
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        self.built = True

    def call(
        self,
        sequences: Nested,
        initial_state: Nested = None,
        mask: Nested = None,
        training: bool | None = None,
    ) -> Nested:
        """Returns the merged outputs, and the states with `return_state`."""
        first, last = _split_states(initial_state)
        x = self._direction(self.forward_layer, sequences, first, mask, training)
        y = self._direction(self.backward_layer, sequences, last, mask, training)
        states: tuple[Any, ...] = ()
        if self.return_state:
            (x, *first), (y, *last) = x, y
            states = (*first, *last)
        x, y = cast(x, self.compute_dtype), cast(y, self.compute_dtype)
        output = _MERGES[self.merge_mode](x, flip(y, 1) if self.return_sequences else y)
        if not self.return_state:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def _direction(self, layer: Any, sequences: Any, state: Any, mask: Any, training: Any) -> Any:
        options: dict[str, Any] = {} if state is None else {"initial_state": state}
        if layer._signature.has_training:
            options["training"] = training
        if layer._signature.mask_arguments and mask is not None:
            options["mask"] = mask
        return layer(sequences, **options)

    def reset_state(self) -> None:
        """Resets the states of the stateful layers to 0.

        Raises:
            AttributeError: The layer is not stateful.
        """
        if not self.stateful:
            raise AttributeError(f"{self._label} has no states: pass stateful=True to its layer.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state  # as Keras 2 named it

    @property
    def states(self) -> Any:
        """The states of the stateful layers; None if they are not stateful."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    @propagates_mask_only
    def compute_mask(self, inputs: Nested, mask: Nested) -> Nested:
        """Returns the mask of the inputs with `return_sequences`, else None."""
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        masks = [mask] if self.merge_mode else [mask, mask]
        if self.return_state:
            sizes = [self.forward_layer.state_size, self.backward_layer.state_size]
            masks += [None] * len(tree.flatten(sizes))
        return masks if len(masks) > 1 else mask

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {
            **base_config(self),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        inner = {
            name: deserialize_keras_object(config[name], custom_objects, kind="layer")
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return cls(**{**config, **inner})


def _split_states(states: Any) -> tuple[Any, Any]:
    """Splits the initial states: of the forward layer and of the backward layer."""
    if states is None:
        return None, None
    half = len(states) // 2
    return states[:half], states[half:]


def _clone_with_prefix(layer: Layer, prefix: str, **changes: Any) -> Any:
    """Returns a new layer with the same config but a prefix in its name."""
    config = serialize_keras_object(layer)
    for key in ("build_config", "shared_object_id"):  # it is another object
        config.pop(key, None)
    config["config"].update(name=prefix + layer.name.removeprefix(prefix), **changes)
    return deserialize_keras_object(config, kind="layer")
