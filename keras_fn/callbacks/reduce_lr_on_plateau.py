"""ReduceLROnPlateau: lowers the learning rate when a metric stops improving."""

import warnings
from typing import Any, Unpack

import numpy as np

from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.learning_rate_scheduler import get_learning_rate, named_optimizers
from keras_fn.callbacks.monitor_callback import MonitorCallback
from keras_fn.callbacks.progress_display import print_message
from keras_fn.core.argument_forms import NOT_NEGATIVE, NUMBER, check_arguments
from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn.types import NoArguments

_FORMS = {
    "factor": NUMBER,
    "patience": NOT_NEGATIVE,
    "cooldown": NOT_NEGATIVE,
    "min_lr": NOT_NEGATIVE,
}


class ReduceLROnPlateau(MonitorCallback):
    """Reduces the learning rate when a monitored quantity has stopped improving.

    Args:
        monitor: Name of the quantity in the logs.
        factor: Factor by which the learning rate is multiplied; less than 1.
        patience: Number of epochs without improvement after which the learning rate is reduced.
        verbose: 0 for silent, 1 for a message at each reduction.
        mode: `"min"` if lower is better, `"max"` if higher is better, `"auto"` to infer it from
            the metric.
        min_delta: Minimum change that counts as an improvement.
        cooldown: Number of epochs after a reduction during which none are counted.
        min_lr: Lower bound of the learning rate.
        **kwargs: Not accepted; any argument raises a TypeError.

    Raises:
        ValueError: `factor` is 1 or more.
        TypeError: There is an unknown argument.

    Example:
        >>> class Model: optimizer = keras.optimizers.SGD(0.5)
        >>> callback = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1)
        >>> callback.set_model(Model)
        >>> callback.on_train_begin()
        >>> for epoch in range(2):
        ...     callback.on_epoch_end(epoch, {"loss": 1.0})
        >>> float(Model.optimizer.learning_rate.numpy())
        0.25
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Unpack[NoArguments],
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if kwargs:
            raise unexpected_arguments("ReduceLROnPlateau", kwargs)
        check_arguments(
            "ReduceLROnPlateau",
            _FORMS,
            {"factor": factor, "patience": patience, "cooldown": cooldown, "min_lr": min_lr},
        )
        if factor >= 1.0:
            raise SpecError(
                "ReduceLROnPlateau",
                expected="factor < 1.0",
                received=f"{factor!r}",
                fix="for example factor=0.1",
            )
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Resets the best value, the waiting time and the cooldown."""
        super().on_train_begin(logs)
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether the cooldown after a reduction is still running."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compares the quantity with its best value; reduces the learning rate on a plateau."""
        if self.monitor_op is None:
            self._set_monitor_op(logs)
        logs = {} if logs is None else logs
        logs.update({k: get_learning_rate(o) for k, o in named_optimizers(self.model).items()})
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"ReduceLROnPlateau: {self.monitor!r} is not available. "
                f"Available are: {', '.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait < self.patience:
                return
            # A list, not a generator: the learning rate of every optimizer is reduced.
            optimizers = named_optimizers(self.model).values()
            reduced = [self._reduce_learning_rate(o, epoch) for o in optimizers]
            if any(reduced):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _reduce_learning_rate(self, optimizer: Any, epoch: int) -> bool:
        old = get_learning_rate(optimizer)
        if old <= np.float32(self.min_lr):
            return False
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            print_message(
                f"\nEpoch {epoch + 1}: the learning rate of {optimizer.name} is lowered to {new}."
            )
        return True
