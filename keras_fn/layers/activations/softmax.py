"""Softmax along an axis, with masking."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.errors import SpecError
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import softmax
from keras_fn.ops.core import cast, dtype as dtype_of
from keras_fn.ops.logic import greater, where
from keras_fn.types import Tensor


class Softmax(Layer):
    """Softmax: `exp(x) / sum(exp(x))` along `axis`; masked elements become 0.

    Args:
        axis: The axis, or several.

    Input shape:
        A tensor of any shape, and a boolean mask that broadcasts to it.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: The mask does not broadcast.

    Example:
        >>> x, mask = np.zeros((1, 3), "float32"), np.array([True, True, False])
        >>> y = keras.layers.Softmax()(x, mask=mask)
        >>> convert_to_numpy(y).tolist()
        [[0.5, 0.5, 0.0]]
    """

    _has_nothing_to_build = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the activation of the inputs."""
        if mask is None:
            return softmax(inputs, self.axis)
        self._check(tuple(mask.shape), tuple(inputs.shape))
        shown = mask if dtype_of(mask) == "bool" else greater(mask, cast(0.5, dtype_of(mask)))
        low = -30000.0 if self.compute_dtype == "float16" else -1e9
        return where(shown, softmax(where(shown, inputs, low), self.axis), 0)

    def _check(self, mask: Any, inputs: Any) -> None:
        sizes = zip(reversed(mask), reversed(inputs), strict=False)
        if len(mask) > len(inputs) or any(
            m not in (1, n, None) and n is not None for m, n in sizes
        ):
            raise SpecError(
                self._label,
                expected=f"a mask that broadcasts to the inputs, {inputs}",
                received=f"a mask of shape {mask}",
                fix="give it the sizes of the inputs, or 1, from the last axis on",
            )
