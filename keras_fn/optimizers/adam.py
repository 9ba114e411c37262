"""Adam."""

from collections.abc import Sequence
from typing import Any

from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Adam(Optimizer):
    """Steps of the size of the learning rate, from moving averages of the gradient and its square.

    `m` is the average of the gradient, `v` that of its square, both corrected for starting at
    zero: `w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        beta_1: How much of the average of the gradient stays, each step.
        beta_2: How much of the average of its square stays.
        epsilon: Keeps the divisor away from zero ("epsilon hat" in the paper).
        amsgrad: Whether the greatest `v` so far divides.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Adam(0.1)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [0.9]

    References:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014.
        https://arxiv.org/abs/1412.6980
        Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond", 2018 (AMSGrad).
        https://arxiv.org/abs/1904.09237

    Note:
        PyTorch's Adam adds epsilon to `sqrt(v_hat)`, this one to `sqrt(v)`: the same but for the
        size of epsilon in the first steps.
    """

    arguments = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            self.add_slots("momentum", "velocity")
            if self.amsgrad:
                self.add_slots("velocity_hat")

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr * m_hat / (sqrt(v_hat) + epsilon)`."""
        m, v, *greatest = slots
        m, v, alpha = adam_moments(xp, g, m, v, lr, step, self.beta_1, self.beta_2)
        if self.amsgrad:
            greatest = [xp.maximum(greatest[0], v)]
        divisor = xp.sqrt(greatest[0] if self.amsgrad else v)
        divisor += self.epsilon
        return xp.sub_scaled_ratio(w, m, divisor, alpha), (m, v, *greatest)


def adam_moments(
    xp: Any, g: Any, m: Any, v: Any, lr: Tensor, step: Tensor, beta_1: float, beta_2: float
) -> tuple[Any, Any, Tensor]:
    """Returns Adam's two averages, moved on, and the learning rate corrected for their start."""
    alpha = lr * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step)
    return xp.lerp(m, g, 1 - beta_1), xp.lerp_square(v, g, 1 - beta_2), alpha
