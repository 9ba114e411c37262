"""Spectral normalization."""

from typing import Any, Unpack

from keras_fn import initializers
from keras_fn.core.scopes import AutocastScope
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import positive_int
from keras_fn.layers._options import LayerOptions
from keras_fn.layers.core.wrapper import Wrapper
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import add, divide, subtract
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.logic import any as any_true, not_equal, where
from keras_fn.ops.manipulation import reshape, transpose
from keras_fn.ops.normalization import normalize
from keras_fn.types import Nested, Tensor


class SpectralNormalization(Wrapper):
    """Spectral normalization: divides the kernel of a layer by its spectral norm.

    The spectral norm of the kernel, as a matrix of shape `(inputs, outputs)`, is its largest
    singular value, which the power iteration estimates from a vector that is kept from step to
    step. In training, each call first replaces the kernel; it has effect on the layer itself, too.
    At inference the kernel is used as it is.

    Args:
        layer: A layer with a `kernel` (`Dense`, `Conv2D` …) or `embeddings`.
        power_iterations: Number of steps of the power iteration in each call.

    Input shape:
        The same as of `layer`.

    Output shape:
        The same as of `layer`.

    Raises:
        ValueError: `power_iterations` is not a positive integer, or the layer has no such weight.

    Example:
        >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(2), power_iterations=50)
        >>> y = layer(np.ones((1, 3), "float32"), training=True)
        >>> float(np.linalg.norm(layer.layer.kernel.numpy(), 2).round(3))
        1.0

    References:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018.
        https://arxiv.org/abs/1802.05957
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Unpack[LayerOptions]):
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_int(self, "power_iterations", power_iterations)

    def build(self, input_shape: Nested) -> None:
        """Builds the layer, and creates the vector of the power iteration."""
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", None)
        self.kernel: Any = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if self.kernel is None:
            raise SpecError(
                self._label,
                expected="a layer with a kernel or embeddings",
                received=f"{type(self.layer).__name__} layer {self.layer.name!r}",
                fix="wrap a layer such as Dense, Conv2D or Embedding",
            )
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            initializers.TruncatedNormal(stddev=0.02),
            dtype=self.kernel.dtype,
            trainable=False,
            autocast=False,
            name="vector_u",
        )

    def call(self, inputs: Tensor, training: bool = False) -> Nested:
        """Returns the outputs of the layer; in training, after its kernel was normalized."""
        if training:
            with AutocastScope(None):
                vector, kernel = self.normalized_weights()
                self.vector_u.assign(vector)
                # Gradients are those of the new kernel, also where variables are functional.
                previous = self.kernel.value
                change = stop_gradient(subtract(kernel, previous))
                self.kernel.assign(add(previous, change))
        return self.layer(inputs)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """Returns the vector after the power iteration, and the kernel over its spectral norm.

        A kernel of zeros stays as it is.
        """
        kernel, vector = self.kernel.value, self.vector_u.value
        matrix = reshape(kernel, (-1, self.kernel.shape[-1]))
        columns = transpose(matrix)
        u: Any = vector
        v: Any = None
        for _ in range(self.power_iterations):
            v = normalize(matmul(u, columns))
            u = normalize(matmul(v, matrix))
        norm = matmul(matmul(stop_gradient(v), matrix), transpose(stop_gradient(u)))
        has_values = any_true(not_equal(kernel, 0))
        norm = where(has_values, reshape(norm, ()), 1.0)
        return where(has_values, stop_gradient(u), vector), divide(kernel, norm)
