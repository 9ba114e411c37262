"""AWQ: the weights of large inputs are scaled up before they are rounded.

Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration", 2023.
https://arxiv.org/abs/2306.00978

Rounding runs in NumPy, on the host; the errors of outputs, the largest products, on the device.
"""

import numpy as np

from keras_fn import ops
from keras_fn.quantizers.affine import compute_quantization_parameters
from keras_fn.quantizers.awq_config import AWQConfig
from keras_fn.quantizers.calibrated import QuantizedMatrix, unsigned_range
from keras_fn.quantizers.second_moments import SecondMoments
from keras_fn.types import ArrayLike, Tensor

_SMALLEST_MAGNITUDE = 1e-8  # smaller ones count as 1
_SMALLEST_SCALE = 1e-4


class MagnitudeStatistics:
    """The mean magnitude of each feature of a layer's inputs, and their second moments.

    Args:
        features: The size of the inputs.
    """

    def __init__(self, features: int):
        self.magnitudes: Tensor = ops.zeros((features,), dtype="float32")
        self.moments = SecondMoments(features)

    def update(self, inputs: Tensor) -> None:
        """Adds inputs to the means.

        Args:
            inputs: Tensor of shape (samples, features).
        """
        before = self.moments.count
        self.moments.update(inputs)
        share = before / self.moments.count
        x = ops.cast(ops.stop_gradient(inputs), "float32")
        mean = ops.mean(ops.abs(x), axis=0)
        self.magnitudes = ops.add(
            ops.multiply(self.magnitudes, share), ops.multiply(mean, 1 - share)
        )

    def quantize(self, kernel: np.ndarray, config: AWQConfig) -> QuantizedMatrix:
        """Quantizes the kernel of the layer.

        Args:
            kernel: Matrix of shape (inputs, outputs).
            config: The config.
        """
        magnitudes = ops.convert_to_numpy(self.magnitudes)
        return awq_quantize(kernel, magnitudes, self.moments.value, config)


def awq_quantize(
    kernel: np.ndarray, magnitudes: np.ndarray, moments: ArrayLike, config: AWQConfig
) -> QuantizedMatrix:
    """Quantizes a kernel by AWQ.

    Of the powers of the magnitudes with exponents from 0 to 1, the scale of the inputs is the one
    with the smallest squared error of the layer's outputs.

    Args:
        kernel: Matrix of shape (inputs, outputs).
        magnitudes: The mean magnitude of each input.
        moments: The second moments of the inputs, of shape (inputs, inputs).
        config: The config.

    Returns:
        The quantized kernel.
    """
    weights = np.asarray(kernel, "float32").T
    magnitudes = np.where(magnitudes < _SMALLEST_MAGNITUDE, 1, magnitudes).astype("float32")
    moments = ops.convert_to_tensor(moments, "float32")
    best, smallest_error = None, np.inf
    for i in range(config.num_grid_points + 1):
        scale = _input_scale(magnitudes, i / config.num_grid_points)
        quantized = _quantize_scaled(weights, scale, config)
        error = _output_error(weights - quantized.dequantize(), moments)
        if best is None or error < smallest_error:
            best, smallest_error = quantized, error
    assert best is not None  # there is at least one point
    return best


def _output_error(errors: np.ndarray, moments: Tensor) -> float:
    """Returns the mean squared error of the outputs, times their number, for errors of weights."""
    weighted = ops.matmul(errors, moments)
    return float(ops.sum(ops.multiply(weighted, errors)))


def _input_scale(magnitudes: np.ndarray, exponent: float) -> np.ndarray:
    """Returns a power of the magnitudes, divided by the geometric mean of its extremes."""
    scale = np.maximum(magnitudes ** np.float32(exponent), np.float32(_SMALLEST_SCALE))
    return scale / np.sqrt(scale.max() * scale.min())


def _quantize_scaled(
    weights: np.ndarray, input_scale: np.ndarray, config: AWQConfig
) -> QuantizedMatrix:
    """Quantizes weights of shape (outputs, inputs) after a scaling of the inputs."""
    value_range, count = unsigned_range(config.weight_bits), weights.shape[1]
    scaled = weights * input_scale
    scale, zero_point = compute_quantization_parameters(
        scaled,
        value_range,
        group_size=config.group_size,
        xp=np,
    )
    group_size = count if config.group_size == -1 else config.group_size
    groups = np.arange(count) // group_size
    shifted = np.round(scaled / scale[:, groups] + zero_point[:, groups])
    return QuantizedMatrix(
        codes=np.clip(shifted, *value_range).astype("uint8"),
        scale=scale,
        zero_point=zero_point.astype("uint8"),
        group_index=groups.astype("float32"),
        input_scale=input_scale,
    )
