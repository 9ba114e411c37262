"""Stochastic gradient descent, optionally with momentum."""

from collections.abc import Sequence
from typing import Unpack

from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.optimizers.optimizer import Optimizer
from keras_fn.types import LearningRateLike, NoArguments, Tensor


class SGD(Optimizer):
    """Stochastic gradient descent: `w -= learning_rate * g`, optionally with momentum.

    With momentum: `m = momentum * m - learning_rate * g`, and `w += m`; with Nesterov momentum:
    `w += momentum * m - learning_rate * g`.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.01.
        momentum: Momentum, from 0 to 1. Default 0.0.
        nesterov: Whether to apply Nesterov momentum. Default False.
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
        ValueError: `momentum` is not between 0 and 1, an argument is out of range or unknown, or
            several kinds of clipping are set.

    Example:
        >>> optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        >>> v = keras.Variable([1.0])
        >>> for _ in range(2):
        ...     optimizer.apply([ops.convert_to_tensor([1.0])], [v])
        >>> print(v.numpy().round(3))
        [0.71]

    References:
        Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in
        deep learning", 2013. https://proceedings.mlr.press/v28/sutskever13.html
    """

    arguments = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = momentum
        self.nesterov = nesterov
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise SpecError(
                f"SGD {self.name!r}",
                expected="momentum between 0 and 1",
                received=f"{momentum!r}",
                fix="for example momentum=0.9",
            )

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the slot variables.

        Args:
            variables: The variables to optimize.
        """
        if not self.built:
            super().build(variables)
            if self.momentum:
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
        """`w += momentum * m - lr * g`; without momentum, `w -= lr * g`."""
        if not self.momentum:
            return xp.sub_scaled(w, g, lr), slots
        (m,) = slots
        m *= self.momentum
        m = xp.sub_scaled(m, g, lr)
        if self.nesterov:
            w += m * self.momentum
            w = xp.sub_scaled(w, g, lr)
        else:
            w += m
        return w, (m,)
