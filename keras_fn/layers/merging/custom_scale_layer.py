"""Scaled residual addition."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.layers._options import LayerOptions
from keras_fn.layers.merging.base_merge import Merge
from keras_fn.ops.arithmetic import add, multiply


class CustomScaleLayer(Merge):
    """Scaled residual addition: the first input plus `scale` times the second.

    The layer is not in `keras.layers`; files of InceptionResNetV2 name it.

    Args:
        scale: The factor of the second input, the residual branch.

    Input shape:
        A list of two tensors whose shapes broadcast.

    Output shape:
        A tensor of the broadcast shape.

    Raises:
        ValueError: `scale` is not a number, the inputs are not two tensors, or their shapes are
            incompatible.

    Example:
        >>> from keras_fn.layers.merging.custom_scale_layer import CustomScaleLayer
        >>> x = np.ones((1, 2), "float32")
        >>> convert_to_numpy(CustomScaleLayer(0.5)([x, x])).tolist()
        [[1.5, 1.5]]

    References:
        Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
        Learning", 2016. https://arxiv.org/abs/1602.07261
    """

    _at_least = _at_most = 2

    def __init__(self, scale: float, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.scale = scale

    def _merge(self, inputs: Sequence[Any], mask: Any) -> Any:
        return add(inputs[0], multiply(inputs[1], self.scale))
