"""Layer normalization."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn.core import dtypes
from keras_fn.errors import DTypeError
from keras_fn.layers._arguments import add_weight_from_spec, set_weight_spec
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import normalize_axes
from keras_fn.ops.arithmetic import add, multiply
from keras_fn.ops.core import cast
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import rsqrt
from keras_fn.ops.normalization import layer_normalization
from keras_fn.ops.reductions import moments
from keras_fn.types import ConstraintLike, InitializerLike, RegularizerLike, Shape, Tensor


def _checked_axis(layer: Layer, axis: Any) -> Any:
    """Returns the axis, or a list of axes."""
    if isinstance(axis, (list, tuple)) and all(isinstance(a, int) for a in axis):
        return list(axis)
    if isinstance(axis, int):
        return axis
    raise DTypeError(
        type(layer).__name__,
        expected="axis: an integer, or a list of them",
        received=f"axis={axis!r}",
        fix="for example axis=-1",
    )


def _sizes(layer: Any, input_shape: Any) -> tuple[int, ...]:
    """The sizes of the normalized axes, in ascending order of the axes."""
    axes = normalize_axes(layer.axis, len(input_shape), layer._label)
    return tuple(static_dim(input_shape, axis, layer) for axis in sorted(axes))


class LayerNormalization(Layer):
    """Layer normalization: brings each sample to mean 0 and variance 1 along `axis`.

    The result is scaled and shifted by trainable weights.

    Args:
        axis: The axis to normalize, or several.
        epsilon: A small number that is added to the variance.
        center: Whether to add a trainable offset `beta`.
        scale: Whether to multiply by a trainable factor `gamma`.
        beta_initializer: Initializer for `beta`.
        gamma_initializer: Initializer for `gamma`.
        beta_regularizer: Regularizer applied to `beta`.
        gamma_regularizer: Regularizer applied to `gamma`.
        beta_constraint: Constraint applied to `beta` after each update.
        gamma_constraint: Constraint applied to `gamma` after each update.
        rms_scaling: Whether to divide by the standard deviation only, without centering and
            offset, as in old Keras files. New models use `RMSNormalization`.

    Input shape:
        A tensor of floats of any rank.

    Output shape:
        A tensor of the same shape.

    Raises:
        TypeError: `axis` is neither an integer nor a list of them.

    Example:
        >>> y = keras.layers.LayerNormalization()(np.array([[1.0, 3.0]], "float32"))
        >>> convert_to_numpy(y).round(2).tolist()
        [[-1.0, 1.0]]

    References:
        Ba, Kiros and Hinton, "Layer Normalization", 2016. https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike | None = "zeros",
        gamma_initializer: InitializerLike | None = "ones",
        beta_regularizer: RegularizerLike | None = None,
        gamma_regularizer: RegularizerLike | None = None,
        beta_constraint: ConstraintLike | None = None,
        gamma_constraint: ConstraintLike | None = None,
        rms_scaling: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.axis = _checked_axis(self, axis)
        self.epsilon, self.rms_scaling = epsilon, rms_scaling
        self.center, self.scale = center, scale
        set_weight_spec(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        set_weight_spec(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.supports_masking = True
        self.autocast = False  # the mean is computed before rounding
        self.gamma = self.beta = None

    def build(self, input_shape: Shape) -> None:
        """Creates the scale and the shift."""
        sizes = _sizes(self, input_shape)
        if self.scale or self.rms_scaling:
            self.gamma = add_weight_from_spec(self, "gamma", sizes, autocast=False)
        if self.center and not self.rms_scaling:
            self.beta = add_weight_from_spec(self, "beta", sizes, autocast=False)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the normalized inputs."""
        gamma = self.gamma
        if self.rms_scaling and gamma is not None:
            return cast(self._scaled(inputs, gamma), self.compute_dtype)
        y = layer_normalization(inputs, gamma, self.beta, self.axis, self.epsilon)
        return cast(y, self.compute_dtype)

    def _scaled(self, inputs: Any, gamma: Any) -> Any:
        x = cast(inputs, dtypes.result_type(inputs.dtype, "float32"))
        _, variance = moments(x, self.axis, keepdims=True)
        axes = normalize_axes(self.axis, len(x.shape))
        gamma = reshape(gamma, [n if i in axes else 1 for i, n in enumerate(x.shape)])
        return multiply(multiply(x, rsqrt(add(variance, self.epsilon))), gamma)
