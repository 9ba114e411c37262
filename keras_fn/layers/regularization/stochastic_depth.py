"""Stochastic depth."""

from typing import Unpack

from keras_fn.layers._arguments import fraction
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.random import dropout
from keras_fn.types import Tensor


class StochasticDepth(Layer):
    """Stochastic depth (drop path): in training, drops the residual branch of random samples.

    It is dropout of whole samples: a sample whose branch is dropped passes the shortcut only. The
    layer is not in `keras.layers`; files of ConvNeXt models name it.

    Args:
        drop_path_rate: Probability that a sample is dropped, from 0 to 1.

    Input shape:
        A tensor of any shape with a batch axis.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `drop_path_rate` is not from 0 to 1.

    Example:
        >>> from keras_fn.layers.regularization.stochastic_depth import StochasticDepth
        >>> x = np.ones((1, 3), "float32")
        >>> convert_to_numpy(StochasticDepth(0.5)(x)).tolist()  # no effect at inference
        [[1.0, 1.0, 1.0]]

    References:
        Huang et al., "Deep Networks with Stochastic Depth", 2016. https://arxiv.org/abs/1603.09382
    """

    _has_nothing_to_build = True

    def __init__(self, drop_path_rate: float, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.drop_path_rate = fraction(self, "drop_path_rate", drop_path_rate)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the inputs, in training without those of random samples."""
        if not training or self.drop_path_rate == 0:
            return inputs
        return dropout(inputs, self.drop_path_rate, (None, *(1,) * (len(inputs.shape) - 1)))
