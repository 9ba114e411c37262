"""FTRL-Proximal."""

from collections.abc import Sequence
from typing import Any

from keras_fn import initializers
from keras_fn.errors import SpecError
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class Ftrl(Optimizer):
    """Follow the regularized leader: for shallow models with large, sparse features.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        learning_rate_power: How the rate falls with the sum of squared gradients; not positive,
            0 for a rate that does not fall.
        initial_accumulator_value: What that sum starts with.
        l1_regularization_strength: Pulls weights to zero, and leaves many of them there.
        l2_regularization_strength: Makes weights smaller.
        l2_shrinkage_regularization_strength: Makes weights smaller only where there are gradients.
        beta: The beta of the paper.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: A strength is negative, `learning_rate_power` is positive, or an argument of
            `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.Ftrl(0.1)
        >>> v = keras.Variable([0.0])
        >>> optimizer.apply([ops.convert_to_tensor([2.0])], [v])
        >>> print(v.numpy().round(3))
        [-0.099]

    References:
        McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013.
        https://research.google.com/pubs/archive/41159.pdf
    """

    arguments = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        positive = [name for name in self.arguments[1:5] if getattr(self, name) < 0]
        if positive or learning_rate_power > 0:
            raise SpecError(
                f"Ftrl {self.name!r}",
                expected="strengths of 0 or more, and learning_rate_power of 0 or less",
                received=", ".join(
                    f"{name}={getattr(self, name)!r}" for name in self.arguments[:5]
                ),
                fix=f"change {', '.join(positive) or 'learning_rate_power'}",
            )

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            value = initializers.Constant(self.initial_accumulator_value)
            self.add_slots("accumulator", "linear", initializer=[value, "zeros"])

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """The weight that minimises the sum of all losses so far, made linear."""
        total, linear = slots
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        new_total = total + xp.square(g)
        strength = xp.power(new_total, power)
        change = xp.scale(strength - xp.power(total, power), 1 / lr)
        linear = linear + g + w * (2 * self.l2_shrinkage_regularization_strength) - change * w
        l2 = self.l2_regularization_strength + self.beta / (2.0 * lr)
        divisor = xp.add_scalar(xp.scale(strength, 1 / lr), 2.0 * l2)
        return (xp.clip(linear, -l1, l1) - linear) / divisor, (new_total, linear)
