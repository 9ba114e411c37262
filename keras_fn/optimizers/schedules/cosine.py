"""Cosine decay schedules, with and without warm restarts.

Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016.
https://arxiv.org/abs/1608.03983
"""

import math

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.optimizers.schedules.schedule import BuiltInSchedule
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike


def _cosine_decay(fraction: Tensor, alpha: float, height: Tensor | float = 1.0) -> Tensor:
    """Half a cosine wave from `height` (1, less the fraction alpha) down to alpha."""
    return (1.0 - alpha) * 0.5 * height * (1.0 + ops.cos(fraction * math.pi)) + alpha


def _check_positive_steps(schedule: BuiltInSchedule, **steps: int) -> None:
    for name, value in steps.items():
        if value <= 0:
            raise SpecError(
                type(schedule).__name__,
                expected=f"{name} as a positive number of steps",
                received=f"{value!r}",
                fix=f"for example {name}=1000",
            )


class CosineDecay(BuiltInSchedule):
    """Cosine decay of the learning rate, optionally after a linear warmup.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps of the decay, which starts after the warmup.
        alpha: Final learning rate, as a fraction of the initial (or warmup) rate. Default 0.0.
        name: Name of the schedule.
        warmup_target: Learning rate at the end of the warmup; None (default) for no warmup.
        warmup_steps: Number of steps of the warmup. Default 0.

    Raises:
        ValueError: `decay_steps` is not positive.

    Example:
        >>> schedule = keras.optimizers.schedules.CosineDecay(1.0, 10)
        >>> f"{float(schedule(5)):.3f} {float(schedule(20)):.3f}"
        '0.500 0.000'

    References:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016.
        https://arxiv.org/abs/1608.03983
    """

    arguments = (
        "initial_learning_rate",
        "decay_steps",
        "alpha",
        "name",
        "warmup_target",
        "warmup_steps",
    )

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        _check_positive_steps(self, decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step: a scalar tensor in `floatx()`."""
        step = ops.cast(step, settings.floatx)
        initial, target, warmup = self.initial_learning_rate, self.warmup_target, self.warmup_steps
        if target is None:
            return initial * _cosine_decay(ops.minimum(step / self.decay_steps, 1.0), self.alpha)
        fraction = ops.clip((step - warmup) / self.decay_steps, 0.0, 1.0)
        decayed = target * _cosine_decay(fraction, self.alpha)
        if not warmup:
            return decayed
        return ops.where(
            ops.less(step, warmup), initial + (target - initial) * step / warmup, decayed
        )


class CosineDecayRestarts(BuiltInSchedule):
    """Cosine decay with warm restarts: each period may be longer and lower than the last.

    Args:
        initial_learning_rate: Learning rate at step 0.
        first_decay_steps: Number of steps of the first period.
        t_mul: Ratio of the length of a period to the length of the previous one. Default 2.0.
        m_mul: Ratio of the initial learning rate of a period to the previous one's. Default 1.0.
        alpha: Final learning rate of a period, as a fraction of `initial_learning_rate`. Default
            0.0.
        name: Name of the schedule.

    Raises:
        ValueError: `first_decay_steps` is not positive.

    Example:
        >>> schedule = keras.optimizers.schedules.CosineDecayRestarts(1.0, 10)
        >>> f"{float(schedule(5)):.3f} {float(schedule(10)):.3f}"
        '0.500 1.000'

    References:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016.
        https://arxiv.org/abs/1608.03983
    """

    arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        _check_positive_steps(self, first_decay_steps=first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step: a scalar tensor in `floatx()`."""
        completed = ops.cast(step, settings.floatx) / self.first_decay_steps
        t = float(self.t_mul)
        if t == 1.0:
            period = ops.floor(completed)
            fraction = completed - period
        else:  # period n starts at 1 + t + ... + t**(n-1) = (1 - t**n) / (1 - t)
            period = ops.floor(ops.log(1.0 - completed * (1.0 - t)) / math.log(t))
            length = ops.power(t, period)
            fraction = (completed - (1.0 - length) / (1.0 - t)) / length
        height = ops.power(float(self.m_mul), period)
        return self.initial_learning_rate * _cosine_decay(fraction, self.alpha, height)
