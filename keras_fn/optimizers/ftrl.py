"""FTRL-Proximal optimizer."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn import initializers
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class Ftrl(Optimizer):
    """FTRL optimizer (follow the regularized leader), for shallow models with sparse features.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        learning_rate_power: Exponent with which the learning rate decays with the sum of squared
            gradients; at most 0, and 0 for a fixed rate. Default -0.5.
        initial_accumulator_value: Initial value of the sum of squares. Default 0.1.
        l1_regularization_strength: L1 regularization strength, at least 0. Default 0.0.
        l2_regularization_strength: L2 regularization strength, at least 0. Default 0.0.
        l2_shrinkage_regularization_strength: L2 regularization strength applied only to elements
            with gradients, at least 0. Default 0.0.
        beta: Beta of the paper. Default 0.0.
        weight_decay: Weight decay: each step first subtracts `learning_rate * weight_decay` of each
            variable. Default None.
        clipnorm: Maximum norm of each gradient. Default None.
        clipvalue: Maximum absolute value of the elements of a gradient. Default None.
        global_clipnorm: Maximum norm of all gradients together. Default None.
        use_ema: Whether to keep an exponential moving average of each variable. Default False.
        ema_momentum: Decay rate of that moving average. Default 0.99.
        ema_overwrite_frequency: Number of updates after which variables are set to their moving
            averages; None (default) for the end of `fit` only.
        loss_scale_factor: Factor by which the loss is multiplied and gradients are divided. Default
            None.
        gradient_accumulation_steps: Number of steps over which gradients are averaged before
            variables are updated. Default None.
        name: Name of the optimizer. Default: from the class name.

    Raises:
        ValueError: A strength is negative, `learning_rate_power` is positive, an argument is out of
            range or unknown, or several kinds of clipping are set.

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
        learning_rate: LearningRateLike = 0.001,
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
        **kwargs: Unpack[NoArguments],
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
        negative = [name for name in self.arguments[1:5] if getattr(self, name) < 0]
        if negative or learning_rate_power > 0:
            raise SpecError(
                f"Ftrl {self.name!r}",
                expected="strengths of 0 or more, and learning_rate_power of 0 or less",
                received=", ".join(
                    f"{name}={getattr(self, name)!r}" for name in self.arguments[:5]
                ),
                fix=f"change {', '.join(negative) or 'learning_rate_power'}",
            )

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            value = initializers.Constant(self.initial_accumulator_value)
            self.add_slots("accumulator", "linear", initializer=[value, "zeros"])

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Returns the minimizer of all linearized losses so far plus regularization."""
        total, linear = slots
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        new_total = total + xp.square(g)
        scaled = xp.power(new_total, power)
        change = xp.scale(scaled - xp.power(total, power), 1 / lr)
        linear = linear + g + w * (2 * self.l2_shrinkage_regularization_strength) - change * w
        l2 = self.l2_regularization_strength + self.beta / (2.0 * lr)
        denominator = xp.add_scalar(xp.scale(scaled, 1 / lr), 2.0 * l2)
        return (xp.clip(linear, -l1, l1) - linear) / denominator, (new_total, linear)
