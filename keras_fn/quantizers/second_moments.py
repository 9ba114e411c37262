"""Second moments of the inputs of a layer: how errors of its weights add up in its outputs."""

from keras_fn import ops
from keras_fn.types import Tensor


class SecondMoments:
    """The mean of `x x^T` over inputs x.

    Args:
        features: The size of the inputs.

    Attributes:
        value: The mean, of shape (features, features), in float32.
        count: The number of inputs.
    """

    def __init__(self, features: int):
        self.value: Tensor = ops.zeros((features, features), dtype="float32")
        self.count = 0

    def update(self, inputs: Tensor) -> None:
        """Adds inputs to the mean.

        Args:
            inputs: Tensor of shape (samples, features).
        """
        x = ops.cast(ops.stop_gradient(inputs), "float32")
        new = int(x.shape[0])
        total = self.count + new
        moments = ops.divide(ops.matmul(ops.transpose(x), x), total)
        self.value = ops.add(ops.multiply(self.value, self.count / total), moments)
        self.count = total
