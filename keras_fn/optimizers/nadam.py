"""Nadam."""

from collections.abc import Sequence
from typing import Any

from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Nadam(Optimizer):
    """Adam with Nesterov's momentum.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        beta_1: How much of the average of the gradient stays, each step, in the end.
        beta_2: How much of the average of its square stays.
        epsilon: Keeps the divisor away from zero.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Nadam(0.1)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [0.894]

    References:
        Dozat, "Incorporating Nesterov Momentum into Adam", 2016.
        https://openreview.net/pdf?id=OM0jvwB8jIp57ZJjtNEZ
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
            self.add_slots("momentum", "velocity")
            # The product of the momenta of all steps so far.
            self._momentum_product = self.add_variable(
                (), initializer="ones", name="momentum_product"
            )

    def _momentum(self, step: Tensor) -> Tensor:
        """Returns the momentum of a step, which grows towards `beta_1`."""
        return self.beta_1 * (1.0 - 0.5 * 0.96**step)

    def begin_update(self) -> None:
        """Multiplies the momentum of this step into the product."""
        self._momentum_product.assign(self._momentum_product * self._momentum(self._local_step()))

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """Adam's, with the momentum of this step and of the next one."""
        m, v = slots
        product = xp.scalar(self._momentum_product.value)
        now, ahead = self._momentum(step), self._momentum(step + 1)
        m = xp.lerp(m, g, 1 - self.beta_1)
        v = xp.lerp_square(v, g, 1 - self.beta_2)
        mean = xp.scale(m, ahead / (1 - product * ahead)) + xp.scale(g, (1 - now) / (1 - product))
        deviation = xp.sqrt(xp.scale(v, 1 / (1 - self.beta_2**step)))
        return xp.sub_scaled_ratio(w, mean, deviation + self.epsilon, lr), (m, v)
