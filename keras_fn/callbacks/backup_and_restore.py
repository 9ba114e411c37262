"""BackupAndRestore, and what `fit` and it say to each other."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.core.cleanup import register_cleanup
from keras_fn.data_adapters.iterable_adapter import IterableAdapter
from keras_fn.saving.file_io import TEMPORARY
from keras_fn.training import backup_format as resume
from keras_fn.training.backup_format import Position


class BackupAndRestore(Callback):
    """Lets a run of `fit` that was killed go on when the program is started again.

    A backup holds weights, optimizer, metrics, random seeds, the position in the data and what the
    callbacks have noted (see `Callback.get_state`): on a CPU, the run ends with the very bits of
    one that was never killed. It is copied between two steps and written beside them, whole or not
    at all. Data that yields batches takes its position back if it can tell it: with `state_dict`
    and `load_state_dict`, as torchdata's StatefulDataLoader, or Grain's `get_state` and `set_state`
    of iterators. Other data is gone through again up to the position, a PyDataset by number.

    Args:
        backup_dir: A folder for this run alone.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: Whether the backup before the last is kept, too; it is taken if the last
            cannot be read.
        delete_checkpoint: Whether the backup goes when training has ended.

    Raises:
        ValueError: `save_freq` is something else, or `backup_dir` is empty.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> backup = keras.callbacks.BackupAndRestore(tempfile.mkdtemp())
        >>> x, y = np.ones((8, 3)), np.ones((8, 1))
        >>> model.fit(x, y, epochs=2, verbose=0, callbacks=[backup]).epoch
        [0, 1]
    """

    runs_last = True  # it keeps what the others have noted of the same moment

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not os.fspath(backup_dir):
            raise ValueError("BackupAndRestore: backup_dir is empty; name a folder.")
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not is_count:
            raise ValueError(
                f"BackupAndRestore: save_freq must be 'epoch' or a number of batches, not "
                f"{save_freq!r}."
            )
        self.backup_dir = Path(backup_dir)
        self.save_freq: Any = save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._run: ResumableRun | None = None
        self._writer = ThreadPoolExecutor(1, "keras_fn-backup")
        self._written: Future[None] | None = None
        self._epoch, self._counter = 0, StepCounter()
        if is_count:  # only then are batches watched
            self.on_train_batch_end = self._after_batch

    def attach(self, run: "ResumableRun") -> None:
        """Takes the run of `fit` that is to be kept; without one, nothing is."""
        self._run = run

    @property
    def _file(self) -> Path:
        return self.backup_dir / "run.npz"

    @property
    def _previous(self) -> Path:
        return self.backup_dir / "run.previous.npz"

    def load(self) -> dict[str, Any] | None:
        """Returns the state of the last backup that is whole; None if there is none."""
        for unfinished in self.backup_dir.glob(TEMPORARY):  # of a run that was killed as it wrote
            unfinished.unlink(missing_ok=True)
        found = [path for path in (self._file, self._previous) if path.exists()]
        for path in found:
            try:
                return resume.read(path)
            except ValueError as error:
                if path == found[-1]:
                    raise
                print_message(f"BackupAndRestore: {error}; the one before it is taken.")
        return None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch
        self._counter.begin_epoch()

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the batch after which a backup is made."""
        done = self._counter.total
        return self._counter.due(batch, done - done % self.save_freq + self.save_freq)

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        before = self._counter.total
        self._counter.advance(batch)
        due = self._counter.total // self.save_freq > before // self.save_freq
        if self._run is not None and due:
            stopped = self.model.stop_training
            self._keep(Position(self._epoch, batch + 1, stopped, dict(logs or {})))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Makes a backup, unless batches are counted."""
        if self._run is not None and self.save_freq == "epoch":
            self._keep(Position(epoch + 1, 0, self.model.stop_training))

    def on_train_end(self, logs: Logs = None) -> None:
        """Waits until all is written; removes it if that is wished."""
        self.wait()
        if self.delete_checkpoint and self._run is not None:
            for path in (self._file, self._previous):
                path.unlink(missing_ok=True)
            with suppress(OSError):  # it holds other files
                self.backup_dir.rmdir()
        self._run = None

    def _keep(self, position: Position) -> None:
        assert self._run is not None
        state = self._run.collect(position)
        self.wait()
        self._written = self._writer.submit(self._write, state)

    def wait(self) -> None:
        """Waits until all is written."""
        written, self._written = self._written, None
        if written is not None:
            written.result()  # what failed in the thread is raised here

    def _write(self, state: dict[str, Any]) -> None:
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self._file.exists():
            os.replace(self._file, self._previous)
        resume.write(self._file, state)


class ResumableRun:
    """A run of `fit`, as its backup sees it.

    Args:
        model: The model, built and compiled.
        data: What yields the batches.
        callbacks: All callbacks.
        epoch: The first epoch, where nothing was kept.
    """

    def __init__(self, model: Any, data: Any, callbacks: list[Any], epoch: int):
        self._model, self._data, self._callbacks = model, data, callbacks
        self.start = Position(epoch)
        self._kept: dict[str, Any] | None = None
        backup = next((c for c in callbacks if isinstance(c, BackupAndRestore)), None)
        if backup is None:
            return
        backup.attach(self)
        register_cleanup(backup.wait)
        if isinstance(data, IterableAdapter):
            data.track_position(at_batches=backup.save_freq != "epoch")
        self._kept = backup.load()
        if self._kept is not None:
            self.start = Position(**self._kept["position"])
            print_message(
                f"Resuming {model._label} at epoch {self.start.epoch + 1}, step {self.start.step}."
            )

    def collect(self, position: Position) -> dict[str, Any]:
        """Returns the state of now."""
        return resume.collect(self._model, self._callbacks, position, self._data)

    def after_train_begin(self) -> None:
        """Restores what was kept between two epochs: `on_epoch_begin` will change it."""
        if not self.start.step:
            self._restore()

    def after_epoch_begin(self) -> None:
        """Restores what was kept within an epoch: `on_epoch_begin` had changed it before."""
        self._restore()

    def _restore(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            resume.restore(kept, self._model, self._callbacks, self._data)
            self._model.stop_training = self.start.stopped
