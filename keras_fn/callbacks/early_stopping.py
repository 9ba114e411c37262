"""EarlyStopping: ends training when a metric stops improving."""

import warnings
from typing import Any

from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.monitor_callback import MonitorCallback
from keras_fn.callbacks.progress_display import print_message
from keras_fn.core.argument_forms import (
    FLAG,
    INDEX,
    NOT_NEGATIVE,
    OPTIONAL_NUMBER,
    check_arguments,
)

_FORMS = {
    "patience": NOT_NEGATIVE,
    "baseline": OPTIONAL_NUMBER,
    "restore_best_weights": FLAG,
    "start_from_epoch": INDEX,
}


class EarlyStopping(MonitorCallback):
    """Stops training when a monitored quantity has stopped improving.

    Args:
        monitor: Name of the quantity in the logs.
        min_delta: Minimum change that counts as an improvement.
        patience: Number of epochs without improvement after which training stops.
        verbose: 0 for silent, 1 for a message when training stops.
        mode: `"min"` if lower is better, `"max"` if higher is better, `"auto"` to infer it from
            the metric.
        baseline: Value that the quantity must improve on within `patience` epochs; None for no
            baseline.
        restore_best_weights: Whether to restore the weights of the best epoch at the end.
        start_from_epoch: Number of warm-up epochs that are not monitored.

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
        check_arguments(
            "EarlyStopping",
            _FORMS,
            {
                "patience": patience,
                "baseline": baseline,
                "restore_best_weights": restore_best_weights,
                "start_from_epoch": start_from_epoch,
            },
        )
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: Any = None
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Resets the best value and the waiting time."""
        super().on_train_begin(logs)
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compares the quantity with its best value; stops training when patience runs out."""
        if self.monitor_op is None:
            self._set_monitor_op(logs)
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._store_weights(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._store_weights(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _store_weights(self, epoch: int) -> None:
        self.best_weights, self.best_epoch = self.model.get_weights(), epoch

    def on_train_end(self, logs: Logs = None) -> None:
        """Restores the weights of the best epoch, if `restore_best_weights` is set."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                print_message(f"Restoring the weights of the best epoch, {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> Any:
        """Returns the monitored quantity; warns if the logs lack it.

        Args:
            logs: Loss and metrics of an epoch.
        """
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping: {self.monitor!r} is not available. "
                f"Available are: {', '.join(logs or {})}.",
                stacklevel=3,
            )
        return value
