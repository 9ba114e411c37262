"""Adam optimizer."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.variable import Variable
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class Adam(Optimizer):
    """Adam optimizer: adaptive step sizes from estimates of the first and second moments.

    `m` and `v` are moving averages of the gradient and of its square, with bias correction:
    `w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        beta_1: Exponential decay rate for the first-moment estimates. Default 0.9.
        beta_2: Exponential decay rate for the second-moment estimates. Default 0.999.
        epsilon: Small constant for numerical stability ("epsilon hat" in the paper). Default 1e-7.
        amsgrad: Whether to apply the AMSGrad variant: divide by the maximum of all `v`. Default
            False.
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
        learning_rate: LearningRateLike = 0.001,
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
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            self.add_slots("momentum", "velocity")
            if self.amsgrad:
                self.add_slots("velocity_hat")

    def update_rule(
        self,
        xp: ArrayNamespace,
        w: Tensor,
        g: Tensor,
        slots: Sequence[Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """`w -= lr * m_hat / (sqrt(v_hat) + epsilon)`."""
        m, v, *max_v = slots
        m, v, alpha = adam_moments(xp, g, m, v, lr, step, self.beta_1, self.beta_2)
        if self.amsgrad:
            max_v = [xp.maximum(max_v[0], v)]
        divisor = xp.sqrt(max_v[0] if self.amsgrad else v)
        divisor += self.epsilon
        return xp.sub_scaled_ratio(w, m, divisor, alpha), (m, v, *max_v)


def adam_moments(
    xp: ArrayNamespace,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    lr: Tensor,
    step: Tensor,
    beta_1: float,
    beta_2: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Updates Adam's moment estimates.

    Args:
        xp: The functions of `update_rule`.
        g: The gradient.
        m: First-moment estimate.
        v: Second-moment estimate.
        lr: Learning rate.
        step: Number of this update, from 1.
        beta_1: Decay rate of `m`.
        beta_2: Decay rate of `v`.

    Returns:
        The new `m` and `v`, and the learning rate with bias correction.
    """
    alpha = lr * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step)
    return xp.lerp(m, g, 1 - beta_1), xp.lerp_square(v, g, 1 - beta_2), alpha
