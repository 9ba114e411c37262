"""The base class of callbacks that save the model."""

import warnings
from typing import Any

from keras_fn.callbacks.callback import Logs, get_last_batch
from keras_fn.callbacks.monitor_callback import MonitorCallback
from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.core.argument_forms import is_count
from keras_fn.errors import SpecError


class SavingCallback(MonitorCallback):
    """Base class of callbacks that save the model after epochs or batches.

    A subclass implements `_save(epoch, batch, logs)`.

    Args:
        monitor: Name of the quantity to monitor with `save_best_only`.
        verbose: 0 for silent, 1 for a message at each save.
        save_best_only: Whether to save only when `monitor` has improved.
        save_weights_only: Whether to save only the weights instead of the whole model.
        mode: `"min"` if lower is better, `"max"` if higher is better, `"auto"` to infer it from
            the metric.
        save_freq: `"epoch"`, or the number of batches between two saves.
        initial_value_threshold: Initial best value of `monitor`; None to save the first time.

    Raises:
        ValueError: `save_freq` is neither `"epoch"` nor an integer.
    """

    def __init__(
        self,
        monitor: str,
        verbose: int,
        save_best_only: bool,
        save_weights_only: bool,
        mode: str,
        save_freq: str | int,
        initial_value_threshold: float | None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.save_freq: Any = save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self._current_epoch = self._saved_at = 0
        self._counter = StepCounter()
        if save_freq != "epoch" and not is_count(save_freq):
            raise SpecError(
                type(self).__name__,
                expected='save_freq as "epoch" or a number of batches',
                received=f"unrecognized save_freq {save_freq!r}",
                fix='pass save_freq="epoch"',
            )
        if save_freq != "epoch":  # a batch-level hook, only where batches must be counted
            self.on_train_batch_end = self._save_after_batch

    def on_train_begin(self, logs: Logs = None) -> None:
        """Checks that the direction of improvement is known, with `save_best_only`."""
        if self.save_best_only:
            super().on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Records the current epoch."""
        self._current_epoch = epoch
        self._counter.begin_epoch()

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the next batch after which the model is saved.

        Args:
            batch: Index of the next batch in the epoch, from 0.
        """
        return self._counter.batch_at(batch, self._saved_at + self.save_freq)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Saves the model, with `save_freq="epoch"`."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save_after_batch(self, batch: int, logs: Logs = None) -> None:
        batch = get_last_batch(batch, logs)
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
            self._set_monitor_op(logs)
        current = logs.get(self.monitor)
        if current is None or len(getattr(current, "shape", ())) > 0:
            problem = "not available" if current is None else f"not a scalar: {current}"
            warnings.warn(
                f"{type(self).__name__}: {self.monitor!r} is {problem}. The model is saved.",
                stacklevel=4,
            )
            return True
        has_improved = self._is_improvement(current, self.best)
        best = "None" if self.best is None else f"{self.best:.5f}"
        if self.verbose > 0:
            change = (
                f"improved from {best} to {current:.5f}"
                if has_improved
                else f"did not improve from {best}"
            )
            print_message(f"\nEpoch {epoch + 1}: {self.monitor} {change}")
        if has_improved:
            self.best = current
        return has_improved
