"""RMSprop optimizer."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.variable import Variable
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class RMSprop(Optimizer):
    """RMSprop optimizer: divides gradients by the root of a moving average of their squares.

    `v = rho * v + (1 - rho) * g**2`, and `w -= learning_rate * g / sqrt(v + epsilon)`.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        rho: Exponential decay rate for the moving averages. Default 0.9.
        momentum: Momentum of the updates; 0.0 (default) for none.
        epsilon: Small constant for numerical stability. Default 1e-7.
        centered: Whether gradients are normalized by their estimated variance instead of the
            uncentered second moment. Default False.
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
        >>> optimizer = keras.optimizers.RMSprop(0.1)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([2.0])], [v])
        >>> print(v.numpy().round(3))
        [0.684]

    References:
        Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012.
        https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
        Graves, "Generating Sequences With Recurrent Neural Networks", 2013 (centered).
        https://arxiv.org/abs/1308.0850
    """

    arguments = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            self.add_slots("velocity")
            if self.momentum > 0:
                self.add_slots("momentum")
            if self.centered:
                self.add_slots("average_gradient")

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """`w -= lr * g / sqrt(v + epsilon)`, optionally centered, optionally with momentum."""
        new_slots = [xp.lerp_square(slots[0], g, 1 - self.rho)]
        variance, mean_slots = new_slots[0], []
        if self.centered:
            mean_slots = [xp.lerp(slots[-1], g, 1 - self.rho)]
            variance = variance - xp.square(mean_slots[0])
        deviation = xp.sqrt(variance + self.epsilon)
        if self.momentum > 0:
            m = slots[1]
            m *= self.momentum
            m = xp.sub_scaled_ratio(m, g, deviation, -lr)
            w -= m
            new_slots.append(m)
        else:
            w = xp.sub_scaled_ratio(w, g, deviation, lr)
        return w, [*new_slots, *mean_slots]
