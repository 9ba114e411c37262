"""Schedules along a cosine, once or with restarts.

Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016.
https://arxiv.org/abs/1608.03983
"""

import math
from typing import Any

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.optimizers.schedules.schedule import BuiltInSchedule
from keras_fn.settings import settings

Tensor = Any


def _cosine_decay(part: Tensor, alpha: float, height: Tensor | float = 1.0) -> Tensor:
    """Half a cosine wave from its height (1, less the part of alpha) down to alpha."""
    return (1.0 - alpha) * 0.5 * height * (1.0 + ops.cos(part * math.pi)) + alpha


def _check_positive_steps(schedule: Any, **steps: Any) -> None:
    for name, value in steps.items():
        if value <= 0:
            raise SpecError(
                type(schedule).__name__,
                expected=f"{name} as a positive number of steps",
                received=f"{value!r}",
                fix=f"for example {name}=1000",
            )


class CosineDecay(BuiltInSchedule):
    """Half a cosine wave down to a part of the learning rate, after a linear warm-up if wanted.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: How long the wave is; it begins after the warm-up.
        alpha: Which part of the rate stays at the end.
        name: A name.
        warmup_target: The rate at the end of the warm-up, from which the wave begins; None for
            no warm-up.
        warmup_steps: How long the warm-up is.

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

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step."""
        step = ops.cast(step, settings.floatx)
        start, peak, warmup = self.initial_learning_rate, self.warmup_target, self.warmup_steps
        if peak is None:
            return start * _cosine_decay(ops.minimum(step / self.decay_steps, 1.0), self.alpha)
        part = ops.clip((step - warmup) / self.decay_steps, 0.0, 1.0)
        wave = peak * _cosine_decay(part, self.alpha)
        if not warmup:
            return wave
        return ops.where(ops.less(step, warmup), start + (peak - start) * step / warmup, wave)


class CosineDecayRestarts(BuiltInSchedule):
    """Half cosine waves one after the other, each longer and lower than the one before.

    Args:
        initial_learning_rate: The rate of step 0.
        first_decay_steps: How long the first wave is.
        t_mul: How much longer each wave is than the one before.
        m_mul: How high each wave is above its end, relative to the one before.
        alpha: Which part of `initial_learning_rate` stays at the end of a wave.
        name: A name.

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

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step."""
        done = ops.cast(step, settings.floatx) / self.first_decay_steps
        t = float(self.t_mul)
        if t == 1.0:
            wave = ops.floor(done)
            part = done - wave
        else:  # wave n begins at 1 + t + ... + t**(n-1) = (1 - t**n) / (1 - t)
            wave = ops.floor(ops.log(1.0 - done * (1.0 - t)) / math.log(t))
            length = ops.power(t, wave)
            part = (done - (1.0 - length) / (1.0 - t)) / length
        height = ops.power(float(self.m_mul), wave)
        return self.initial_learning_rate * _cosine_decay(part, self.alpha, height)
