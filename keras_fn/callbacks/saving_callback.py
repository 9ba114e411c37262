"""Callbacks that watch one number in the logs: stop, save, or slow down after it."""

import warnings
from typing import Any

from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.monitor_callback import MonitorCallback
from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.errors import SpecError


class SavingCallback(MonitorCallback):
    """Base of callbacks that save the model after epochs or batches, or when it is at its best.

    A subclass writes `_save(epoch, batch, logs)`.

    Args:
        monitor: The number to go by with `save_best_only`.
        verbose: 1 to print what is done.
        save_best_only: Whether to save only where `monitor` is better than ever before.
        save_weights_only: Whether to save the weights only.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        save_freq: `"epoch"`, or after how many batches.
        initial_value_threshold: What `monitor` must be better than to be saved at all.

    Raises:
        ValueError: `save_freq` is neither.
    """

    def __init__(
        self,
        monitor: str,
        verbose: int,
        save_best_only: bool,
        save_weights_only: bool,
        mode: str,
        save_freq: Any,
        initial_value_threshold: float | None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose, self.save_freq = verbose, save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self._current_epoch = self._saved_at = 0
        self._counter = StepCounter()
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise SpecError(
                type(self).__name__,
                expected='save_freq as "epoch" or a number of batches',
                received=f"unrecognized save_freq {save_freq!r}",
                fix='pass save_freq="epoch"',
            )
        if save_freq != "epoch":  # else batches need not be counted, and no hook is wanted
            self.on_train_batch_end = self._count_batch

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Notes the epoch."""
        self._current_epoch = epoch
        self._counter.begin_epoch()

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the batch after which it saves."""
        return self._counter.due(batch, self._saved_at + self.save_freq)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Saves, if it is to be done after epochs."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _count_batch(self, batch: int, logs: Logs = None) -> None:
        self._counter.advance(batch)
        if self._counter.total - self._saved_at >= self.save_freq:
            self._saved_at = self._counter.total
            self._save(self._current_epoch, batch, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        raise NotImplementedError

    def _should_save(self, epoch: int, logs: Any) -> bool:
        if not self.save_best_only:
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        current = logs.get(self.monitor)
        if current is None or len(getattr(current, "shape", ())) > 0:
            received = "not available" if current is None else f"no single number: {current}"
            warnings.warn(
                f"{type(self).__name__}: {self.monitor!r} is {received}. The model is saved.",
                stacklevel=4,
            )
            return True
        better = self._is_improvement(current, self.best)
        best = "None" if self.best is None else f"{self.best:.5f}"
        if self.verbose > 0:
            change = (
                f"improved from {best} to {current:.5f}"
                if better
                else (f"did not improve from {best}")
            )
            print_message(f"\nEpoch {epoch + 1}: {self.monitor} {change}")
        if better:
            self.best = current
        return better
