"""Mel spectrograms of audio signals."""

from collections.abc import Collection
from typing import Any, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.memoize import memoize
from keras_fn.core.tracing import assume_constant_result
from keras_fn.layers._arguments import argument_error, nonnegative_number, positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.ops.arithmetic import add, maximum, multiply, power, square, subtract
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import swapaxes
from keras_fn.ops.math import hypot, log10
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.signal import stft
from keras_fn.types import ArrayLike, DTypeLike, Tensor

_WINDOWS = ("hann", "hamming")


class MelSpectrogram(DataLayer):
    """Mel spectrogram: the energy of an audio signal over time, in bands of the mel scale.

    The magnitudes of a short-time Fourier transform (STFT) are summed in triangular bands that are
    equally wide in mel, a scale on which equal steps sound equally far apart.

    Args:
        fft_length: Length of the Fourier transforms, in samples.
        sequence_stride: Hop length: distance between the starts of consecutive frames, in samples.
        sequence_length: Length of the window, in samples; `fft_length` by default.
        window: Window function: `"hann"`, `"hamming"`, an array of `sequence_length` values, or
            None for a rectangular one.
        sampling_rate: Samples per second, in Hz.
        num_mel_bins: Number of bands.
        min_freq: Lower edge of the lowest band, in Hz.
        max_freq: Upper edge of the highest band, in Hz; half of the sampling rate by default.
        power_to_db: Whether the energies are converted to decibels.
        top_db: Dynamic range in decibels: what is more than this below the maximum of a sample is
            raised to it.
        mag_exp: Exponent of the magnitudes: 1 for magnitudes, 2 for powers.
        min_power: Lower limit of the energies before the logarithm.
        ref_power: The energy of 0 decibels.

    Input shape:
        A tensor of numbers, of shape `(samples,)` or `(batch, ..., samples)`, with more than
        `fft_length // 2` samples.

    Output shape:
        A tensor of floats, of shape `(..., num_mel_bins, 1 + samples // sequence_stride)`.

    Raises:
        ValueError: A length or a frequency is not positive, or `sequence_length` is above
            `fft_length`.

    Example:
        >>> layer = keras.layers.MelSpectrogram(fft_length=512, sequence_stride=256)
        >>> layer(np.sin(np.arange(4096) / 10)).shape == (128, 17)
        True

    References:
        Davis and Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
        Recognition in Continuously Spoken Sentences", 1980.
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: str | ArrayLike | None = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.fft_length = positive_int(self, "fft_length", fft_length)
        self.sequence_stride = positive_int(self, "sequence_stride", sequence_stride)
        length = sequence_length or fft_length
        self.sequence_length = positive_int(self, "sequence_length", length)
        if length > fft_length:
            raise argument_error(
                self,
                "sequence_length",
                f"at most fft_length={fft_length}",
                sequence_length,
                "raise fft_length, to which the frames are padded",
            )
        self.window = check_window(self, window, length, _WINDOWS)
        self.sampling_rate = positive_int(self, "sampling_rate", sampling_rate)
        self.num_mel_bins = positive_int(self, "num_mel_bins", num_mel_bins)
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        if not 0 <= min_freq < self.max_freq:
            raise argument_error(
                self,
                "min_freq",
                f"a frequency from 0 to below max_freq={self.max_freq}",
                min_freq,
                "pass the edges of the bands in Hz",
            )
        self.power_to_db = power_to_db
        self.top_db = nonnegative_number(self, "top_db", top_db)
        self.mag_exp = nonnegative_number(self, "mag_exp", mag_exp)
        self.min_power = nonnegative_number(self, "min_power", min_power)
        self.ref_power = ref_power
        self.input_spec = InputSpec(min_ndim=1)
        self.autocast = False  # transforms are computed in float32 at least

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the spectrograms."""
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        real, imaginary = stft(
            cast(inputs, dtype),
            self.sequence_length,
            self.sequence_stride,
            self.fft_length,
            self.window,
        )
        if self.mag_exp == 2:
            energies = add(square(real), square(imaginary))
        else:
            energies = power(hypot(real, imaginary), self.mag_exp)
        outputs = matmul(energies, self._band_weights(dtype))
        if self.power_to_db:
            outputs = self._to_decibels(outputs)
        return cast(swapaxes(outputs, -1, -2), self.compute_dtype)

    def _band_weights(self, dtype: str) -> np.ndarray:
        bins = self.fft_length // 2 + 1
        edges = self.min_freq, self.max_freq
        return _mel_weights(self.num_mel_bins, bins, self.sampling_rate, *edges, dtype)

    def _to_decibels(self, energies: Any) -> Any:
        decibels = multiply(log10(maximum(energies, self.min_power)), 10.0)
        reference = 10.0 * np.log10(max(abs(float(self.ref_power)), self.min_power))
        decibels = subtract(decibels, float(reference))
        loudest = max_(decibels, axis=(-2, -1), keepdims=True)
        return maximum(decibels, subtract(loudest, self.top_db))

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: DTypeLike = "float32",
    ) -> Tensor:
        """Returns the weights of frequencies in the bands of the mel scale: triangles of height 1.

        Args:
            num_mel_bins: Number of bands.
            num_spectrogram_bins: Number of frequencies, from 0 to half of the sampling rate:
                `fft_length // 2 + 1`.
            sampling_rate: Samples per second, in Hz.
            lower_edge_hertz: Lower edge of the lowest band, in Hz.
            upper_edge_hertz: Upper edge of the highest band, in Hz.
            dtype: Dtype of the weights.

        Returns:
            A tensor of shape `(num_spectrogram_bins, num_mel_bins)`, with which spectrograms of
            shape `(..., num_spectrogram_bins)` are multiplied. The row of the frequency 0 is 0.
        """
        edges = lower_edge_hertz, upper_edge_hertz
        weights = _mel_weights(num_mel_bins, num_spectrogram_bins, sampling_rate, *edges, "float64")
        return convert_to_tensor(weights, dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "window": window_config(self.window)}


