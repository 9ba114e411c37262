"""Spectrograms of audio signals, by convolutions whose kernels can be trained."""

from typing import Any, Unpack

import numpy as np

from keras_fn.core.dtypes import is_float
from keras_fn.core.input_spec import InputSpec
from keras_fn.errors import DTypeError
from keras_fn.initializers import STFT
from keras_fn.initializers.constant import STFT_WINDOWS
from keras_fn.layers._arguments import argument_error, one_of, positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.layers.preprocessing.mel_spectrogram import check_window, window_config
from keras_fn.ops.arithmetic import add, maximum, multiply, square
from keras_fn.ops.convolution import conv
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.joining_splitting import concatenate, split
from keras_fn.ops.manipulation import reshape, transpose
from keras_fn.ops.math import log, sqrt
from keras_fn.ops.trigonometric import arctan2
from keras_fn.settings import epsilon, standardize_data_format
from keras_fn.types import ArrayLike, Shape, Tensor

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(DataLayer):
    """Spectrogram by a short-time Fourier transform (STFT), as a convolution over time.

    The kernels start as windowed sines and cosines. They are weights: a model can fine-tune them,
    unless the layer is created with `trainable=False`.

    Args:
        mode: The output: `"magnitude"`, its logarithm `"log"`, the power spectral density `"psd"`,
            the `"real"` or the `"imag"` part, the phase `"angle"`, or `"stft"`: both parts, one
            after the other along the frequencies.
        frame_length: Length of the frames, in samples.
        frame_step: Hop length: distance between the starts of consecutive frames, in samples. Half
            of `frame_length` by default.
        fft_length: Length of the Fourier transforms; the smallest power of two that is not below
            `frame_length` by default.
        window: Window function: a name such as `"hann"` or `"hamming"`, as `initializers.STFT`
            takes it, an array of `frame_length` values, or None for a rectangular one.
        periodic: Whether a named window is periodic, not symmetric.
        scaling: `"density"` to divide by the square root of the window's energy, `"spectrum"` to
            divide by its sum, or None.
        padding: `"valid"`, or `"same"` to pad with zeros, so that there is a frame for each step.
        expand_dims: Whether channels have an axis of their own, as in images.
        data_format: `"channels_last"` or `"channels_first"`: of the input and the output.
            `keras.config.image_data_format()` by default.

    Input shape:
        A tensor of floats of shape `(batch, samples, channels)`, or `(batch, channels, samples)`
        with `"channels_first"`.

    Output shape:
        With channels last `(batch, frames, channels * frequencies)`, or with `expand_dims`
        `(batch, frames, frequencies, channels)`; with channels first
        `(batch, channels * frequencies, frames)` or `(batch, channels, frames, frequencies)`.
        There are `fft_length // 2 + 1` frequencies, and twice as many in `"stft"`.

    Raises:
        ValueError: An argument is invalid, `frame_step` is above `frame_length`, or `fft_length`
            below.
        TypeError: The input is not a tensor of floats.

    Example:
        >>> layer = keras.layers.STFTSpectrogram(frame_length=64, frame_step=32)
        >>> layer(np.zeros((2, 320, 1), "float32")).shape == (2, 9, 33)
        True

    References:
        Cheuk, Anderson, Agres and Herremans, "nnAudio: An on-the-fly GPU Audio to Spectrogram
        Conversion Toolbox Using 1D Convolutional Neural Networks", 2020.
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: str | ArrayLike | None = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.mode = one_of(self, "mode", mode, _MODES)
        self.frame_length = positive_int(self, "frame_length", frame_length)
        self.frame_step, self.fft_length = frame_step, fft_length
        self._step = max(frame_length // 2, 1) if frame_step is None else frame_step
        if not 1 <= self._step <= frame_length:
            raise argument_error(
                self,
                "frame_step",
                f"an integer from 1 to frame_length={frame_length}",
                frame_step,
                "for example half of frame_length",
            )
        smallest = 1 << (frame_length - 1).bit_length()
        length = smallest if fft_length is None else fft_length
        if length < frame_length:
            raise argument_error(
                self,
                "fft_length",
                f"at least frame_length={frame_length}",
                fft_length,
                f"for example fft_length={smallest}",
            )
        self._bins = length // 2 + 1
        self.window = check_window(self, window, frame_length, STFT_WINDOWS)
        self.periodic = periodic
        self.scaling = None if scaling is None else one_of(self, "scaling", scaling, _SCALINGS)
        self.padding = one_of(self, "padding", padding, ("valid", "same"))
        self.expand_dims = expand_dims
        self.data_format = standardize_data_format(data_format)
        self._is_channels_last = self.data_format == "channels_last"
        self.input_spec = InputSpec(ndim=3)
        self.real_kernel: Any = None
        self.imag_kernel: Any = None

    def build(self, input_shape: Shape) -> None:
        """Creates the kernels: of the real part, of the imaginary part, or of both."""
        axis = -1 if self._is_channels_last else 1
        channels = static_dim(input_shape, axis, self)
        self.input_spec = InputSpec(ndim=3, axes={axis: channels})

        def kernel(side: str) -> Any:
            return self.add_weight(
                (self.frame_length, 1, self._bins),
                STFT(side, self.window, self.scaling, self.periodic),
                name=f"{side}_kernel",
            )

        if self.mode != "imag":
            self.real_kernel = kernel("real")
        if self.mode != "real":
            self.imag_kernel = kernel("imag")

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the spectrograms."""
        if not is_float(dtype_of(inputs)):
            raise DTypeError(
                self._label,
                expected="floats",
                received=f"a tensor of dtype {dtype_of(inputs)}",
                fix="convert the samples to floats: keras_fn.ops.cast(inputs, 'float32')",
            )
        signals, channels = self._split_channels(inputs)
        if self.mode in ("real", "imag"):
            kernel = self.real_kernel if self.mode == "real" else self.imag_kernel
            return self._join_channels(self._transform(signals, kernel), channels)
        # One convolution: each frame is read once.
        kernels = concatenate([self.real_kernel, self.imag_kernel], axis=-1)
        parts = self._transform(signals, kernels)
        if self.mode == "stft":
            return self._join_channels(parts, channels)
        real, imaginary = split(parts, 2, axis=-1)
        if self.mode == "angle":
            return self._join_channels(arctan2(imaginary, real), channels)
        power = add(square(real), square(imaginary))
        return self._join_channels(self._from_power(power), channels)

    def _from_power(self, power: Any) -> Any:
        if self.mode == "psd":  # of negative frequencies, too: all but the first and the last
            sides = np.full(self._bins, 2.0)
            sides[[0, -1]] = 1.0
            return multiply(power, cast(sides, self.compute_dtype))
        power = maximum(power, epsilon())
        return sqrt(power) if self.mode == "magnitude" else multiply(log(power), 0.5)

    def _split_channels(self, inputs: Any) -> tuple[Any, int]:
        """Returns the signals of all channels, of shape `(batch * channels, samples, 1)`."""
        x = transpose(inputs, (0, 2, 1)) if self._is_channels_last else inputs
        _, channels, samples = shape_of(x)
        return reshape(x, (-1, samples, 1)), channels

    def _transform(self, signals: Any, kernel: Any) -> Any:
        """Returns the products of the frames with a kernel, as `(signals, frames, features)`."""
        return conv(
            signals,
            cast(kernel, self.compute_dtype),
            strides=self._step,
            padding=self.padding,
            data_format="channels_last",
        )

    def _join_channels(self, outputs: Any, channels: int) -> Any:
        """Returns the outputs of all signals with their channels in the axes of the output."""
        _, frames, features = shape_of(outputs)
        if channels == 1 and not self.expand_dims:
            return outputs if self._is_channels_last else transpose(outputs, (0, 2, 1))
        x = reshape(outputs, (-1, channels, frames, features))
        if self.expand_dims:
            return transpose(x, (0, 2, 3, 1)) if self._is_channels_last else x
        size = channels * features
        if self._is_channels_last:
            return reshape(transpose(x, (0, 2, 1, 3)), (-1, frames, size))
        return reshape(transpose(x, (0, 1, 3, 2)), (-1, size, frames))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "window": window_config(self.window)}


_SCALINGS = ("density", "spectrum")
