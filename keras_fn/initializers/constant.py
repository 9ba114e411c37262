"""Deterministic initializers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_fn.backend.loader import current
from keras_fn.core.argument_forms import NUMBER, check_arguments
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import SpecError, check_choice
from keras_fn.initializers.initializer import NumpyInitializer, UniformValue, check_rank
from keras_fn.random.philox import Key
from keras_fn.types import TensorLike


class Zeros(UniformValue):
    """Zeros initializer.

    Example:
        >>> convert_to_numpy(keras.initializers.Zeros()((2,))).tolist()
        [0.0, 0.0]
    """

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        return np.zeros(shape, dtype)


class Ones(UniformValue):
    """Ones initializer.

    Example:
        >>> convert_to_numpy(keras.initializers.Ones()((2,))).tolist()
        [1.0, 1.0]
    """

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        return np.ones(shape, dtype)


class Constant(NumpyInitializer):
    """Constant initializer: one value, or an array that broadcasts to the shape.

    Args:
        value: A number, a nested list, an array or a tensor.

    Example:
        >>> convert_to_numpy(keras.initializers.Constant(3)((2,))).tolist()
        [3.0, 3.0]
    """

    can_defer = False

    def __init__(self, value: TensorLike = 0.0):
        self.value = value

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        backend = current()
        value = (
            backend.convert_to_numpy(self.value) if backend.is_tensor(self.value) else self.value
        )
        return np.broadcast_to(np.asarray(value), shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constant":
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**deserialize_keras_object(config))


class Identity(NumpyInitializer):
    """Identity initializer: the identity matrix times `gain`, for matrices.

    Args:
        gain: The value of the diagonal.

    Raises:
        ValueError: On a call with a shape that is not of rank 2.

    Example:
        >>> convert_to_numpy(keras.initializers.Identity()((2, 2))).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    can_defer = False

    def __init__(self, gain: float = 1.0):
        check_arguments("Identity", {"gain": NUMBER}, {"gain": gain})
        self.gain = gain

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        check_rank(shape, len(shape) == 2, "Identity", "rank 2")
        return np.eye(*shape, dtype=dtype) * self.gain

    def get_config(self) -> dict[str, Any]:
        """Returns the gain if it is not 1, because Keras writes no gain."""
        return {} if self.gain == 1.0 else {"gain": self.gain}


class STFT(NumpyInitializer):
    """STFT initializer: convolution kernels that compute a short-time Fourier transform.

    The shape of the kernel is `(frame_length, 1, fft_length // 2 + 1)`.

    Args:
        side: The part of the transform: `"real"` or `"imag"`.
        window: The window function: `"hann"`, `"hamming"`, `"blackman"`, `"blackmanharris"`,
            `"nuttall"`, `"flattop"`, `"boxcar"`, an array of `frame_length` values, or None.
        scaling: `"density"` to divide by the square root of the window's energy, `"spectrum"` to
            divide by its sum, or None.
        periodic: Whether a named window is periodic, not symmetric.

    Raises:
        ValueError: An argument is invalid, or the length of the window is not `frame_length`.

    Example:
        >>> keras.initializers.STFT()((16, 1, 9)).shape == (16, 1, 9)
        True
    """

    can_defer = False

    def __init__(
        self,
        side: str = "real",
        window: str | ArrayLike | None = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ):
        check_choice("STFT", "side", side, ("real", "imag"))
        check_choice("STFT", "scaling", scaling, ("density", "spectrum", None))
        if isinstance(window, str):
            check_choice("STFT", "window", window, STFT_WINDOWS)
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def _values(self, shape: tuple[int, ...], dtype: str, key: Key | None) -> np.ndarray:
        check_rank(shape, len(shape) == 3, "STFT", "(frame length, channels, frequencies)")
        length, _, frequencies = shape
        time = np.arange(length).reshape(-1, 1, 1)
        frequency = np.arange(frequencies).reshape(1, 1, -1) / ((frequencies - 1) * 2)
        angle = -2.0 * np.pi * time * frequency
        kernel = np.cos(angle) if self.side == "real" else np.sin(angle)
        if self.window is not None:
            window = self._window(length)
            size = {
                "density": np.sqrt(np.sum(window**2)),
                "spectrum": np.sum(np.abs(window)),
                None: 1.0,
            }[self.scaling]
            kernel = kernel * window.reshape(-1, 1, 1) / size
        return kernel.astype(dtype)

    def _window(self, length: int) -> np.ndarray:
        if isinstance(self.window, str):
            steps = length if self.periodic else length - 1
            angles = 2.0 * np.pi * np.arange(length) / max(steps, 1)
            signed = [(-1) ** k * a for k, a in enumerate(STFT_WINDOWS[self.window])]
            terms = [a * np.cos(k * angles) for k, a in enumerate(signed)]
            return np.sum(terms, axis=0) if length > 1 else np.ones(1)
        window = np.asarray(self.window, "float64")
        if window.shape != (length,):
            raise SpecError(
                "STFT",
                expected=f"a window of shape ({length},), the length of a frame",
                received=f"shape {window.shape}",
                fix="pass a window of that length",
            )
        return window

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "side": self.side,
            "window": serialize_keras_object(self.window),
            "periodic": self.periodic,
            "scaling": self.scaling,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "STFT":
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**deserialize_keras_object(config))


STFT_WINDOWS = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "boxcar": (1.0,),
}
"""The windows of `STFT` by name: sums of cosines, with the factors that are listed."""
