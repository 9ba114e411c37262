"""Quantizers: functions from a tensor to a quantized tensor and its scale."""

from typing import Any, Self

from keras_fn.core.argument_forms import check_arguments
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.quantizers._arguments import ValueRange, check_range_fits
from keras_fn.quantizers.abs_max import FORMS, abs_max_quantize
from keras_fn.types import Axis, DTypeLike, Tensor, TensorLike


class Quantizer:
    """Base class of quantizers. Custom quantizers define `__call__` and `get_config`.

    The base class returns the tensor as it is.

    Args:
        output_dtype: The dtype of the quantized tensor.

    Example:
        >>> class Rounded(keras.quantizers.Quantizer):
        ...     def __call__(self, x):
        ...         return ops.cast(ops.round(x), self.output_dtype), ops.ones_like(x)
        >>> print(convert_to_numpy(Rounded()([1.6])[0]))
        [2]
    """

    def __init__(self, output_dtype: DTypeLike = "int8"):
        self.output_dtype = standardize_dtype(output_dtype)

    def __call__(self, x: TensorLike) -> Any:
        """Returns the quantized tensor; in most subclasses, together with its scale."""
        return x

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {"output_dtype": self.output_dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**config)


class AbsMaxQuantizer(Quantizer):
    """Absolute-maximum quantizer: scales the largest absolute value to the end of the range.

    Args:
        axis: The axes whose values share a scale, where a call names none; None for the last one.
        value_range: The lowest and the highest quantized value.
        epsilon: Added to the maximum, so that a scale is finite.
        output_dtype: The dtype of the quantized tensor.

    Raises:
        TypeError: An argument has another type.
        ValueError: The range is empty, or leaves that of the dtype.

    Example:
        >>> quantizer = keras.quantizers.AbsMaxQuantizer(axis=0)
        >>> quantized, scale = quantizer([[1.0, -2.0], [0.25, 1.0]])
        >>> print(convert_to_numpy(quantized))
        [[ 127 -127]
         [  32   64]]
    """

    def __init__(
        self,
        axis: Axis = None,
        value_range: ValueRange = (-127, 127),
        epsilon: float = 1e-07,
        output_dtype: DTypeLike = "int8",
    ):
        super().__init__(output_dtype)
        arguments = {"axis": axis, "value_range": value_range, "epsilon": epsilon}
        check_arguments("AbsMaxQuantizer", FORMS, arguments)
        check_range_fits("AbsMaxQuantizer", value_range, self.output_dtype)
        self.axis = None if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        # Tuples become lists in a file, and a config compares the range with another.
        self.value_range = (value_range[0], value_range[1])
        self.epsilon = epsilon

    def __call__(
        self, x: TensorLike, axis: Axis = None, to_numpy: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Quantizes a tensor.

        Args:
            x: Tensor of floats, of any shape.
            axis: The axes whose values share a scale. Default: those of the constructor.
            to_numpy: Whether to compute in NumPy, on the host, to save memory on the device.

        Returns:
            The quantized tensor and the scale, as `abs_max_quantize` returns them.
        """
        if axis is None:
            axis = -1 if self.axis is None else self.axis
        return abs_max_quantize(
            x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        config = {
            "value_range": self.value_range,
            "epsilon": self.epsilon,
            "output_dtype": self.output_dtype,
        }
        return config if self.axis is None else {**config, "axis": self.axis}
