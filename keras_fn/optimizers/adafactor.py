"""Adafactor optimizer."""

from collections.abc import Sequence
from typing import Any, Unpack

from keras_fn import ops
from keras_fn.core.variable import Variable
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class Adafactor(Optimizer):
    """Adafactor optimizer: Adam with second moments of matrices factored into row and column means.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        beta_2_decay: Exponent of the second-moment decay rate, `1 - step ** beta_2_decay`. Default
            -0.8.
        epsilon_1: Small constant added to squared gradients. Default 1e-30.
        epsilon_2: Lower bound of the RMS of a variable, which scales its updates. Default 1e-3.
        clip_threshold: Maximum root mean square of an update. Default 1.0.
        relative_step: Whether the learning rate is at most `1 / sqrt(step)`. Default True. As in
            Keras, the bound applies to the step relative to the variable in any case.
        weight_decay: Weight decay: each step first subtracts `learning_rate * weight_decay` of each
            variable. Default None.
        clipnorm: Maximum norm of each gradient. Default None.
        clipvalue: Maximum absolute value of the elements of a gradient. Default None.
        global_clipnorm: Maximum norm of all gradients together. Default None.
        use_ema: Whether to keep an exponential moving average of each variable. Default False.
        ema_momentum: Decay rate of that moving average. Default 0.99.
        ema_overwrite_frequency: Number of updates after which variables are set to their moving
            averages; None (default) for the end of `fit` only.
        loss_scale_factor: Factor by which the loss is multiplied and gradients are divided. Default
            None.
        gradient_accumulation_steps: Number of steps over which gradients are averaged before
            variables are updated. Default None.
        name: Name of the optimizer. Default: from the class name.

    Raises:
        ValueError: An argument is out of range or unknown, or several kinds of clipping are set.

    Example:
        >>> optimizer = keras.optimizers.Adafactor(0.1)
        >>> v = keras.Variable([2.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [1.8]

    References:
        Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.
        https://arxiv.org/abs/1804.04235
    """

    arguments = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    elementwise = False

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Unpack[NoArguments],
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            slots_by_variable = [self._make_slots(v) for v in variables]
            self._slot_lists = [list(slots) for slots in zip(*slots_by_variable, strict=True)]

    def _make_slots(self, variable: Variable) -> list[Variable | None]:
        """Creates the row and column means of the second moments, and the full second moments."""
        if getattr(variable, "overwrite_with_gradient", False):
            return [None, None, None]
        shape, dtype = variable.shape, variable.dtype
        # Vectors are not factored; files of Keras hold two numbers in place of their means.
        shapes = [(), ()] if len(shape) < 2 else [shape[:-1], shape[:-2] + shape[-1:]]
        means_dtype = "int32" if len(shape) < 2 else dtype
        means = [self.add_variable(s, dtype=means_dtype, name=variable.name) for s in shapes]
        return [*means, self.add_variable_from_reference(variable, "velocity")]

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Divides by the root of the second moments, clips the update and scales it with `w`."""
        rows, columns, v = slots
        decay = 1 - step**self.beta_2_decay
        squares = xp.square(g) + self.epsilon_1
        if len(v.shape) < 2:
            v = _ema(xp, v, squares, decay)
        else:
            rows = _ema(xp, rows, ops.mean(squares, axis=-1), decay)
            columns = _ema(xp, columns, ops.mean(squares, axis=-2), decay)
            row_factor = rows / ops.mean(rows, axis=-1, keepdims=True)
            v = ops.expand_dims(row_factor, -1) * ops.expand_dims(columns, -2)
        update = g / xp.sqrt(v)
        clip_factor = ops.maximum(_root_mean_square(update) / self.clip_threshold, 1.0)
        max_rate = 1 / step**0.5
        rate = ops.minimum(lr, max_rate) if self.relative_step else lr
        scale = ops.maximum(_root_mean_square(w), self.epsilon_2) * ops.minimum(rate, max_rate)
        return xp.sub_scaled(w, update, scale / clip_factor), (rows, columns, v)


def _ema(xp: ArrayNamespace, old: Any, new: Any, decay: Tensor) -> Tensor:
    """Returns the exponential moving average `old * decay + new * (1 - decay)`."""
    return xp.scale(old, decay) + xp.scale(new, 1 - decay)


def _root_mean_square(x: Any) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(ops.cast(x, "float32"))))
