"""Activity regularization as a layer."""

from typing import Unpack

from keras_fn.layers._options import NamedLayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.regularizers import L1L2
from keras_fn.types import Tensor


class ActivityRegularization(Layer):
    """Activity regularization layer: returns its input and adds an L1 and L2 penalty of it.

    Args:
        l1: Factor of the L1 penalty, the sum of absolute values.
        l2: Factor of the L2 penalty, the sum of squares.

    Input shape:
        A tensor of any shape.

    Output shape:
        A tensor of the same shape.

    Example:
        >>> layer = keras.layers.ActivityRegularization(l1=0.5)
        >>> y = layer(np.array([[1.0, -3.0]], "float32"))
        >>> [float(loss) for loss in layer.losses]
        [2.0]
    """

    _not_in_config = frozenset({"activity_regularizer"})

    _has_nothing_to_build = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[NamedLayerOptions]):
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the inputs."""
        return inputs
