"""AWQ: the weights of large inputs are scaled up before they are rounded.

Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration", 2023.
https://arxiv.org/abs/2306.00978

It runs in NumPy, on the host, with the same result on every backend.
"""

import numpy as np

from keras_fn import ops
from keras_fn.quantizers.affine import compute_quantization_parameters
from keras_fn.quantizers.awq_config import AWQConfig
from keras_fn.quantizers.calibrated import QuantizedMatrix, unsigned_range
from keras_fn.types import Tensor

_SMALLEST_INPUT = 1e-8  # smaller ones count as 1
_SMALLEST_SCALE = 1e-4


class MagnitudeStatistics:
    """The largest absolute value of each feature of a layer's inputs.

    Args:
        features: The size of the inputs.
    """

    def __init__(self, features: int):
        self.value: Tensor = ops.zeros((features,), dtype="float32")

    def update(self, inputs: Tensor) -> None:
        """Adds inputs to the maximum.

        Args:
            inputs: Tensor of shape (samples, features).
        """
        largest = ops.max(ops.abs(ops.cast(inputs, "float32")), axis=0)
        self.value = ops.maximum(self.value, largest)

    def quantize(self, kernel: np.ndarray, config: AWQConfig) -> QuantizedMatrix:
        """Quantizes the kernel of the layer.

        Args:
            kernel: Matrix of shape (inputs, outputs).
            config: The config.
        """
        return awq_quantize(kernel, ops.convert_to_numpy(self.value), config)


def awq_quantize(kernel: np.ndarray, magnitudes: np.ndarray, config: AWQConfig) -> QuantizedMatrix:
    """Quantizes a kernel by AWQ.

    Of the powers of the magnitudes with exponents from 0 to 1, the input scale is the one whose
    weights have the smallest squared error, weighted by the squared magnitudes.

    Args:
        kernel: Matrix of shape (inputs, outputs).
        magnitudes: The largest absolute value of each input.
        config: The config.

    Returns:
        The quantized kernel.
    """
    weights = np.asarray(kernel, "float32").T
    largest = np.where(magnitudes < _SMALLEST_INPUT, 1, magnitudes).astype("float32")
    best, smallest_error = None, np.inf
    for i in range(config.num_grid_points + 1):
        quantized = _quantize_scaled(
            weights, _input_scale(largest, i / config.num_grid_points), config
        )
        error = np.mean(((weights - quantized.dequantize()) * largest) ** 2)
        if best is None or error < smallest_error:
            best, smallest_error = quantized, error
    assert best is not None  # there is at least one point
    return best


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
