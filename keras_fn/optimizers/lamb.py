"""LAMB."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Lamb(Optimizer):
    """Adam with steps in proportion to the norm of each variable, for large batches.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        beta_1: How much of the average of the gradient stays, each step.
        beta_2: How much of the average of its square stays.
        epsilon: Keeps the divisor away from zero.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Lamb(0.1)
        >>> v = keras.Variable([2.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [1.8]

    References:
        You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes",
        2019. https://arxiv.org/abs/1904.00962
    """

    arguments = ("beta_1", "beta_2", "epsilon")
    elementwise = False

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

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr * norm(w) / norm(u) * u`, where `u` is Adam's update."""
        m, v = slots
        m = xp.lerp(m, g, 1 - self.beta_1)
        v = xp.lerp_square(v, g, 1 - self.beta_2)
        mean = xp.scale(m, 1 / (1 - self.beta_1**step))
        update = mean / (xp.sqrt(xp.scale(v, 1 / (1 - self.beta_2**step))) + self.epsilon)
        size, length = xp.norm(w), xp.norm(update)
        known = ops.logical_and(ops.greater(size, 0), ops.greater(length, 0))
        ratio = ops.where(known, size / ops.where(known, length, 1.0), 1.0)
        return xp.sub_scaled(w, update, ops.multiply(lr, ratio)), (m, v)
