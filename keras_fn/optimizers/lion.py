"""Lion optimizer."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class Lion(Optimizer):
    """Lion optimizer (evolved sign momentum): steps of the sign of averaged gradients.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments; typically
            3 to 10 times smaller than for Adam. Default 0.001.
        beta_1: Rate that combines momentum and gradient in the sign, above 0 and at most 1. Default
            0.9.
        beta_2: Exponential decay rate for the momentum. Default 0.99.
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
        ValueError: `beta_1` is not in (0, 1], an argument is out of range or unknown, or several
            kinds of clipping are set.

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
        learning_rate: LearningRateLike = 0.001,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        if beta_1 <= 0 or beta_1 > 1:
            raise SpecError(
                f"Lion {self.name!r}",
                expected="beta_1 in (0, 1]: with 0, only the sign of the gradient would count",
                received=f"{beta_1!r}",
                fix="for example beta_1=0.9",
            )

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            self.add_slots("momentum")

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """`w -= lr * sign(beta_1 * m + (1 - beta_1) * g)`."""
        (m,) = slots
        w = xp.sub_scaled(w, xp.sign(m * self.beta_1 + g * (1 - self.beta_1)), lr)
        m = xp.lerp(m, g, 1 - self.beta_2)
        return w, (m,)
