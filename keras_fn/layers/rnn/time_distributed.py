"""Wrapper that applies a layer to every time step."""

from typing import Any, Unpack

from keras_fn.core import tree
from keras_fn.core.scopes import RowsPerSampleScope
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.core.wrapper import Wrapper
from keras_fn.layers.layer import Layer
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.indexing import take
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Nested, Shape


class TimeDistributed(Wrapper):
    """Applies a layer to each time step of sequences, with the same weights.

    Args:
        layer: The layer to apply.

    Call arguments:
        inputs: A tensor of shape `(batch, time, ...)`, or nested tensors.
        training: Whether to run in training mode.
        mask: Booleans of shape `(batch, time, ...)`, passed step by step to a layer that takes a
            mask, and passed on to the output.

    Input shape:
        `(batch, time, ...)`, or nested shapes.

    Output shape:
        The output shape of the layer for `(batch, ...)`, with a time axis at position 1.

    Raises:
        ValueError: `layer` is not a layer, or the inputs have fewer than 3 axes.

    Example:
        >>> frames = keras.Input((10, 32, 32, 3))
        >>> keras.layers.TimeDistributed(keras.layers.Dense(4))(frames).shape
        (None, 10, 32, 32, 4)

    Note:
        All steps run at once, as one larger batch. A layer whose call updates state, such as the
        moving averages of `BatchNormalization`, runs step by step if their number is known.
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerOptions]):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        """Builds the layer for one time step."""
        super().build(self._step_shape(input_shape))

    def _step_shape(self, shape: Any) -> Any:
        """Returns the shape of one time step, or nested shapes."""
        if isinstance(shape, dict):
            return {key: self._step_shape(value) for key, value in shape.items()}
        if any(isinstance(size, (list, tuple, dict)) for size in shape):
            return [self._step_shape(one) for one in shape]
        if len(shape) < 3:
            raise SpecError(
                self._label,
                expected="inputs of shape (batch, time, ...), 3 axes or more",
                received=f"shape {tuple(shape)}",
                fix="add an axis, for example Reshape((-1, 1))",
            )
        return (shape[0], *shape[2:])

    def call(self, inputs: Nested, training: bool | None = None, mask: Nested = None) -> Nested:
        """Returns the outputs of the layer at each time step."""
        self._check_mask(inputs, mask)
        options: dict[str, Any] = {}
        if self.layer._signature.has_training:
            options["training"] = training
        if not self.layer._signature.mask_arguments:
            mask = None
        steps = tree.flatten(inputs)[0].shape[1]
        if isinstance(steps, int) and self._is_stateful(training):
            return self._loop_over_steps(inputs, mask, options, steps)
        return self._fold_time_into_batch(inputs, mask, options)

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        for x, m in zip(tree.flatten(inputs), tree.flatten(mask), strict=False):
            if m is None or (len(m.shape) >= 2 and is_compatible(m.shape[:2], x.shape[:2])):
                continue
            raise SpecError(
                self._label,
                expected=f"a mask that begins with the axes {tuple(x.shape[:2])} of the inputs",
                received=f"a mask of shape {tuple(m.shape)}",
                fix="pass booleans of shape (batch, time)",
            )

    def _is_stateful(self, training: bool | None) -> bool:
        """Returns whether a call updates variables, so that the order of the steps matters."""
        if any(layer._updates_state_at_inference for layer in self.layer._flatten_layers()):
            return True
        return bool(training) and not all(v._trainable_requested for v in self.layer.weights)

    def _loop_over_steps(self, inputs: Any, mask: Any, options: dict[str, Any], steps: int) -> Any:
        def step(i: int) -> Any:
            masks = {} if mask is None else {"mask": tree.map_structure(lambda m: at(m, i), mask)}
            return self.layer(tree.map_structure(lambda x: at(x, i), inputs), **options, **masks)

        def at(x: Any, i: int) -> Any:
            return None if x is None else take(x, i, axis=1)

        results = [step(i) for i in range(steps)]
        return tree.map_structure(lambda *ys: stack(ys, axis=1), *results)

    def _fold_time_into_batch(self, inputs: Any, mask: Any, options: dict[str, Any]) -> Any:
        batch, time = shape_of(tree.flatten(inputs)[0])[:2]

        def fold(x: Any) -> Any:
            return None if x is None else reshape(x, (-1, *shape_of(x)[2:]))

        if mask is not None:
            options = {**options, "mask": tree.map_structure(fold, mask)}
        with RowsPerSampleScope(time):
            outputs = self.layer(tree.map_structure(fold, inputs), **options)
        return tree.map_structure(lambda y: reshape(y, (batch, time, *shape_of(y)[1:])), outputs)
