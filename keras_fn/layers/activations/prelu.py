"""The parametric rectified linear unit (PReLU)."""

from collections.abc import Sequence
from typing import Unpack, cast

from keras_fn.core.input_spec import InputSpec
from keras_fn.layers._arguments import add_weight_from_spec, set_weight_spec
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops.activations import relu
from keras_fn.ops.arithmetic import multiply, negative, subtract
from keras_fn.types import ConstraintLike, InitializerLike, RegularizerLike, Shape, Tensor


class PReLU(Layer):
    """Parametric rectified linear unit: `x` where positive, else `alpha * x`.

    The slope `alpha` is trainable, with one value for each element of a sample.

    Args:
        alpha_initializer: Initializer for `alpha`.
        alpha_regularizer: Regularizer applied to `alpha`.
        alpha_constraint: Constraint applied to `alpha` after each update.
        shared_axes: Axes along which there is one `alpha` for all: `[1, 2]` for one a channel of
            images.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Example:
        >>> layer = keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.5))
        >>> convert_to_numpy(layer(np.array([[-1.0, 2.0]], "float32"))).tolist()
        [[-0.5, 2.0]]

    References:
        He et al., "Delving Deep into Rectifiers", 2015. https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        alpha_initializer: InitializerLike | None = "Zeros",
        alpha_regularizer: RegularizerLike | None = None,
        alpha_constraint: ConstraintLike | None = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        set_weight_spec(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = shared_axes
        if shared_axes is not None:
            several = isinstance(shared_axes, (list, tuple))
            self.shared_axes = list(shared_axes) if several else [shared_axes]
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        """Creates the slopes."""
        shared = {axis % len(input_shape) for axis in cast("list[int]", self.shared_axes or [])}
        own = [axis for axis in range(1, len(input_shape)) if axis not in shared]
        sizes = {axis: static_dim(input_shape, axis, self) for axis in own}
        shape = tuple(sizes.get(axis, 1) for axis in range(1, len(input_shape)))
        self.alpha = add_weight_from_spec(self, "alpha", shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the activation of the inputs."""
        return subtract(relu(inputs), multiply(self.alpha, relu(negative(inputs))))
