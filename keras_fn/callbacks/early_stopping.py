"""Callbacks that watch one number in the logs: stop, save, or slow down after it."""

import warnings
from typing import Any

from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.monitor_callback import MonitorCallback
from keras_fn.callbacks.progress_display import print_message


class EarlyStopping(MonitorCallback):
    """Ends training when a number in the logs has stopped getting better.

    Args:
        monitor: Its name.
        min_delta: By how much it must get better to count.
        patience: After how many epochs without that training ends.
        verbose: 1 to print what is done.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        baseline: What it must be better than, too.
        restore_best_weights: Whether the model gets back the weights of its best epoch.
        start_from_epoch: How many epochs are not looked at.

    Example:
        >>> class Model: stop_training = False
        >>> callback = keras.callbacks.EarlyStopping("loss", patience=1)
        >>> callback.set_model(Model)
        >>> callback.on_train_begin()
        >>> for epoch, loss in enumerate([0.5, 0.4, 0.6]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        >>> Model.stop_training, callback.best
        (True, 0.4)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: Any = None
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begins anew."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compares, and ends training when patience is over."""
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep_weights(self, epoch: int) -> None:
        self.best_weights, self.best_epoch = self.model.get_weights(), epoch

    def on_train_end(self, logs: Logs = None) -> None:
        """Gives the model its best weights, if that is wanted."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                print_message(
                    f"The weights of epoch {self.best_epoch + 1}, the best one, are restored."
                )
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> Any:
        """Returns the number that is watched; warns if the logs do not have it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping: {self.monitor!r} is not available. "
                f"Available are: {', '.join(logs or {})}.",
                stacklevel=3,
            )
        return value
