"""Base class of learning rate schedules."""

from typing import Any

from keras_fn.errors import missing_method
from keras_fn.types import Tensor, TensorLike


class LearningRateSchedule:
    """Base class of learning rate schedules: functions of the step.

    Subclasses implement `__call__`, and `get_config` to be serializable.

    Example:
        >>> class Harmonic(keras.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 / (ops.cast(step, "float32") + 1.0)
        >>> optimizer = keras.optimizers.SGD(Harmonic())
        >>> f"{float(optimizer.learning_rate):.3f}"
        '0.100'
    """

    def __call__(self, step: TensorLike) -> Tensor:
        """Returns the learning rate of a step, an integer scalar tensor."""
        raise missing_method(self, "__call__(step)")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        raise missing_method(self, "get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        """Creates a schedule from the dict that `get_config` returned."""
        return cls(**config)


class BuiltInSchedule(LearningRateSchedule):
    """A schedule whose arguments are attributes of the same names.

    Attributes:
        arguments: The names, in the order of the config.
    """

    arguments: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {name: getattr(self, name) for name in self.arguments}
