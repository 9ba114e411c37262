"""What methods that calibrate with data make of a kernel."""

from dataclasses import dataclass

import numpy as np

from keras_fn.quantizers._arguments import ValueRange


@dataclass(frozen=True)
class QuantizedMatrix:
    """A quantized kernel, with a row for each output channel, on the host.

    Attributes:
        codes: The integers from 0, of shape (outputs, inputs), as uint8.
        scale: The scales, of shape (outputs, groups).
        zero_point: The zero points, of shape (outputs, groups), as uint8.
        group_index: The group of each input, of shape (inputs,), as float32.
        input_scale: What the weights of each input were multiplied by before they were quantized,
            of shape (inputs,); None for 1.
    """

    codes: np.ndarray
    scale: np.ndarray
    zero_point: np.ndarray
    group_index: np.ndarray
    input_scale: np.ndarray | None = None

    def dequantize(self) -> np.ndarray:
        """Returns the weights, of shape (outputs, inputs)."""
        groups = self.group_index.astype("int32")
        zero_point = self.zero_point.astype(self.scale.dtype)
        weights = self.scale[:, groups] * (self.codes - zero_point[:, groups])
        return weights if self.input_scale is None else weights / self.input_scale


def unsigned_range(bits: int) -> ValueRange:
    """Returns the lowest and the highest unsigned integer of some bits."""
    return 0, 2**bits - 1
