"""Adadelta."""

from collections.abc import Sequence
from typing import Any

from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Adadelta(Optimizer):
    """Scales the gradient by the root mean square of past updates over that of past gradients.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments; 1.0 in the paper.
        rho: How much of the moving averages stays, each step.
        epsilon: Keeps the roots away from zero.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: An argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Adadelta(1.0, epsilon=1e-2)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([2.0])], [v])
        >>> print(v.numpy().round(3))
        [0.564]

    References:
        Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
        https://arxiv.org/abs/1212.5701
    """

    arguments = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            self.add_slots("accumulated_grad", "accumulated_delta_var")

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w -= lr * rms(updates) / rms(gradients) * g`."""
        squares, updates = slots
        squares = xp.lerp_square(squares, g, 1 - self.rho)
        update = xp.sqrt(updates + self.epsilon) * g / xp.sqrt(squares + self.epsilon)
        updates = xp.lerp_square(updates, update, 1 - self.rho)
        return xp.sub_scaled(w, update, lr), (squares, updates)
