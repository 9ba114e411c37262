"""What a learning rate schedule is: a function of the step."""

from typing import Any

Tensor = Any


class LearningRateSchedule:
    """Base class of schedules. A subclass writes `__call__`, and `get_config` to be saved.

    Example:
        >>> class Harmonic(keras.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 / (ops.cast(step, "float32") + 1.0)
        >>> optimizer = keras.optimizers.SGD(Harmonic())
        >>> f"{float(optimizer.learning_rate):.3f}"
        '0.100'
    """

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the learning rate of a step, a scalar tensor of integers."""
        raise TypeError(f"{type(self).__name__} has no __call__(step) method.")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        raise TypeError(
            f"{type(self).__name__} has no get_config() method, so it cannot be saved.\n"
            "  fix: write one that returns the constructor's arguments"
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        """Returns a schedule made from what `get_config` gave."""
        return cls(**config)


class BuiltInSchedule(LearningRateSchedule):
    """A schedule whose arguments are attributes of their names.

    Attributes:
        arguments: The names, in the order of the config.
    """

    arguments: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {name: getattr(self, name) for name in self.arguments}
