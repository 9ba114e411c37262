"""Batched dot product of two tensors."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.core.masking import drop_mask
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.linalg.products import einsum
from keras_fn.ops.manipulation import expand_dims
from keras_fn.ops.normalization import normalize
from keras_fn.settings import settings
from keras_fn.types import Nested, Tensor


class Dot(Merge):
    """Dot product of two tensors along one axis of each, sample by sample.

    Args:
        axes: The axis of both inputs, or a pair of axes. The batch axis is 0.
        normalize: Whether to divide by the L2 norms along these axes first: the result is then
            the cosine similarity.

    Input shape:
        A list of two tensors.

    Output shape:
        A tensor of the batch axis, the other axes of the first, and the other axes of the
        second; of shape `(batch, 1)` where there are none.

    Raises:
        TypeError: `axes` is neither an integer nor a pair of them.
        ValueError: There are not two inputs, or their sizes differ along `axes`.

    Example:
        >>> keras.layers.Dot(axes=(2, 1))([keras.Input((4, 5)), keras.Input((5, 6))]).shape
        (None, 4, 6)
    """

    _at_least = _at_most = 2
    compute_mask = drop_mask

    def __init__(
        self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int) else axes
        if not isinstance(pair, (list, tuple)) or [type(a) for a in pair] != [int, int]:
            raise DTypeError(
                "Dot",
                expected="axes: an integer, or two of them",
                received=f"axes={axes!r}",
                fix="for example axes=(2, 1)",
            )
        self.axes, self.normalize = axes, normalize
        self._pair = tuple(pair)

    def _summed(self, shapes: list[Any]) -> tuple[int, int]:
        """Returns the axis of each input that is summed over."""
        first, second = (
            normalize_axis(axis, len(shape), self._label)
            for axis, shape in zip(self._pair, shapes, strict=True)
        )
        return first, second

    def _check_shapes(self, shapes: list[tuple]) -> None:
        axes = self._summed(shapes)
        sizes = [shape[axis] for shape, axis in zip(shapes, axes, strict=True)]
        batches = [shape[0] for shape in shapes]
        if 0 in axes or any(None not in two and two[0] != two[1] for two in (sizes, batches)):
            raise SpecError(
                self._label,
                expected=f"one batch size, and one size along axes={self.axes}, not the batch axis",
                received=f"shapes {shapes[0]} and {shapes[1]}",
                fix="choose other axes, or permute the axes of one input with Permute",
            )

    def call(self, inputs: Nested) -> Nested:
        """Returns the dot products."""
        if not isinstance(inputs, (list, tuple)):
            self._check_number(inputs)
        axes = self._summed([x.shape for x in inputs])
        if self.normalize:
            fuzz = settings.epsilon
            inputs = [normalize(x, a, epsilon=fuzz) for x, a in zip(inputs, axes, strict=True)]
        x, y = inputs
        (first, second), last = axes, len(x.shape)
        x_letters = "abcdefgh"[:last]
        y_letters = "a" + "ijklmnop"[: len(y.shape) - 1]
        y_letters = y_letters.replace(y_letters[second], x_letters[first])
        summed = x_letters[first]
        kept = x_letters.replace(summed, "") + y_letters[1:].replace(summed, "")
        product = einsum(f"{x_letters},{y_letters}->{kept}", x, y)
        return expand_dims(product, -1) if kept == "a" else product


def dot(
    inputs: Sequence[Tensor], axes: int | Sequence[int] = -1, **kwargs: Unpack[LayerOptions]
) -> Tensor:
    """Functional form of the `Dot` layer.

    Args:
        inputs: A list of two tensors.
        axes: The axis of both that is summed over, or a pair of axes.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.dot([keras.Input((3,)), keras.Input((3,))]).shape
        (None, 1)
    """
    return Dot(axes=axes, **kwargs)(inputs)
