"""Group normalization."""

from typing import Unpack

from keras_fn.core import dtypes
from keras_fn.core.input_spec import InputSpec
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import add_weight_from_spec, argument_error, set_weight_spec
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.arithmetic import add, multiply, subtract
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.manipulation import reshape
from keras_fn.ops.math import rsqrt
from keras_fn.ops.reductions import moments
from keras_fn.types import ConstraintLike, InitializerLike, RegularizerLike, Shape, Tensor


class GroupNormalization(Layer):
    """Group normalization: brings groups of channels of a sample to mean 0 and variance 1.

    The result is scaled and shifted by trainable weights.

    Args:
        groups: Number of groups, a divisor of the number of channels. -1 for one channel per group.
        axis: The axis of the channels.
        epsilon: A small number that is added to the variance.
        center: Whether to add a trainable offset `beta`.
        scale: Whether to multiply by a trainable factor `gamma`.
        beta_initializer: Initializer for `beta`.
        gamma_initializer: Initializer for `gamma`.
        beta_regularizer: Regularizer applied to `beta`.
        gamma_regularizer: Regularizer applied to `gamma`.
        beta_constraint: Constraint applied to `beta` after each update.
        gamma_constraint: Constraint applied to `gamma` after each update.

    Input shape:
        A tensor of floats of any rank.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `groups` is invalid, or does not divide the number of channels.

    Example:
        >>> y = keras.layers.GroupNormalization(2)(np.array([[1.0, 3.0, 6.0, 8.0]], "float32"))
        >>> convert_to_numpy(y).round(2).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]

    References:
        Wu and He, "Group Normalization", 2018. https://arxiv.org/abs/1803.08494
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike | None = "zeros",
        gamma_initializer: InitializerLike | None = "ones",
        beta_regularizer: RegularizerLike | None = None,
        gamma_regularizer: RegularizerLike | None = None,
        beta_constraint: ConstraintLike | None = None,
        gamma_constraint: ConstraintLike | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        if not isinstance(groups, int) or isinstance(groups, bool) or groups < -1 or groups == 0:
            raise argument_error(
                self,
                "groups",
                "a positive integer, or -1 for one channel per group",
                groups,
                "for example groups=8",
            )
        self.groups, self.axis, self.epsilon = groups, axis, epsilon
        self.center, self.scale = center, scale
        set_weight_spec(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        set_weight_spec(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.supports_masking = True
        self.autocast = False
        self.gamma = self.beta = None

    def build(self, input_shape: Shape) -> None:
        """Creates the scale and the shift."""
        rank = len(input_shape)
        axis = normalize_axis(self.axis, rank, self._label)
        channels = static_dim(input_shape, axis, self)
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise SpecError(
                self._label,
                expected=f"a number of channels that groups={groups} divides",
                received=f"{channels} channels at axis {self.axis} (shape {tuple(input_shape)})",
                fix="change groups",
            )
        self.input_spec = InputSpec(ndim=rank, axes={axis: channels})
        self._split = (groups, channels // groups)  # the two axes that stand for the channels'
        self._channel_axis = axis
        self._normalized = [i for i in range(1, rank + 1) if i != axis]
        ones = (1,) * rank
        self._broadcast = (*ones[:axis], channels, *ones[axis + 1 :])
        if self.scale:
            self.gamma = add_weight_from_spec(self, "gamma", (channels,), autocast=False)
        if self.center:
            self.beta = add_weight_from_spec(self, "beta", (channels,), autocast=False)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the normalized inputs."""
        sizes, axis = shape_of(inputs), self._channel_axis
        x = cast(inputs, dtypes.result_type(inputs.dtype, "float32"))
        x = reshape(x, (*sizes[:axis], *self._split, *sizes[axis + 1 :]))
        mean, variance = moments(x, self._normalized, keepdims=True)
        x = multiply(subtract(x, mean), rsqrt(add(variance, self.epsilon)))
        x = reshape(x, sizes)
        if self.gamma is not None:
            x = multiply(x, reshape(self.gamma, self._broadcast))
        if self.beta is not None:
            x = add(x, reshape(self.beta, self._broadcast))
        return cast(x, self.compute_dtype)
