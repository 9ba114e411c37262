"""Zero padding layers over 1, 2 or 3 spatial axes."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.reshaping.cropping import _ends
from keras_fn.ops.manipulation import pad
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor


class ZeroPadding(Layer):
    """Zero padding layer: adds zeros at the edges of the spatial axes."""

    compute_mask = drop_mask
    rank: int

    def __init__(
        self,
        padding: int | Sequence[int | Sequence[int]] = 1,
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        ends = _ends(self, "padding", padding)
        self.padding = ends[0] if self.rank == 1 else ends
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        none = (0, 0)
        last = self.data_format == "channels_last"
        self._widths = (none, *ends, none) if last else (none, none, *ends)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the padded inputs."""
        return pad(inputs, self._widths)


class ZeroPadding1D(ZeroPadding):
    """1D zero padding layer: adds steps of zeros at both ends of sequences.

    Args:
        padding: A pair (before, after) for each axis, a number for each axis, or one number.
            Over one axis, a pair is (before, after).
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `padding` is invalid.

    Example:
        >>> keras.layers.ZeroPadding1D((2, 1))(keras.Input((10, 4))).shape
        (None, 13, 4)
    """

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """2D zero padding layer: adds rows and columns of zeros at the edges of images.

    Args:
        padding: A pair (before, after) for each axis, a number for each axis, or one number.
            Over one axis, a pair is (before, after).
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `padding` is invalid.

    Example:
        >>> keras.layers.ZeroPadding2D(((1, 2), (0, 0)))(keras.Input((28, 28, 3))).shape
        (None, 31, 28, 3)
    """

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """3D zero padding layer: adds zeros at the edges of volumes.

    Args:
        padding: A pair (before, after) for each axis, a number for each axis, or one number.
            Over one axis, a pair is (before, after).
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)`
        with `"channels_first"`.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `padding` is invalid.

    Example:
        >>> keras.layers.ZeroPadding3D(2)(keras.Input((8, 8, 8, 3))).shape
        (None, 12, 12, 12, 3)
    """

    rank = 3
