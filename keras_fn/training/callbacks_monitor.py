"""Callbacks that watch one number in the logs: stop, save, or slow down after it."""

import operator
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn.core import tree
from keras_fn.errors import SpecError
from keras_fn.training.callbacks_base import Callback, Logs, StepCounter
from keras_fn.training.callbacks_record import optimizers_of, read_rate
from keras_fn.training.progress import say


class MonitorCallback(Callback):
    """Base of callbacks that watch a number in the logs.

    Args:
        monitor: Its name.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        baseline: What the first value is compared with, or None.
        min_delta: By how much a value must be better to count.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: the mode {mode!r} is unknown; 'auto' is taken instead.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor, self.mode, self.best = monitor, mode, baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> None:
        """Finds out what is better; in the first epoch, when the metrics are there."""
        mode = self.mode
        if mode == "auto":
            mode = self._mode_of_metric()
        self.monitor_op = operator.lt if mode == "min" else operator.gt
        if mode == "min":
            self.min_delta = -self.min_delta

    def _mode_of_metric(self) -> str:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in _metrics_of(self.model):
            if metric.name == name and getattr(metric, "_direction", None):
                return "max" if metric._direction == "up" else "min"
        raise SpecError(
            type(self).__name__,
            expected="mode='min' or mode='max', where the metric does not say what is better",
            given=f"monitor={self.monitor!r}, mode='auto'",
            fix="pass mode='max' if more is better, else mode='min'",
        )

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        if reference is None:
            return True
        assert self.monitor_op is not None
        return bool(self.monitor_op(value - self.min_delta, reference))


def _metrics_of(model: Any) -> list[Any]:
    """Returns the model's metrics, those inside a group of them too."""
    found = []
    for metric in getattr(model, "metrics", None) or ():
        found += [metric, *tree.flatten(getattr(metric, "metrics", None) or [])]
    return [m for m in found if hasattr(m, "name")]


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
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                say(f"The weights of epoch {self.best_epoch + 1}, the best one, are restored.")
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
                "ReduceLROnPlateau", expected="factor < 1.0", given=f"{factor!r}",
                fix="for example factor=0.1",
            )  # fmt: skip
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
        logs.update({k: read_rate(o) for k, o in optimizers_of(self.model).items()})
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
            lowered = [self._lower(o, epoch) for o in optimizers_of(self.model).values()]
            if any(lowered):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _lower(self, optimizer: Any, epoch: int) -> bool:
        old = read_rate(optimizer)
        if old <= np.float32(self.min_lr):
            return False
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: the learning rate of {optimizer.name} is lowered to {new}.")
        return True


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
                type(self).__name__, expected='save_freq as "epoch" or a number of batches',
                given=f"unrecognized save_freq {save_freq!r}", fix='pass save_freq="epoch"',
            )  # fmt: skip
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
            given = "not available" if current is None else f"no single number: {current}"
            warnings.warn(
                f"{type(self).__name__}: {self.monitor!r} is {given}. The model is saved.",
                stacklevel=4,
            )
            return True
        better = self._is_improvement(current, self.best)
        best = "None" if self.best is None else f"{self.best:.5f}"
        if self.verbose > 0:
            change = f"improved from {best} to {current:.5f}" if better else (
                f"did not improve from {best}"
            )  # fmt: skip
            say(f"\nEpoch {epoch + 1}: {self.monitor} {change}")
        if better:
            self.best = current
        return better


class ModelCheckpoint(SavingCallback):
    """Saves the model, or its weights, after each epoch or some batches.

    Args:
        filepath: The file. `{epoch}`, `{batch}` and names in the logs are filled in, with a format
            if one is given: `"{epoch:02d}-{val_loss:.2f}.keras"`. It ends with `.keras` or `.h5`;
            with `save_weights_only`, with `.weights.h5`.
        monitor: The number to go by with `save_best_only`.
        verbose: 1 to print what is done.
        save_best_only: Whether to save only where `monitor` is better than ever before.
        save_weights_only: Whether to save the weights only.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        save_freq: `"epoch"`, or after how many batches.
        initial_value_threshold: What `monitor` must be better than to be saved at all.

    Raises:
        ValueError: `save_freq` is neither, or the file has another ending.

    Example:
        >>> class Model:
        ...     def save(self, filepath, overwrite): print("saved", filepath)
        >>> callback = keras.callbacks.ModelCheckpoint("best.keras", "loss", save_best_only=True)
        >>> callback.set_model(Model())
        >>> for epoch, loss in enumerate([0.5, 0.6]):
        ...     callback.on_epoch_end(epoch, {"loss": loss})
        saved best.keras
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(
            monitor, verbose, save_best_only, save_weights_only, mode, save_freq,
            initial_value_threshold,
        )  # fmt: skip
        self.filepath = os.fspath(filepath)
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise SpecError(
                "ModelCheckpoint",
                expected=f"a filepath that must end in {' or '.join(endings)}",
                given=f"{self.filepath!r}",
                fix=f"add {endings[0]} to it",
            )

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        filepath = self._get_file_path(epoch, batch, logs)
        if not self._should_save(epoch, logs):
            return
        if os.path.isdir(filepath):
            raise IsADirectoryError(
                f"ModelCheckpoint: {filepath} is a folder.\n  fix: give filepath the name of a file"
            )
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(filepath, overwrite=True)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: finished saving model to {filepath}")

    def _get_file_path(self, epoch: int, batch: int | None, logs: Any) -> str:
        """Returns the file's name with all placeholders filled in."""
        values = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} names {error}, which the logs do not have. "
                f"They have: {', '.join(values)}."
            ) from error
