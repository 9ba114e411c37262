"""Schedules that lower the learning rate steadily: by a power, in stairs, towards an end."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.optimizers.schedules.schedule import BuiltInSchedule
from keras_fn.settings import settings

Tensor = Any


def _as_float(step: Tensor) -> Tensor:
    return ops.cast(step, settings.floatx)


class _RateDecay(BuiltInSchedule):
    """What exponential and inverse time decay share: their arguments."""

    arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        if decay_steps <= 0:
            raise SpecError(
                type(self).__name__,
                expected="decay_steps as a positive number of steps",
                received=f"{decay_steps!r}",
                fix="for example decay_steps=1000",
            )

    def _completed_periods(self, step: Tensor) -> Tensor:
        periods = _as_float(step) / self.decay_steps
        return ops.floor(periods) if self.staircase else periods


class ExponentialDecay(_RateDecay):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: After how many steps it is multiplied by `decay_rate`.
        decay_rate: That factor.
        staircase: Whether it stays between those steps, rather than falling steadily.
        name: A name.

    Raises:
        ValueError: `decay_steps` is not positive.

    Example:
        >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.1)
        >>> f"{float(schedule(10)):.3f}"
        '0.050'
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step."""
        return ops.multiply(
            ops.power(float(self.decay_rate), self._completed_periods(step)),
            self.initial_learning_rate,
        )


class InverseTimeDecay(_RateDecay):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: The unit in which steps are counted.
        decay_rate: How fast the rate falls.
        staircase: Whether it stays within each unit.
        name: A name.

    Raises:
        ValueError: `decay_steps` is not positive.

    Example:
        >>> schedule = keras.optimizers.schedules.InverseTimeDecay(0.5, 10, 1.0)
        >>> f"{float(schedule(10)):.3f}"
        '0.250'
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step."""
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._completed_periods(step))


class PiecewiseConstantDecay(BuiltInSchedule):
    """One rate up to each boundary, and one after the last.

    Args:
        boundaries: Steps, rising. A rate holds up to and with its boundary.
        values: The rates: one more than boundaries.
        name: A name.

    Raises:
        ValueError: There is not one value more than boundaries, or no boundary.

    Example:
        >>> schedule = keras.optimizers.schedules.PiecewiseConstantDecay([10], [1.0, 0.5])
        >>> float(schedule(10)), float(schedule(11))
        (1.0, 0.5)
    """

    arguments = ("boundaries", "values", "name")

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ):
        if len(boundaries) != len(values) - 1 or not boundaries:
            raise SpecError(
                "PiecewiseConstantDecay",
                expected="a boundary at least, and one value more than boundaries",
                received=f"{len(boundaries)} boundaries and {len(values)} values",
                fix="give the rate before the first boundary, after each, and after the last",
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step."""
        step = ops.convert_to_tensor(step)
        rate = ops.convert_to_tensor(float(self.values[-1]))
        # From the last boundary to the first: the lowest one that is not passed decides.
        for boundary, value in zip(reversed(self.boundaries), self.values[-2::-1], strict=True):
            rate = ops.where(ops.less_equal(step, boundary), float(value), rate)
        return rate


class PolynomialDecay(BuiltInSchedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: The step at which the end is reached.
        end_learning_rate: The rate from there on.
        power: 1 for a straight line.
        cycle: Whether `decay_steps` grows to its next multiple once it is passed, so that the
            rate jumps up and falls again.
        name: A name.

    Raises:
        ValueError: `decay_steps` is not positive.

    Example:
        >>> schedule = keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.1)
        >>> f"{float(schedule(5)):.3f} {float(schedule(50)):.3f}"
        '0.300 0.100'
    """

    arguments = (
        "initial_learning_rate",
        "decay_steps",
        "end_learning_rate",
        "power",
        "cycle",
        "name",
    )

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        if decay_steps <= 0:
            raise SpecError(
                "PolynomialDecay",
                expected="decay_steps as a positive number of steps",
                received=f"{decay_steps!r}",
                fix="for example decay_steps=1000",
            )
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power = end_learning_rate, power
        self.cycle, self.name = cycle, name

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step."""
        done = _as_float(step) / self.decay_steps
        # In a cycle the end lies at the next multiple of decay_steps, at the first for step 0.
        part = done / ops.maximum(ops.ceil(done), 1.0) if self.cycle else ops.minimum(done, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - part, float(self.power)) + self.end_learning_rate
