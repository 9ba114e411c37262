"""AdamW optimizer."""

from typing import Unpack

from keras_fn.errors import SpecError
from keras_fn.optimizers.adam import Adam
from keras_fn.types import LearningRateLike, NoArguments


class AdamW(Adam):
    """AdamW optimizer: Adam with decoupled weight decay.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a callable without arguments. Default
            0.001.
        weight_decay: Weight decay: each step first subtracts `learning_rate * weight_decay` of each
            variable. Default 0.004.
        beta_1: Exponential decay rate for the first-moment estimates. Default 0.9.
        beta_2: Exponential decay rate for the second-moment estimates. Default 0.999.
        epsilon: Small constant for numerical stability. Default 1e-7.
        amsgrad: Whether to apply the AMSGrad variant. Default False.
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
        ValueError: `weight_decay` is None, an argument is out of range or unknown, or several kinds
            of clipping are set.

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
        learning_rate: LearningRateLike = 0.001,
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
        **kwargs: Unpack[NoArguments],
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
