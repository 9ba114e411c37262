"""Reshaping of samples."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.core.masking import drop_mask
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, is_int_at_least
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import product
from keras_fn.ops.core import shape as shape_of
from keras_fn.ops.manipulation import reshape
from keras_fn.types import Tensor


class Reshape(Layer):
    """Reshapes each sample; the order of the elements stays.

    Args:
        target_shape: The shape of a sample, without the batch axis. One size may be -1, to be
            inferred.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of shape `(batch, *target_shape)`.

    Raises:
        ValueError: It is not a shape, or has another number of elements than a sample.

    Example:
        >>> keras.layers.Reshape((4, -1))(keras.Input((8, 3))).shape
        (None, 4, 6)
    """

    _has_nothing_to_build = True
    compute_mask = drop_mask

    def __init__(self, target_shape: Sequence[int], **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        if not isinstance(target_shape, (list, tuple)) or not all(
            is_int_at_least(size, 0) or size == -1 for size in target_shape
        ):
            raise argument_error(
                self,
                "target_shape",
                "a tuple of integers of 0 or more, or -1",
                target_shape,
                "for example target_shape=(28, 28, 1)",
            )
        if list(target_shape).count(-1) > 1:
            raise argument_error(
                self, "target_shape", "one size of -1 at most", target_shape, "set the others"
            )
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the reshaped inputs."""
        return reshape(inputs, (shape_of(inputs)[0], *self._sizes(tuple(inputs.shape)[1:])))

    def _sizes(self, shape: Any) -> tuple[int, ...]:
        """Returns the target shape, with -1 replaced if all sizes are known."""
        target, total = self.target_shape, product(shape)
        if total is None:
            return target
        known = product([size for size in target if size != -1]) or 0
        fits = known and total % known == 0 if -1 in target else total == known
        if not fits:
            raise SpecError(
                self._label,
                expected=f"samples whose elements fill target_shape={target}",
                received=f"samples of shape {shape}, {total} elements",
                fix="compare the numbers of elements, or set one size to -1",
            )
        return tuple(total // known if size == -1 else size for size in target)
