"""Layer scale: a trainable factor for each channel."""

from typing import Unpack

from keras_fn.core.input_spec import InputSpec
from keras_fn.errors import SpecError
from keras_fn.initializers import Constant
from keras_fn.layers._arguments import positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import multiply
from keras_fn.types import Shape, Tensor


class LayerScale(Layer):
    """Layer scale: multiplies each channel with a trainable factor, which is small at first.

    A deep residual network trains better if its branches contribute little in the beginning. The
    layer is not in `keras.layers`; files of ConvNeXt models name it.

    Args:
        init_values: First value of the factors.
        projection_dim: Number of channels.

    Input shape:
        A tensor of rank 1 or more; the channels are the last axis.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `init_values` is not a number, `projection_dim` is not a positive integer, or
            the input has another number of channels.

    Example:
        >>> from keras_fn.layers.core.layer_scale import LayerScale
        >>> convert_to_numpy(LayerScale(0.5, 2)(np.ones((1, 2), "float32"))).tolist()
        [[0.5, 0.5]]

    References:
        Touvron et al., "Going Deeper with Image Transformers", 2021.
        https://arxiv.org/abs/2103.17239
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = positive_int(self, "projection_dim", projection_dim)
        self.input_spec = InputSpec(min_ndim=1)

    def build(self, input_shape: Shape) -> None:
        """Creates the factors."""
        if input_shape[-1] != self.projection_dim:
            raise SpecError(
                self._label,
                expected=f"an input of {self.projection_dim} channels on the last axis",
                received=f"shape {tuple(input_shape)}",
                fix="give the input a known number of channels"
                if input_shape[-1] is None
                else f"pass projection_dim={input_shape[-1]}",
            )
        self.gamma = self.add_weight((self.projection_dim,), Constant(self.init_values))

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the inputs times the factors."""
        return multiply(inputs, self.gamma)
