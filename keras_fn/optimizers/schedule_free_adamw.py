"""Schedule-free AdamW."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class ScheduleFreeAdamW(Optimizer):
    """AdamW that needs no schedule: gradients are taken between the iterates and their average.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        beta_1: How near to the average the gradient is taken.
        beta_2: How much of the average of the squared gradient stays, each step.
        epsilon: Keeps the divisor away from zero.
        warmup_steps: Over how many steps the learning rate rises from zero.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.ScheduleFreeAdamW(0.1)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [0.9]

    References:
        Defazio et al., "The Road Less Scheduled", 2024. https://arxiv.org/abs/2405.15682
    """

    arguments = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            self.add_slots("momentum", "velocity")
            for z, v in zip(self._slot_lists[0], variables, strict=True):
                if z is not None:
                    z.assign(v)  # the iterates start where the variables do

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w` lies between the iterate `z` and the average `x` of all iterates."""
        z, v = slots
        if self.warmup_steps > 0:
            lr = lr * ops.minimum(step / self.warmup_steps, 1.0)
        average = (w - z * (1 - self.beta_1)) / self.beta_1
        v = xp.lerp_square(v, g, 1 - self.beta_2)
        deviation = xp.sqrt(xp.scale(v, 1 / (1 - self.beta_2**step)))
        z = z - xp.scale(g, lr) / (deviation + self.epsilon)
        average = average + xp.scale(z - average, 1 / step)
        return z * (1 - self.beta_1) + average * self.beta_1, (z, v)
