"""Upsampling layers over 1, 2 or 3 spatial axes."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.layers._arguments import int_tuple, one_of, positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.layers.reshaping._interpolation import KERNELS, interpolate
from keras_fn.ops.manipulation import repeat
from keras_fn.settings import standardize_data_format
from keras_fn.types import Tensor


class UpSampling1D(Layer):
    """1D upsampling layer: repeats each time step.

    Args:
        size: Number of repetitions of each step.

    Input shape:
        A tensor of shape `(batch, steps, features)`.

    Output shape:
        `(batch, steps * size, features)`.

    Raises:
        ValueError: `size` is not a positive integer.

    Example:
        >>> keras.layers.UpSampling1D(3)(keras.Input((4, 2))).shape
        (None, 12, 2)
    """

    compute_mask = drop_mask

    def __init__(self, size: int = 2, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.size = positive_int(self, "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the upsampled sequences."""
        return repeat(inputs, self.size, axis=1)


class UpSampling2D(Layer):
    """2D upsampling layer: enlarges images by integer factors.

    Args:
        size: Upsampling factors of rows and columns: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.
        interpolation: `"nearest"` (repetition), `"bilinear"`, `"bicubic"`, `"lanczos3"` or
            `"lanczos5"`.

    Input shape:
        A tensor of shape `(batch, height, width, channels)`, or with the channels first.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> keras.layers.UpSampling2D((1, 2))(keras.Input((4, 4, 3))).shape
        (None, 4, 8, 3)
    """

    compute_mask = drop_mask

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.size = int_tuple(self, "size", size, 2)
        self.data_format = standardize_data_format(data_format)
        known = ("nearest", *KERNELS)
        self.interpolation = one_of(self, "interpolation", interpolation, known)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the upsampled images."""
        x = inputs
        for axis, factor in enumerate(self.size, 1 if self.data_format == "channels_last" else 2):
            if self.interpolation == "nearest":
                x = repeat(x, factor, axis=axis)
            else:
                x = interpolate(x, axis, factor, self.interpolation)
        return x


class UpSampling3D(Layer):
    """3D upsampling layer: repeats each element of volumes along each axis.

    Args:
        size: Upsampling factors: an integer, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`;
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of shape `(batch, depth, height, width, channels)`, or with the channels
        first.

    Output shape:
        A tensor of the same data format.

    Raises:
        ValueError: `size` is invalid.

    Example:
        >>> keras.layers.UpSampling3D(2)(keras.Input((2, 2, 2, 3))).shape
        (None, 4, 4, 4, 3)
    """

    compute_mask = drop_mask

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2, 2),
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.size = int_tuple(self, "size", size, 3)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the upsampled volumes."""
        x = inputs
        for axis, factor in enumerate(self.size, 1 if self.data_format == "channels_last" else 2):
            x = repeat(x, factor, axis=axis)
        return x
