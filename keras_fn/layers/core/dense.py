"""The densely connected layer."""

from typing import TYPE_CHECKING, Any, Unpack, cast

from keras_fn import activations, constraints, initializers, regularizers
from keras_fn._lazy import LazyModule
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import add_weight_from_spec
from keras_fn.layers._lora import BaseWeight, EffectiveWeight
from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers._quantizable_layer import QuantizableLayer
from keras_fn.layers._shapes import static_dim
from keras_fn.layers._signature import ignores_training
from keras_fn.ops.arithmetic import add
from keras_fn.ops.core import dtype as dtype_of
from keras_fn.ops.dense import dense, int8_matmul
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.manipulation import transpose
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)

if TYPE_CHECKING:
    from keras_fn.layers import _quantized_weights as quantized_weights
    from keras_fn.layers._quantized_weights import WeightLayout
    from keras_fn.quantizers import QuantizationConfig
else:  # rarely needed
    quantized_weights = LazyModule("keras_fn.layers._quantized_weights")


class Dense(QuantizableLayer):
    """Densely connected layer: `activation(inputs @ kernel + bias)` along the last axis.

    Args:
        units: Number of units: the size of the last axis of the output.
        activation: Activation function applied to the result, or its name. None by default.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer for the kernel weights.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        activity_regularizer: Regularizer applied to the output.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        lora_rank: Rank of the low-rank adaptation (LoRA): the kernel is frozen, and an update of it
            is trained that is the product of two thin matrices. None: no adaptation. See
            `enable_lora`.
        lora_alpha: The update is scaled by `lora_alpha / lora_rank`. By default `lora_rank`.
        quantization_config: The quantization config of a layer whose dtype policy is quantized,
            such as `keras.quantizers.Int8QuantizationConfig()`. `quantize` sets it.

    Input shape:
        A tensor of shape `(batch, ..., features)`, most often `(batch, features)`.

    Output shape:
        A tensor of shape `(batch, ..., units)`.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:
        >>> keras.layers.Dense(4)(keras.Input((3,))).shape
        (None, 4)
    """

    _quantization_modes = ("int8", "int4", "float8", "gptq", "awq")
    kernel: Variable = cast(Any, EffectiveWeight("kernel"))
    _kernel: Variable = cast(Any, BaseWeight("kernel"))

    def __init__(
        self,
        units: int,
        activation: ActivationLike | None = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        kernel_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        activity_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: "QuantizationConfig | dict[str, Any] | None" = None,
        **kwargs: Unpack[NamedLayerOptions],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units <= 0:
            raise SpecError(
                "Dense",
                expected="units as a positive integer",
                received=f"{units!r}",
                fix="for example Dense(64)",
            )
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._set_lora(lora_rank, lora_alpha)
        self._set_quantization_config(quantization_config)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True
        self.bias = None

    def build(self, input_shape: Shape) -> None:
        """Creates the kernel and the bias."""
        features = static_dim(input_shape, -1, self)
        shape = (features, self.units)
        if self._build_quantized(shape):
            self.kernel = add_weight_from_spec(self, "kernel", shape)
        if self.use_bias:
            self.bias = add_weight_from_spec(self, "bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self._start_lora()

    @ignores_training
    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Returns the outputs, of shape `(batch, ..., units)`: the same ones in training."""
        if self._is_adapted:
            outputs = self._multiply_adapted(inputs)
            outputs = outputs if self.bias is None else add(outputs, self.bias)
        else:
            outputs = dense(inputs, self.kernel, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _multiply(self, inputs: Any, weight: Any) -> Tensor:
        return matmul(inputs, weight)

    def _product(self, inputs: Any, weight: Any) -> Tensor:
        return (int8_matmul if dtype_of(inputs) == "int8" else matmul)(inputs, weight)

    def _product_gradient(self, upstream: Any, weight: Any, inputs: Any) -> Tensor:
        return matmul(upstream, transpose(weight))

    def _weight_layouts(self, shape: Shape) -> "dict[str, WeightLayout]":
        return {"kernel": quantized_weights.WeightLayout(cast(Any, shape), "io", "o")}
