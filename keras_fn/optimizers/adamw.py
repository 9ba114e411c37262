"""AdamW."""

from typing import Any

from keras_fn.errors import SpecError
from keras_fn.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with weight decay that does not pass through the averages.

    Args:
        learning_rate: A float, a schedule, or a function of no arguments.
        weight_decay: Which part of `learning_rate * w` is taken away from `w`, each step.
        beta_1: How much of the average of the gradient stays, each step.
        beta_2: How much of the average of its square stays.
        epsilon: Keeps the divisor away from zero.
        amsgrad: Whether the greatest average of squares so far divides.
        **kwargs: And the further arguments of `Optimizer`.

    Raises:
        ValueError: `weight_decay` is None, or an argument of `Optimizer` does not fit.

    Example:
        >>> optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
        >>> v = keras.Variable([1.0])
        >>> optimizer.apply([ops.convert_to_tensor([5.0])], [v])
        >>> print(v.numpy().round(3))
        [0.85]

    References:
        Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2017.
        https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
        if weight_decay is None:
            raise SpecError(
                f"AdamW {self.name!r}",
                expected="weight_decay as a float",
                received="None",
                fix="use Adam, or weight_decay=0.0",
            )
