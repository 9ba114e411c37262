"""Callbacks that watch one number in the logs: stop, save, or slow down after it."""

import warnings
from typing import Any

import numpy as np

from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.learning_rate_scheduler import get_learning_rate, named_optimizers
from keras_fn.callbacks.monitor_callback import MonitorCallback
from keras_fn.callbacks.progress_display import print_message
from keras_fn.errors import SpecError


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a number in the logs has stopped getting better.

    Args:
        monitor: Its name.
        factor: What the learning rate is multiplied by; less than 1.
        patience: After how many epochs without getting better.
        verbose: 1 to print what is done.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        min_delta: By how much it must get better to count.
        cooldown: How many epochs are not counted after that.
        min_lr: Below which the learning rate does not go.

    Raises:
        ValueError: `factor` is 1 or more.

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
        **kwargs: Any,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau does not take {', '.join(kwargs)}.")
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
        """Begins anew."""
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether the learning rate was lowered a short time ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compares, and lowers the learning rate when patience is over."""
        if self.monitor_op is None:
            self._set_monitor_op()
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
            # A list, not a generator: every optimizer is lowered.
            lowered = [self._lower(o, epoch) for o in named_optimizers(self.model).values()]
            if any(lowered):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _lower(self, optimizer: Any, epoch: int) -> bool:
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
