"""Rescaling of inputs."""

from collections.abc import Mapping
from typing import Any, Self, Unpack

from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import deserialize_keras_object
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import cast, convert_to_tensor
from keras_fn.ops.manipulation import reshape
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike


class Rescaling(DataLayer):
    """Rescales inputs: `inputs * scale + offset`.

    For example with `scale=1 / 255`, bytes become floats from 0 to 1.

    Args:
        scale: The factor: a number, or one for each channel.
        offset: The offset: a number, or one for each channel.

    Input shape:
        A tensor of any shape and dtype.

    Output shape:
        A tensor of the same shape, of floats.

    Example:
        >>> y = keras.layers.Rescaling(1 / 127.5, offset=-1)(np.array([0, 255], "uint8"))
        >>> convert_to_numpy(y).tolist()
        [-1.0, 1.0]
    """

    def __init__(self, scale: TensorLike, offset: TensorLike = 0.0, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.scale = deserialize_keras_object(scale)
        self.offset = deserialize_keras_object(offset)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the rescaled inputs."""
        x = cast(inputs, self.compute_dtype)
        rank = len(x.shape)
        return add(multiply(x, self._of(self.scale, rank)), self._of(self.offset, rank))

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        with CustomObjectScope(custom_objects):
            return super().from_config(config)

    def _of(self, values: Any, rank: int) -> Any:
        """Returns the numbers in the compute dtype, aligned with the channels of images."""
        if isinstance(values, (int, float)):
            return values
        values = convert_to_tensor(values, self.compute_dtype)
        is_first = settings.image_data_format == "channels_first"
        if len(values.shape) == 1 and is_first and rank >= 3:
            return reshape(values, (-1, 1, 1))
        return values
