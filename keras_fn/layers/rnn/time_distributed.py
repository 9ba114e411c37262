"""Wrapper that applies a layer to every time step."""

from collections.abc import Callable
from typing import Any, Unpack

from keras_fn.core import masking, tree
from keras_fn.core.dtypes import is_int
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.scopes import RowsPerSampleScope
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.core.wrapper import Wrapper
from keras_fn.layers.layer import Layer
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.indexing import take
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import any as any_, logical_and
from keras_fn.ops.manipulation import broadcast_to, expand_dims, reshape
from keras_fn.types import Nested, Shape


class TimeDistributed(Wrapper):
    """Applies a layer to each time step of sequences, with the same weights.

    Args:
        layer: The layer to apply.

    Call arguments:
        inputs: A tensor of shape `(batch, time, ...)`, or nested tensors.
        training: Whether to run in training mode.
        mask: Booleans of shape `(batch, time)`, for whole steps, or `(batch, time, ...)`: the layer
            receives the other axes as its mask.

    Input shape:
        `(batch, time, ...)`, or nested shapes.

    Output shape:
        The output shape of the layer for `(batch, ...)`, with a time axis at position 1. Its mask
        is that of the layer's output, with the time axis; where the layer's output has none, the
        mask of the steps: a step counts if any of its elements does.

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
        if all(size is None or isinstance(size, int) for size in input_shape):
            self.input_spec = InputSpec(min_ndim=3)

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
        masks = _like_inputs(mask, inputs)
        steps = tree.flatten(inputs)[0].shape[1]
        if isinstance(steps, int) and self._is_stateful(training):
            outputs = self._loop_over_steps(inputs, masks, options, steps)
        else:
            outputs = self._fold_time_into_batch(inputs, masks, options)
        for output in tree.flatten(outputs):
            masking.set_mask(output, _output_mask(masks, masking.get_mask(output)))
        return outputs

    def _propagate_masks(self, outputs: Any, first: Any, masks: dict[str, Any]) -> None:
        """Does nothing: `call` sets the masks of the outputs."""

    @masking.propagates_mask_only  # as far as `Layer` is concerned
    def compute_mask(self, inputs: Nested, previous_mask: Nested = None) -> Nested:
        """Returns the mask of the layer's output with the time axis, or the mask of the steps."""
        masks = _like_inputs(previous_mask, inputs)
        fold, unfold = _folding(inputs)
        inner_masks = None if masks is None else tree.map_structure(_mask_inside, masks)
        inner = self.layer.compute_mask(
            tree.map_structure(fold, inputs), tree.map_structure(fold, inner_masks)
        )
        return _output_mask(masks, None if inner is None else unfold(tree.flatten(inner)[0]))

    def _call_layer(
        self, function: Callable[[Any], Any], inputs: Any, masks: Any, options: dict[str, Any]
    ) -> Any:
        """Calls the layer on `function` of the inputs, and of their masks."""
        inner = tree.map_structure(function, inputs)
        if masks is None:
            return self.layer(inner, **options)
        flat = list(zip(tree.flatten(inner), tree.flatten(masks), strict=True))
        for x, mask in flat:
            masking.set_mask(x, function(_mask_inside(mask)))
        if self.layer._signature.mask_arguments and any(m is not _mask_inside(m) for _, m in flat):
            whole = [m if m is None else _mask_like(function(m), x) for x, m in flat]
            options = {**options, "mask": tree.unflatten(inner, whole)}
        return self.layer(inner, **options)

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

    def _loop_over_steps(self, inputs: Any, masks: Any, options: dict[str, Any], steps: int) -> Any:
        def step(i: int) -> Any:
            def at(x: Any) -> Any:
                return None if x is None else take(x, i, axis=1)

            return self._call_layer(at, inputs, masks, options)

        def stack_with_masks(*ys: Any) -> Any:
            output = stack(ys, axis=1)
            masks = [mask for y in ys if (mask := masking.get_mask(y)) is not None]
            if len(masks) == len(ys):
                masking.set_mask(output, stack(masks, axis=1))
            return output

        return tree.map_structure(stack_with_masks, *map(step, range(steps)))

    def _fold_time_into_batch(self, inputs: Any, masks: Any, options: dict[str, Any]) -> Any:
        fold, unfold = _folding(inputs)

        def unfold_with_mask(y: Any) -> Any:
            output, mask = unfold(y), masking.get_mask(y)
            if mask is not None:
                masking.set_mask(output, unfold(mask))
            return output

        with RowsPerSampleScope(shape_of(tree.flatten(inputs)[0])[1]):
            outputs = self._call_layer(fold, inputs, masks, options)
        return tree.map_structure(unfold_with_mask, outputs)


def _folding(inputs: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Returns the functions that join the axes of batch and time, and that split them again."""
    batch, time = shape_of(tree.flatten(inputs)[0])[:2]

    def fold(x: Any) -> Any:
        return None if x is None else reshape(x, (-1, *shape_of(x)[2:]))

    return fold, lambda x: reshape(x, (batch, time, *shape_of(x)[1:]))


def _like_inputs(mask: Any, inputs: Any) -> Any:
    """Returns the masks nested like the inputs, or None if there are none."""
    masks, number = tree.flatten(mask), len(tree.flatten(inputs))
    if all(m is None for m in masks):
        return None
    return tree.unflatten(inputs, [*masks, *[None] * number][:number])


def _mask_inside(mask: Any) -> Any:
    """Returns a mask if it has axes inside the steps, else None."""
    return mask if mask is not None and len(mask.shape) > 2 else None


def _mask_like(mask: Any, x: Any) -> Any:
    """Returns the mask of whole samples as one of all axes but that of features."""
    features = 0 if is_int(dtype_of(x)) else 1  # integers are the indices of tokens
    missing = max(len(x.shape) - features - len(mask.shape), 0)
    if missing == 0:
        return mask
    axes = tuple(range(len(mask.shape), len(mask.shape) + missing))
    return broadcast_to(
        expand_dims(cast(mask, "bool"), axes), shape_of(x)[: len(x.shape) - features]
    )


def _output_mask(masks: Any, inner: Any) -> Any:
    """Returns the mask of an output, of the masks of the inputs and of the layer's output."""
    mask = next((m for m in tree.flatten(masks) if m is not None), None)
    if inner is None:
        inside = _mask_inside(mask)
        return mask if inside is None else any_(inside, axis=tuple(range(2, len(inside.shape))))
    if mask is None or len(mask.shape) > 2:
        return inner
    return logical_and(inner, expand_dims(mask, tuple(range(2, len(inner.shape)))))
