"""Lion."""

from collections.abc import Sequence
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Lion(Optimizer):
    """Steps of one size in each element: only the sign of an average of gradients counts.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments; 3 to 10 times smaller
            than Adam's.
        beta_1: How much the average counts, against the gradient, in the sign.
        beta_2: How much of the average stays, each step.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: `beta_1` is not in (0, 1], or an argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Lion(0.1)
        >>> v = keras.Variable([1.0, 1.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0, -0.1])], [v])
        >>> print(v.numpy().round(3))
        [0.9 1.1]

    References:
        Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
        https://arxiv.org/abs/2302.06675
    """

    arguments = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise SpecError(
                f"Lion {self.name!r}",
                expected="beta_1 in (0, 1]: with 0 it would be the sign of the gradient alone",
                received=f"{beta_1!r}",
                fix="for example beta_1=0.9",
            )

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            self.add_slots("momentum")

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr * sign(beta_1 * m + (1 - beta_1) * g)`."""
        (m,) = slots
        w = xp.sub_scaled(w, xp.sign(m * self.beta_1 + g * (1 - self.beta_1)), lr)
        m = xp.lerp(m, g, 1 - self.beta_2)
        return w, (m,)