def check_window(layer: Any, window: Any, length: int, names: Collection[str]) -> Any:
    """Returns a window function: its name, its values as an array, or None.

    Args:
        layer: The layer, for errors.
        window: The argument.
        length: The number of values that it must have.
        names: The names of window functions.

    Raises:
        SpecError: The name is unknown, or the number of values differs.
    """
    if window is None or (isinstance(window, str) and window in names):
        return window
    if isinstance(window, str) or np.shape(window) != (length,):
        raise argument_error(
            layer,
            "window",
            f"{', '.join(map(repr, names))}, {length} values, or None",
            window if isinstance(window, str) else f"values of shape {np.shape(window)}",
            "for example window='hann'",
        )
    is_tensor = current().is_tensor(window)
    return current().convert_to_numpy(window) if is_tensor else np.asarray(window)


def window_config(window: Any) -> Any:
    """Returns a window function as a plain value, for a config.

    Args:
        window: A name, an array or None.
    """
    return window.tolist() if isinstance(window, np.ndarray) else window


@memoize
@assume_constant_result
def _mel_weights(
    bands: int, bins: int, sampling_rate: float, lowest: float, highest: float, dtype: str
) -> np.ndarray:
    """Returns the weights of frequencies in bands, of shape `(bins, bands)`."""
    frequencies = _to_mel(np.linspace(0.0, sampling_rate / 2, bins))[:, np.newaxis]
    edges = np.linspace(_to_mel(lowest), _to_mel(highest), bands + 2)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies - lower) / (center - lower)
    falling = (upper - frequencies) / (upper - center)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0  # the mean of the signal, as in the Hidden Markov Model Toolkit
    return weights.astype(dtype)


def _to_mel(frequency: Any) -> Any:
    """Converts a frequency from Hz to mel."""
    return 1127.0 * np.log1p(frequency / 700.0)
