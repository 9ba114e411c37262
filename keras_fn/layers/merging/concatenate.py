"""Concatenation of tensors."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn import ops
from keras_fn.core.masking import propagates_mask_only
from keras_fn.errors import SpecError
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge, _mask_like
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.creation import ones_like
from keras_fn.ops.logic import any as any_
from keras_fn.types import Nested, Tensor


class Concatenate(Merge):
    """Concatenates a list of tensors along `axis`.

    Args:
        axis: The axis along which to concatenate.

    Input shape:
        A list of tensors whose shapes differ along `axis` only.

    Output shape:
        A tensor.

    Raises:
        ValueError: The inputs are not a list, or their shapes differ along another axis.

    Example:
        >>> keras.layers.Concatenate()([keras.Input((2,)), keras.Input((3,))]).shape
        (None, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.axis = axis

    def _check_shapes(self, shapes: list[tuple]) -> None:
        rank = len(shapes[0])
        axis = normalize_axis(self.axis, rank, self._label)
        fits = all(len(shape) == rank for shape in shapes) and all(
            len({shape[i] for shape in shapes} - {None}) < 2 for i in range(rank) if i != axis
        )
        if not fits:
            raise SpecError(
                self._label,
                expected=f"inputs whose shapes differ along axis {self.axis} only",
                received=f"shapes {' and '.join(map(str, shapes))}",
                fix="choose another axis, or make the other sizes equal",
            )

    def call(self, inputs: Nested) -> Nested:
        """Returns the concatenated inputs."""
        if not isinstance(inputs, (list, tuple)):
            self._check_number(inputs)
        return ops.concatenate(inputs, axis=self.axis)

    @propagates_mask_only
    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns the concatenated masks; inputs without a mask count as unmasked.

        Raises:
            ValueError: The masks are not a list of one for each input.
        """
        masks = self._check_masks(inputs, mask)
        if all(m is None for m in masks):
            return None
        whole = [
            ones_like(x, dtype="bool") if m is None else _mask_like(m, x)
            for x, m in zip(inputs, masks, strict=True)
        ]
        rank = len(whole[0].shape)
        kept = min(max(len(m.shape) for m in masks if m is not None), rank - 1)
        return any_(ops.concatenate(whole, axis=self.axis), axis=tuple(range(kept, rank)))


def concatenate(inputs: Sequence[Tensor], axis: int = -1, **kwargs: Unpack[LayerOptions]) -> Tensor:
    """Functional form of the `Concatenate` layer.

    Args:
        inputs: A list of tensors.
        axis: The axis along which they are joined.
        **kwargs: Arguments of the layer, such as its name.

    Returns:
        The output of the layer.

    Example:
        >>> keras.layers.concatenate([keras.Input((2,)), keras.Input((3,))]).shape
        (None, 5)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
