"""Adagrad."""

from collections.abc import Sequence
from typing import Any

from keras_fn import initializers
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Adagrad(Optimizer):
    """Divides the gradient by the root of the sum of all its squares so far.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        initial_accumulator_value: What the sum starts with.
        epsilon: Keeps the root away from zero.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.0)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([2.0])], [v])
        >>> print(v.numpy().round(3))
        [0.9]

    References:
        Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization", 2011. https://jmlr.org/papers/v12/duchi11a.html
    """

    arguments = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            value = initializers.Constant(self.initial_accumulator_value)
            self.add_slots("accumulator", initializer=value)

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr * g / sqrt(sum of g**2 + epsilon)`."""
        (total,) = slots
        total += xp.square(g)
        return xp.sub_scaled_ratio(w, g, xp.sqrt(total + self.epsilon), lr), (total,)
