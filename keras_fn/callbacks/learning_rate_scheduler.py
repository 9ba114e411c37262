"""LearningRateScheduler: sets the learning rate by a function of the epoch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.callbacks.progress_display import print_message
from keras_fn.core.argument_forms import FUNCTION, check_arguments
from keras_fn.errors import DTypeError, SpecError
from keras_fn.types import AnyModel


def get_learning_rate(optimizer: Any) -> float:
    """Returns the current learning rate of an optimizer as a Python float."""
    return float(ops.convert_to_numpy(optimizer.learning_rate))


def named_optimizers(model: AnyModel) -> dict[str, Any]:
    """Returns the model's optimizers by the name of their learning rate in the logs."""
    inner = getattr(model.optimizer, "optimizers", None)
    if inner is None:
        return {"learning_rate": model.optimizer}
    return {f"learning_rate_{optimizer.name}": optimizer for optimizer in inner}


class LearningRateScheduler(Callback):
    """Learning rate scheduler: sets the learning rate at the start of each epoch.

    Args:
        schedule: Function of the epoch (from 0) and the current learning rate, or of the epoch
            alone, that returns the new learning rate as a float.
        verbose: 0 for silent, 1 for a message per epoch.

    Raises:
        ValueError: The optimizer has no learning rate.
        TypeError: `schedule` does not return a float.

    Example:
        >>> class Model: optimizer = keras.optimizers.SGD(0.5)
        >>> callback = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2)
        >>> callback.set_model(Model)
        >>> callback.on_epoch_begin(0)
        >>> float(Model.optimizer.learning_rate.numpy())
        0.25
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        check_arguments("LearningRateScheduler", {"schedule": FUNCTION}, {"schedule": schedule})
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Sets the learning rate."""
        for optimizer in named_optimizers(self.model).values():
            if not hasattr(optimizer, "learning_rate"):
                raise SpecError(
                    "LearningRateScheduler",
                    expected="an optimizer with a learning_rate",
                    received=f"{optimizer!r}",
                    fix="use one of keras.optimizers",
                )
            rate = self._next_rate(epoch, get_learning_rate(optimizer))
            if not isinstance(rate, (float, np.floating)):
                raise DTypeError(
                    "LearningRateScheduler",
                    expected="a schedule that returns a float",
                    received=f"{rate!r} of type {type(rate).__name__}",
                    fix="return float(...)",
                )
            optimizer.learning_rate = rate
            if self.verbose > 0:
                print_message(
                    f"\nEpoch {epoch + 1}: the learning rate of {optimizer.name} is {rate}."
                )

    def _next_rate(self, epoch: int, rate: float) -> Any:
        try:
            return self.schedule(epoch, rate)
        except TypeError:  # a function of the epoch alone
            return self.schedule(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the learning rate to the logs."""
        if logs is not None:
            rates = named_optimizers(self.model).items()
            logs.update({name: get_learning_rate(optimizer) for name, optimizer in rates})
