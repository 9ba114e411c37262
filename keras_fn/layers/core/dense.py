"""The fully connected layer."""

from typing import Any

from keras_fn import activations, constraints, initializers, regularizers
from keras_fn.core.input_spec import InputSpec
from keras_fn.layers._shapes import known_size
from keras_fn.layers.layer import Layer
from keras_fn.ops.dense import dense


class Dense(Layer):
    """Affine map of the last axis: `activation(inputs @ kernel + bias)`.

    Args:
        units: Size of the output's last axis.
        activation: Applied to the result; none by default.
        use_bias: Whether a bias is added.
        kernel_initializer: How the kernel begins.
        bias_initializer: How the bias begins.
        kernel_regularizer: Adds a loss of the kernel.
        bias_regularizer: Adds a loss of the bias.
        activity_regularizer: Adds a loss of the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input: a tensor of shape `(batch, ..., features)`. Output: `(batch, ..., units)`.

    Example:
        >>> keras.layers.Dense(4)(keras.Input((3,))).shape
        (None, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units <= 0:
            raise ValueError(f"Dense: units must be a positive integer, not {units!r}.")
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True
        self.bias = None

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the bias if there is one."""
        features = known_size(input_shape, -1, self)
        self.kernel = self.add_weight(
            (features, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        """Returns the mapped inputs."""
        return self.activation(dense(inputs, self.kernel, self.bias))
