"""Cropping layers over 1, 2 or 3 spatial axes."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import padding_pairs
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.indexing import getitem
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor


class Cropping(Layer):
    """Cropping layer: removes elements at the edges of the spatial axes."""

    compute_mask = drop_mask
    rank: int

    def __init__(
        self,
        cropping: int | Sequence[int | Sequence[int]] = 1,
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        ends = _ends(self, "cropping", cropping)
        self.cropping = ends[0] if self.rank == 1 else ends
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._ends = ends
        self._first = 1 if self.data_format == "channels_last" else 2
        kept = (slice(before, -after or None) for before, after in ends)
        self._key = (*[slice(None)] * self._first, *kept)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the cropped inputs."""
        sizes = tuple(inputs.shape)[self._first : self._first + self.rank]
        for size, (before, after) in zip(sizes, self._ends, strict=True):
            if isinstance(size, int) and size <= before + after:  # a symbol is not known
                raise SpecError(
                    self._label,
                    expected=f"sizes above what cropping={self.cropping} takes off",
                    received=f"shape {tuple(inputs.shape)}, {self.data_format}",
                    fix="crop less, or check data_format",
                )
        return getitem(inputs, self._key)


def _ends(layer: Any, argument: str, value: Any) -> tuple[tuple[int, int], ...]:
    one_axis = layer.rank == 1 and isinstance(value, (list, tuple)) and len(value) == 2
    return padding_pairs(layer, argument, [value] if one_axis else value, layer.rank)


class Cropping1D(Cropping):
    """1D cropping layer: removes steps at both ends of sequences.

    Args:
        cropping: A pair (before, after) for each axis, a number for each axis, or one number.
            Over one axis, a pair is (before, after).

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `cropping` is invalid, or removes everything.

    Example:
        >>> keras.layers.Cropping1D((2, 1))(keras.Input((10, 4))).shape
        (None, 7, 4)
    """

    rank = 1
    _not_in_config = frozenset({"data_format"})

    def __init__(
        self, cropping: int | Sequence[int | Sequence[int]] = (1, 1), **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(Cropping):
    """2D cropping layer: removes rows and columns at the edges of images.

    Args:
        cropping: A pair (before, after) for each axis, a number for each axis, or one number.
            Over one axis, a pair is (before, after).
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `cropping` is invalid, or removes everything.

    Example:
        >>> keras.layers.Cropping2D(((2, 1), (0, 4)))(keras.Input((28, 28, 3))).shape
        (None, 25, 24, 3)
    """

    rank = 2

    def __init__(
        self,
        cropping: int | Sequence[int | Sequence[int]] = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """3D cropping layer: removes elements at the edges of volumes.

    Args:
        cropping: A pair (before, after) for each axis, a number for each axis, or one number.
            Over one axis, a pair is (before, after).
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `cropping` is invalid, or removes everything.

    Example:
        >>> keras.layers.Cropping3D(2)(keras.Input((8, 8, 8, 3))).shape
        (None, 4, 4, 4, 3)
    """

    rank = 3
