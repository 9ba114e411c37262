"""GPTQ: weights are rounded one input after the other, and the later ones make up for the errors.

Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
2022. https://arxiv.org/abs/2210.17323

It runs in NumPy, on the host: a long loop of small steps, with the same result on every backend.
"""

import numpy as np

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.quantizers.affine import compute_quantization_parameters
from keras_fn.quantizers.calibrated import QuantizedMatrix, unsigned_range
from keras_fn.quantizers.gptq_config import GPTQConfig
from keras_fn.quantizers.second_moments import SecondMoments

_BLOCK_SIZE = 128  # inputs whose errors are passed on to the later ones in one matrix product


class HessianStatistics(SecondMoments):
    """The Hessian of the squared error of a layer's outputs: twice the second moments of inputs."""

    def quantize(self, kernel: np.ndarray, config: GPTQConfig) -> QuantizedMatrix:
        """Quantizes the kernel of the layer.

        Args:
            kernel: Matrix of shape (inputs, outputs).
            config: The config.
        """
        return gptq_quantize(kernel, 2 * ops.convert_to_numpy(self.value), config)


def gptq_quantize(kernel: np.ndarray, hessian: np.ndarray, config: GPTQConfig) -> QuantizedMatrix:
    """Quantizes a kernel by GPTQ.

    Args:
        kernel: Matrix of shape (inputs, outputs).
        hessian: Matrix of shape (inputs, inputs), of twice the second moments of the inputs.
        config: The config.

    Returns:
        The quantized kernel.

    Raises:
        ValueError: The damped Hessian is not positive definite.
    """
    weights = np.array(kernel, "float32")
    count = len(weights)
    order = np.arange(count)
    if config.activation_order:
        order = np.argsort(-np.diag(hessian), kind="stable")
    factor = _correction_factor(hessian[np.ix_(order, order)], config.hessian_damping)
    group_size = count if config.group_size == -1 else min(config.group_size, count)
    codes, scales, zero_points = _round_in_order(weights[order], factor, group_size, config)
    position = np.argsort(order)
    return QuantizedMatrix(
        codes=np.ascontiguousarray(codes[position].T),
        scale=np.concatenate(scales, axis=1),
        zero_point=np.concatenate(zero_points, axis=1).astype("uint8"),
        group_index=(position // group_size).astype("float32"),
    )


def _correction_factor(hessian: np.ndarray, damping: float) -> np.ndarray:
    """Returns the upper Cholesky factor of the inverse of the damped Hessian.

    Its row i, divided by its diagonal, says how the weights after i make up for the error of i
    while those before i are fixed.
    """
    damped = np.array(hessian, "float64")
    diagonal = np.diag(damped).copy()
    diagonal[diagonal == 0] = 1  # an input that is always 0
    np.fill_diagonal(damped, diagonal + damping * diagonal.mean())
    try:
        return np.linalg.cholesky(np.linalg.inv(damped)).T.astype("float32")
    except np.linalg.LinAlgError:
        raise SpecError(
            "GPTQ",
            expected="a Hessian that is positive definite after damping",
            received=f"one that is not, with hessian_damping={damping}",
            fix="use a larger hessian_damping, or more samples",
        ) from None


def _round_in_order(
    weights: np.ndarray, factor: np.ndarray, group_size: int, config: GPTQConfig
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Rounds the rows of `weights` one after the other, and corrects the later rows, in place.

    Returns:
        The integers, and the scales and zero points of each group, of shape (outputs, 1).
    """
    value_range = unsigned_range(config.weight_bits)
    codes = np.empty(weights.shape, "uint8")
    scales, zero_points = [], []
    for start in range(0, len(weights), _BLOCK_SIZE):
        block = slice(start, min(start + _BLOCK_SIZE, len(weights)))
        errors = np.empty_like(weights[block])
        for i in range(block.start, block.stop):
            if i % group_size == 0:
                scale, zero_point = compute_quantization_parameters(
                    weights[i : i + group_size].T,
                    value_range,
                    symmetric=config.symmetric,
                    per_channel=config.per_channel,
                    xp=np,
                )
                scales.append(scale)
                zero_points.append(zero_point)
            scale, zero_point = scales[-1][:, 0], zero_points[-1][:, 0]
            rounded = np.clip(np.round(weights[i] / scale + zero_point), *value_range)
            codes[i] = rounded
            error = (weights[i] - scale * (rounded - zero_point)) / factor[i, i]
            weights[i + 1 : block.stop] -= np.outer(factor[i, i + 1 : block.stop], error)
            errors[i - start] = error
        weights[block.stop :] -= factor[block, block.stop :].T @ errors
    return codes, scales, zero_points
