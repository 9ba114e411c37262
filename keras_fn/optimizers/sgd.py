"""Gradient descent, with momentum if wanted."""

from collections.abc import Sequence
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.optimizers.optimizer import Optimizer

Tensor = Any


class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`.

    With momentum: `m = momentum * m - learning_rate * g`, and `w += m`; with Nesterov's,
    `w += momentum * m - learning_rate * g`.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        momentum: How much of the last step stays, between 0 and 1.
        nesterov: Whether the gradient is taken to be that of the place ahead.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: `momentum` is not between 0 and 1, or an argument of `Optimizer` does not fit.

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
        learning_rate: Any = 0.01,
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
        self.momentum = momentum
        self.nesterov = nesterov
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise SpecError(
                f"SGD {self.name!r}",
                expected="momentum between 0 and 1",
                received=f"{momentum!r}",
                fix="for example momentum=0.9",
            )

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the slots."""
        if not self.built:
            super().build(variables)
            if self.momentum:
                self.add_slots("momentum")

    def update_rule(
        self, xp: Any, w: Any, g: Any, slots: list[Any], lr: Tensor, step: Tensor
    ) -> tuple[Any, Sequence[Any]]:
        """`w += momentum * m - lr * g`, or what is left of it without momentum."""
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
