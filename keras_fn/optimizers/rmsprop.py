"""RMSprop."""

from collections.abc import Sequence
from typing import Any

from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class RMSprop(Optimizer):
    """Divides the gradient by the root of a moving average of its square.

    `v = rho * v + (1 - rho) * g**2`, and `w -= learning_rate * g / sqrt(v + epsilon)`.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        rho: How much of the moving averages stays, each step.
        momentum: If positive, the steps are added up with this decay.
        epsilon: Keeps the root away from zero.
        centered: Whether the variance divides rather than the second moment: the square of a
            moving average of the gradient is taken from `v`.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

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
        learning_rate: Any = 0.001,
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
        **kwargs: Any,
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

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            self.add_slots("velocity")
            if self.momentum > 0:
                self.add_slots("momentum")
            if self.centered:
                self.add_slots("average_gradient")

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr * g / sqrt(v + epsilon)`, perhaps centered, perhaps with momentum."""
        new = [xp.lerp_square(slots[0], g, 1 - self.rho)]
        variance, means = new[0], []
        if self.centered:
            means = [xp.lerp(slots[-1], g, 1 - self.rho)]
            variance = variance - xp.square(means[0])
        deviation = xp.sqrt(variance + self.epsilon)
        if self.momentum > 0:
            m = slots[1]
            m *= self.momentum
            m = xp.sub_scaled_ratio(m, g, deviation, -lr)
            w -= m
            new.append(m)
        else:
            w = xp.sub_scaled_ratio(w, g, deviation, lr)
        return w, [*new, *means]
