"""The callback that saves checkpoints with Orbax, and reads them again."""

import io
import os
from typing import Any

from keras_fn._lazy import Deferred
from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.saving_callback import SavingCallback
from keras_fn.errors import SpecError

_weights: Any = Deferred("keras_fn.saving.weights")

_weights_format: Any = Deferred("keras_fn.saving.weights_format")

_writer: Any = Deferred("keras_fn.saving.hdf5.writer")

_orbax = Deferred("orbax.checkpoint", pip="keras-fn[orbax]")


class OrbaxCheckpoint(SavingCallback):
    """Saves the weights and the optimizer's state with Orbax, in the background.

    It works on every backend, and what one has saved another one can restore; Orbax itself needs
    JAX to be installed (`pip install "keras-fn[orbax]"`). The number of a checkpoint is that of its
    epoch, from 0, or, with `save_freq` in batches, how many batches there were; where the folder
    holds later ones already, it is the next that is free.

    Args:
        directory: The folder.
        monitor: The number to go by with `save_best_only`.
        verbose: 1 to print what is done.
        save_best_only: Whether to save only where `monitor` is better than ever before.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        save_freq: `"epoch"`, or after how many batches.
        initial_value_threshold: What `monitor` must be better than to be saved at all.
        max_to_keep: How many checkpoints stay, the latest; None for all.
        save_on_background: Whether training goes on while files are written.
        save_weights_only: Whether the optimizer's state is left out.

    Raises:
        ValueError: `save_freq` is neither.
        ImportError: Orbax is not installed; raised when training begins.

    Example:
        >>> callback = keras.callbacks.OrbaxCheckpoint("/run", "loss", save_best_only=True)
        >>> callback.directory, callback.max_to_keep  # later: callback.restore(model)
        ('/run', 1)
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ):
        super().__init__(
            monitor,
            verbose,
            save_best_only,
            save_weights_only,
            mode,
            save_freq,
            initial_value_threshold,
        )
        directory = os.fspath(directory)
        # Orbax wants the whole path; `gs://…` is one.
        self.directory = directory if "://" in directory else os.path.abspath(directory)
        self.max_to_keep, self.save_on_background = max_to_keep, save_on_background
        self._manager: Any = None

    def _open(self) -> Any:
        options = _orbax.CheckpointManagerOptions(
            max_to_keep=self.max_to_keep, enable_async_checkpointing=self.save_on_background
        )
        return _orbax.CheckpointManager(self.directory, options=options)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Opens the folder."""
        self._close()
        self._manager = self._open()

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        if not self._should_save(epoch, logs):
            return
        if self._manager is None:
            self._manager = self._open()
        latest = self._manager.latest_step()
        step = epoch if batch is None else self._counter.total
        step = step if latest is None else max(step, latest + 1)
        # These arrays are on the host and nobody else's: training may go on while they are written.
        datasets, _ = _weights.collect(self.model, with_optimizer=not self.save_weights_only)
        self._manager.save(step, args=_orbax.args.StandardSave(datasets), force=True)
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: saving checkpoint {step} in {self.directory}")

    def on_train_end(self, logs: Logs = None) -> None:
        """Waits until all is written."""
        self._close()

    def _close(self) -> None:
        if self._manager is not None:
            self._manager.wait_until_finished()
            self._manager.close()
            self._manager = None

    def steps(self) -> list[int]:
        """Returns the numbers of the checkpoints that there are, in order.

        Raises:
            ImportError: Orbax is not installed.
        """
        manager = self._manager or self._open()
        try:
            manager.wait_until_finished()
            return sorted(manager.all_steps())
        finally:
            if manager is not self._manager:
                manager.close()

    def restore(self, model: Any, step: int | None = None) -> None:
        """Sets a model to what was saved; nothing is set unless all of it fits.

        Args:
            model: A built model of the same architecture. Its optimizer, if it has one, is set,
                too, where it was saved.
            step: The number of the checkpoint; the latest by default.

        Raises:
            ImportError: Orbax is not installed.
            ValueError: There is no such checkpoint, or it is not one of such a model.
        """
        there = self.steps()
        if not there or step not in (None, *there):
            raise SpecError(
                "OrbaxCheckpoint.restore",
                expected=f"one of the checkpoints {there}",
                received=f"step={step} in {self.directory}",
                fix="save one before, or name another",
            )
        manager = self._manager or self._open()
        try:
            step = there[-1] if step is None else step
            datasets = manager.restore(step, args=_orbax.args.StandardRestore())
        finally:
            if manager is not self._manager:
                manager.close()
        optimizer = getattr(model, "optimizer", None)
        has_state = any(path.startswith("optimizer/") for path in datasets)
        skipped = [optimizer] if optimizer is not None and not has_state else []
        _weights_format.read(model, io.BytesIO(_writer.build_hdf5(datasets)), False, skipped)
