"""Adamax."""

from collections.abc import Sequence
from typing import Any

from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Adamax(Optimizer):
    """Adam with the greatest gradient of late, which fades, in place of the root mean square.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        beta_1: How much of the average of the gradient stays, each step.
        beta_2: How much of the greatest gradient stays.
        epsilon: Keeps the divisor away from zero.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Adamax(0.1)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [0.9]

    References:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014, section 7.1.
        https://arxiv.org/abs/1412.6980
    """

    arguments = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            self.add_slots("momentum", "norm")

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr / (1 - beta_1**step) * m / (u + epsilon)`."""
        m, u = slots
        m = xp.lerp(m, g, 1 - self.beta_1)
        u = xp.maximum(u * self.beta_2, xp.absolute(g))
        return xp.sub_scaled_ratio(w, m, u + self.epsilon, lr / (1 - self.beta_1**step)), (m, u)
