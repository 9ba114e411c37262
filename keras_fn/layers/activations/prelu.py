"""The rectifier that learns its slope."""

from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.layers._arguments import add_described, describe
from keras_fn.layers._shapes import known_size
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import relu
from keras_fn.ops.arithmetic import multiply, negative, subtract


class PReLU(Layer):
    """`x` where positive, else `alpha * x`, with a learned `alpha` for each element of a sample.

    Args:
        alpha_initializer: How `alpha` begins.
        alpha_regularizer: Adds a loss of `alpha`.
        alpha_constraint: Applied to `alpha` after each update.
        shared_axes: Axes along which there is one `alpha` for all: `[1, 2]` for one a channel of
            images.

    Input: a tensor of any shape. Output: a tensor of the same shape.

    Example:
        >>> layer = keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.5))
        >>> convert_to_numpy(layer(np.array([[-1.0, 2.0]], "float32"))).tolist()
        [[-0.5, 2.0]]

    References:
        He et al., "Delving Deep into Rectifiers", 2015. https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        describe(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = shared_axes
        if shared_axes is not None:
            several = isinstance(shared_axes, (list, tuple))
            self.shared_axes = list(shared_axes) if several else [shared_axes]
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes the slopes."""
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        own = [axis for axis in range(1, len(input_shape)) if axis not in shared]
        sizes = {axis: known_size(input_shape, axis, self) for axis in own}
        shape = tuple(sizes.get(axis, 1) for axis in range(1, len(input_shape)))
        self.alpha = add_described(self, "alpha", shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        """Returns the activation of the inputs."""
        return subtract(relu(inputs), multiply(self.alpha, relu(negative(inputs))))
