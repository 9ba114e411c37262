"""Adamax optimizer."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.variable import Variable
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class Adamax(Optimizer):
    """Adamax optimizer: Adam with the infinity norm in place of the second moment.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        beta_1: Exponential decay rate for the first-moment estimates. Default 0.9.
        beta_2: Exponential decay rate for the weighted infinity norm. Default 0.999.
        epsilon: Small constant for numerical stability. Default 1e-7.
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
        ValueError: An argument is out of range or unknown, or several kinds of clipping are set.

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
        learning_rate: LearningRateLike = 0.001,
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
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            self.add_slots("momentum", "norm")

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """`w -= lr / (1 - beta_1**step) * m / (u + epsilon)`."""
        m, u = slots
        m = xp.lerp(m, g, 1 - self.beta_1)
        u = xp.maximum(u * self.beta_2, xp.absolute(g))
        return xp.sub_scaled_ratio(w, m, u + self.epsilon, lr / (1 - self.beta_1**step)), (m, u)
