"""Decay schedules: exponential, inverse time, piecewise constant, polynomial."""

from collections.abc import Sequence

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.optimizers.schedules.schedule import BuiltInSchedule
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike


def _cast_to_float(step: TensorLike) -> Tensor:
    return ops.cast(step, settings.floatx)


class _RateDecay(BuiltInSchedule):
    """Base class of exponential and inverse time decay: their arguments."""

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

    def _completed_periods(self, step: TensorLike) -> Tensor:
        periods = _cast_to_float(step) / self.decay_steps
        return ops.floor(periods) if self.staircase else periods


class ExponentialDecay(_RateDecay):
    """Exponential decay: `initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps after which the rate is multiplied by `decay_rate`.
        decay_rate: Decay factor.
        staircase: Whether the rate decays at discrete intervals. Default False.
        name: Name of the schedule.

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

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step: a scalar tensor in `floatx()`."""
        return ops.multiply(
            ops.power(float(self.decay_rate), self._completed_periods(step)),
            self.initial_learning_rate,
        )


class InverseTimeDecay(_RateDecay):
    """Inverse time decay: `initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps of one decay interval.
        decay_rate: Decay rate of an interval.
        staircase: Whether the rate decays at discrete intervals. Default False.
        name: Name of the schedule.

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

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step: a scalar tensor in `floatx()`."""
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._completed_periods(step))


class PiecewiseConstantDecay(BuiltInSchedule):
    """Piecewise constant learning rate: one value up to each boundary, and one after the last.

    Args:
        boundaries: Steps in ascending order. A value applies up to and including its boundary.
        values: Learning rates, one more than boundaries.
        name: Name of the schedule.

    Raises:
        ValueError: There is not one value more than boundaries, or there are no boundaries.

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
                expected="at least one boundary, and one value more than boundaries",
                received=f"{len(boundaries)} boundaries and {len(values)} values",
                fix="pass the rate before the first boundary, and after each boundary",
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step: a scalar tensor in `floatx()`."""
        step = ops.convert_to_tensor(step)
        rate = ops.convert_to_tensor(float(self.values[-1]))
        # From the last boundary to the first: the lowest one that is not passed wins.
        for boundary, value in zip(reversed(self.boundaries), self.values[-2::-1], strict=True):
            rate = ops.where(ops.less_equal(step, boundary), float(value), rate)
        return rate


class PolynomialDecay(BuiltInSchedule):
    """Polynomial decay: `(initial - end) * (1 - step / decay_steps) ** power + end`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Step at which the end is reached.
        end_learning_rate: Learning rate from there on. Default 0.0001.
        power: Exponent; 1.0 (default) for linear decay.
        cycle: Whether `decay_steps` grows to its next multiple when it is passed, so that the decay
            starts again. Default False.
        name: Name of the schedule.

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

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step: a scalar tensor in `floatx()`."""
        completed = _cast_to_float(step) / self.decay_steps
        # With cycle, the decay ends at the next multiple of decay_steps, for step 0 at the first.
        fraction = (
            completed / ops.maximum(ops.ceil(completed), 1.0)
            if self.cycle
            else ops.minimum(completed, 1.0)
        )
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - fraction, float(self.power)) + self.end_learning_rate
