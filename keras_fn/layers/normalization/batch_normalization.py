"""Batch normalization, with batch renormalization and synchronization."""

from typing import Any, Unpack

from keras_fn import initializers
from keras_fn.core import dtypes
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.scopes import context
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import add_weight_from_spec, argument_error, set_weight_spec
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.activations import relu
from keras_fn.ops.arithmetic import add, clip, divide, maximum, minimum, multiply, square, subtract
from keras_fn.ops.autodiff import stop_gradient
from keras_fn.ops.core import cast
from keras_fn.ops.creation import ones_like
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import expand_dims, reshape
from keras_fn.ops.math import sqrt
from keras_fn.ops.normalization import batch_norm_train, batch_normalization
from keras_fn.ops.reductions import mean_over_replicas, moments, sum
from keras_fn.settings import epsilon as fuzz
from keras_fn.types import (
    ConstraintLike,
    DTypeLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)

_CLIPS = ("rmax", "rmin", "dmax")


class BatchNormalization(Layer):
    """Batch normalization: brings each channel to mean 0 and variance 1, then scales and shifts it.

    In training, it uses the mean and variance of the batch and updates their moving averages. At
    inference, and if the layer is not trainable, it uses the moving averages. The computation is
    in float32 at least.

    Args:
        axis: The axis to normalize, usually the axis of the channels.
        momentum: Exponential decay rate of the moving averages.
        epsilon: A small number that is added to the variance.
        center: Whether to add a trainable offset `beta`.
        scale: Whether to multiply by a trainable factor `gamma`.
        beta_initializer: Initializer for `beta`.
        gamma_initializer: Initializer for `gamma`.
        moving_mean_initializer: Initializer for the moving mean.
        moving_variance_initializer: Initializer for the moving variance.
        beta_regularizer: Regularizer applied to `beta`.
        gamma_regularizer: Regularizer applied to `gamma`.
        beta_constraint: Constraint applied to `beta` after each update.
        gamma_constraint: Constraint applied to `gamma` after each update.
        renorm: Whether to use batch renormalization: moving averages also correct batches in
            training, so that training and inference agree for small batches.
        renorm_clipping: A dict of the bounds `rmin` and `rmax` of the correction factor and
            `dmax` of the correction offset.
        renorm_momentum: Exponential decay rate of the moving averages for renormalization.
        synchronized: Whether the replicas of a distributed program share their batch statistics:
            see `keras.ops.moments`.

    Input shape:
        A tensor of floats of any rank. A mask has the rank of the input minus 1; masked
        elements do not contribute to the statistics.

    Output shape:
        A tensor of the same shape.

    Raises:
        ValueError: `renorm_clipping` has unknown keys, or bounds in the wrong order.

    Example:
        >>> layer = keras.layers.BatchNormalization(momentum=0.5)
        >>> y = layer(np.array([[1.0], [3.0]], "float32"), training=True)
        >>> convert_to_numpy(y).round(2).tolist(), layer.moving_mean.numpy().tolist()
        ([[-1.0], [1.0]], [1.0])

    References:
        Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
        Internal Covariate Shift", 2015. https://arxiv.org/abs/1502.03167
        Ioffe, "Batch Renormalization", 2017. https://arxiv.org/abs/1702.03275
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike | None = "zeros",
        gamma_initializer: InitializerLike | None = "ones",
        moving_mean_initializer: InitializerLike | None = "zeros",
        moving_variance_initializer: InitializerLike | None = "ones",
        beta_regularizer: RegularizerLike | None = None,
        gamma_regularizer: RegularizerLike | None = None,
        beta_constraint: ConstraintLike | None = None,
        gamma_constraint: ConstraintLike | None = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self.axis, self.synchronized = int(axis), synchronized
        self.momentum, self.epsilon = float(momentum), float(epsilon)
        self.center, self.scale = center, scale
        set_weight_spec(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        set_weight_spec(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_momentum = renorm, renorm_momentum
        limits = _renorm_limits(self, renorm_clipping)
        self.renorm_clipping = limits if renorm else renorm_clipping
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Shape) -> None:
        """Creates the scale, the shift and the moving statistics."""
        axis = normalize_axis(self.axis, len(input_shape), self._label)
        size = static_dim(input_shape, axis, self)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size})
        self._others = [i for i in range(len(input_shape)) if i != axis]
        if self.scale:
            self.gamma = add_weight_from_spec(self, "gamma", (size,), autocast=False)
        if self.center:
            self.beta = add_weight_from_spec(self, "beta", (size,), autocast=False)

        def statistic(name: str, initializer: InitializerLike | None) -> Any:
            return self.add_weight((size,), initializer, trainable=False, autocast=False, name=name)

        self.moving_mean = statistic("moving_mean", self.moving_mean_initializer)
        self.moving_variance = statistic("moving_variance", self.moving_variance_initializer)
        if self.renorm:
            self.moving_stddev = statistic("moving_stddev", self._initial_stddev)
            self.renorm_mean = statistic("renorm_mean", self.moving_mean_initializer)
            self.renorm_stddev = statistic("renorm_stddev", self._initial_stddev)

    def _initial_stddev(self, shape: Any, dtype: DTypeLike | None = None) -> Any:
        initializer = self.moving_variance_initializer or initializers.Ones()
        return sqrt(initializer(shape, dtype=dtype))

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Returns the normalized inputs."""
        dtype = dtypes.result_type(inputs.dtype, "float32")
        x = cast(inputs, dtype)
        weights: Any = (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        if self.variable_dtype != dtype:
            weights = [v if v is None else cast(v, dtype) for v in weights]
        gamma, beta, mean, variance = weights
        if training and self.trainable:
            is_alone = not self.synchronized and context.current.replica is None
            if mask is None and not self.renorm and is_alone:  # one fused op
                y, mean, variance = batch_norm_train(x, gamma, beta, self.axis, self.epsilon)
                self._update_moving_moments(mean, variance)
                return cast(y, self.compute_dtype)
            mean, variance = self._statistics(x, mask)
            if self.renorm:
                gamma, beta = self._batch_renorm(mean, variance)
                self._update_renorm_moments(mean, variance)
            else:
                self._update_moving_moments(mean, variance)
        y = batch_normalization(x, mean, variance, self.axis, beta, gamma, self.epsilon)
        return cast(y, self.compute_dtype)

    def _statistics(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Mean and variance of each channel, over elements that are not masked."""
        synchronized = self.synchronized or context.current.replica is not None
        if mask is None:
            return moments(x, self._others, synchronized=synchronized)
        if len(mask.shape) != len(x.shape) - 1:
            raise SpecError(
                self._label,
                expected=f"a mask of rank {len(x.shape) - 1}, the rank of the inputs minus 1",
                received=f"mask {tuple(mask.shape)}, inputs {tuple(x.shape)}",
                fix="remove the last axis of the mask",
            )
        counted = expand_dims(cast(mask, "bool"), -1)

        def total(values: Any) -> Any:
            result = sum(where(counted, values, 0), self._others, keepdims=True)
            return mean_over_replicas(result) if synchronized else result

        number = add(total(ones_like(x)), fuzz())
        mean = divide(total(x), number)
        variance = divide(total(square(subtract(x, mean))), number)
        return reshape(mean, (-1,)), reshape(variance, (-1,))

    def _update_moving_moments(self, mean: Any, variance: Any) -> None:
        _update_moving_average(self.moving_mean, mean, self.momentum)
        _update_moving_average(self.moving_variance, variance, self.momentum)

    def _batch_renorm(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """Returns scale and offset with the correction towards the moving averages."""
        stddev = sqrt(add(variance, self.epsilon))
        moving = maximum(self.renorm_stddev, self.epsilon**0.5)  # not 0, early in training
        r = divide(stddev, moving)
        d = divide(subtract(mean, self.renorm_mean), moving)
        bounds = self.renorm_clipping or {}
        rmin, rmax, dmax = (bounds.get(key) for key in ("rmin", "rmax", "dmax"))
        r = r if rmin is None else maximum(r, rmin)
        r = r if rmax is None else minimum(r, rmax)
        d = d if dmax is None else clip(d, -dmax, dmax)
        r, d = stop_gradient(r), stop_gradient(d)
        if self.gamma is not None:
            r, d = multiply(r, self.gamma), multiply(d, self.gamma)
        return r, d if self.beta is None else add(d, self.beta)

    def _update_renorm_moments(self, mean: Any, variance: Any) -> None:
        """Averages the standard deviation rather than the variance, as in the paper."""
        stddev = sqrt(add(variance, self.epsilon))
        _update_moving_average(self.renorm_mean, mean, self.renorm_momentum)
        _update_moving_average(self.renorm_stddev, stddev, self.renorm_momentum)
        _update_moving_average(self.moving_mean, mean, self.momentum)
        moved = _update_moving_average(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(relu(subtract(square(moved), self.epsilon)))


def _update_moving_average(variable: Any, value: Any, momentum: float) -> Any:
    """Updates a moving average with the statistic of a batch, and returns it."""
    moved = add(multiply(variable, momentum), multiply(value, 1.0 - momentum))
    variable.assign(moved)
    return moved


def _renorm_limits(layer: Any, bounds: dict[str, float] | None) -> dict[str, float]:
    bounds = bounds or {}
    rmin, rmax, dmax = bounds.get("rmin"), bounds.get("rmax"), bounds.get("dmax")
    ordered = rmin is None or rmax is None or rmin <= rmax
    if not set(bounds) <= set(_CLIPS) or not ordered or (dmax is not None and dmax < 0):
        raise argument_error(
            layer,
            "renorm_clipping",
            "rmin <= rmax and dmax >= 0, or some of them",
            bounds,
            "for example renorm_clipping={'rmin': 0.3, 'rmax': 3.0, 'dmax': 5.0}",
        )
    return bounds
