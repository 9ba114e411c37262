"""OrbaxCheckpoint: saves and restores checkpoints with Orbax."""

from __future__ import annotations

import io
import os
from typing import Any

from keras_fn._lazy import LazyModule
from keras_fn.callbacks.callback import Logs
from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.saving_callback import SavingCallback
from keras_fn.core.argument_forms import PATH, check_arguments
from keras_fn.distribution.processes import is_primary, processes
from keras_fn.errors import SpecError
from keras_fn.types import AnyModel, PathLike

_weights: Any = LazyModule("keras_fn.saving.weights")

_weights_format: Any = LazyModule("keras_fn.saving.weights_format")

_writer: Any = LazyModule("keras_fn.saving.hdf5.writer")

_orbax = LazyModule("orbax.checkpoint", pip="keras-fn[orbax]")


class OrbaxCheckpoint(SavingCallback):
    """Orbax checkpointing: saves weights and optimizer state asynchronously.

    It works on every backend, and a checkpoint of one backend can be restored on another. Orbax
    itself requires JAX (`pip install "keras-fn[orbax]"`). The step of a checkpoint is its epoch,
    from 0, or the number of batches so far if `save_freq` counts batches; if the directory already
    holds a later step, the next free one.

    Args:
        directory: Directory of the checkpoints.
        monitor: Name of the quantity to monitor with `save_best_only`.
        verbose: 0 for silent, 1 for a message at each save.
        save_best_only: Whether to save only when `monitor` has improved.
        mode: `"min"` if lower is better, `"max"` if higher is better, `"auto"` to infer it from
            the metric.
        save_freq: `"epoch"`, or the number of batches between two saves.
        initial_value_threshold: Initial best value of `monitor`; None to save the first time.
        max_to_keep: Number of latest checkpoints to keep; None for all.
        save_on_background: Whether files are written in the background while training continues.
        save_weights_only: Whether to leave out the optimizer state.

    Raises:
        ValueError: `save_freq` is neither `"epoch"` nor an integer.
        ImportError: Orbax is not installed; raised when training begins.

    Example:
        >>> callback = keras.callbacks.OrbaxCheckpoint("/run", "loss", save_best_only=True)
        >>> callback.directory, callback.max_to_keep  # later: callback.restore(model)
        ('/run', 1)
    """

    def __init__(
        self,
        directory: PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
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
        check_arguments("OrbaxCheckpoint", {"directory": PATH}, {"directory": directory})
        directory = os.fspath(directory)
        # Orbax requires an absolute path; `gs://…` is one.
        self.directory = directory if "://" in directory else os.path.abspath(directory)
        self.max_to_keep, self.save_on_background = max_to_keep, save_on_background
        self._manager: Any = None

    def _open(self) -> Any:
        options = _orbax.CheckpointManagerOptions(
            max_to_keep=self.max_to_keep, enable_async_checkpointing=self.save_on_background
        )
        return _orbax.CheckpointManager(self.directory, options=options)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Opens the directory."""
        super().on_train_begin(logs)
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
        # Orbax copies arrays of the host before it returns: training may go on while it writes.
        datasets, _ = _weights.collect(self.model, with_optimizer=not self.save_weights_only)
        self._manager.save(step, args=_orbax.args.StandardSave(datasets), force=True)
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: saving checkpoint {step} in {self.directory}")

    def on_train_end(self, logs: Logs = None) -> None:
        """Waits until all checkpoints are written."""
        self._close()

    def _close(self) -> None:
        if self._manager is not None:
            self._manager.wait_until_finished()
            self._manager.close()
            self._manager = None

    def wait_until_finished(self) -> None:
        """Waits until the checkpoints that are being written in the background are complete."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def is_multihost_enabled(self) -> bool:
        """Returns whether several processes write one checkpoint together."""
        return processes.count > 1

    def is_primary_host(self) -> bool:
        """Returns whether this process writes the index of the checkpoints: process 0 does."""
        return is_primary()

    def steps(self) -> list[int]:
        """Returns the steps of the existing checkpoints, in ascending order.

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

    def restore(self, model: AnyModel, step: int | None = None) -> None:
        """Restores a model from a checkpoint, completely or not at all.

        Args:
            model: A built model of the same architecture. The optimizer state is restored too if
                the model has an optimizer and the checkpoint its state.
            step: Step of the checkpoint; by default the latest.

        Raises:
            ImportError: Orbax is not installed.
            ValueError: There is no such checkpoint, or it does not match the model.
        """
        steps = self.steps()
        if not steps or step not in (None, *steps):
            raise SpecError(
                "OrbaxCheckpoint.restore",
                expected=f"one of the checkpoints {steps}",
                received=f"step={step} in {self.directory}",
                fix="save a checkpoint first, or pass another step",
            )
        manager = self._manager or self._open()
        try:
            step = steps[-1] if step is None else step
            datasets = manager.restore(step, args=_orbax.args.StandardRestore())
        finally:
            if manager is not self._manager:
                manager.close()
        optimizer = getattr(model, "optimizer", None)
        has_state = any(path.startswith("optimizer/") for path in datasets)
        skipped = [optimizer] if optimizer is not None and not has_state else []
        _weights_format.read(
            model, io.BytesIO(b"".join(_writer.build_hdf5(datasets))), False, skipped
        )
