"""BackupAndRestore: fault-tolerant training, and the run of `fit` that it backs up."""

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs, get_last_batch
from keras_fn.callbacks.progress_display import print_message
from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.core.argument_forms import PATH, check_arguments
from keras_fn.core.cleanup import register_cleanup
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.data_adapters.iterable_adapter import IterableAdapter
from keras_fn.distribution.processes import ProcessError, exchange_text, is_primary
from keras_fn.errors import SpecError
from keras_fn.saving.checkpoint.checkpoint_index import INDEX
from keras_fn.saving.checkpoint.checkpoint_writer import open_checkpoint_folder
from keras_fn.saving.unfinished import remove_unfinished
from keras_fn.settings import settings
from keras_fn.training import backup_format
from keras_fn.training.backup_format import TrainingPosition
from keras_fn.training.sharded_backup import (
    capture_slices,
    gather_data_state,
    read_sharded_backup,
    write_sharded_backup,
)
from keras_fn.types import AnyModel, PathLike


class BackupAndRestore(Callback):
    """Fault tolerance: an interrupted run of `fit` resumes when the program is started again.

    A backup holds weights, optimizer, metrics, random seeds, the position in the data and the state
    of the callbacks (see `Callback.get_state`): on a CPU, a resumed run ends bit-identical to an
    uninterrupted one. The state is copied between two steps and written in the background,
    atomically. Under a distribution it is a sharded checkpoint, of which each process writes its
    part; any number of processes goes on with it, with any layout and backend.

    Iterable data restores its own position if it can: with `state_dict` and `load_state_dict`, as
    torchdata's StatefulDataLoader, or with `get_state` and `set_state`, as Grain's iterators. Other
    data is iterated again up to the position; a PyDataset skips batches by index.

    Args:
        backup_dir: Folder of the backup, used by this run alone.
        save_freq: `"epoch"`, or the number of batches between two backups.
        double_checkpoint: Whether to keep the previous backup too, as a fallback if the latest
            cannot be read.
        delete_checkpoint: Whether to delete the backup at the end of training.

    Raises:
        ValueError: `save_freq` is neither `"epoch"` nor a positive integer, or `backup_dir` is
            empty.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> backup = keras.callbacks.BackupAndRestore(tempfile.mkdtemp())
        >>> x, y = np.ones((8, 3)), np.ones((8, 1))
        >>> model.fit(x, y, epochs=2, verbose=0, callbacks=[backup]).epoch
        [0, 1]
    """

    runs_last = True  # so that it saves the state of the others after the same hook

    def __init__(
        self,
        backup_dir: PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        check_arguments("BackupAndRestore", {"backup_dir": PATH}, {"backup_dir": backup_dir})
        if not os.fspath(backup_dir):
            raise SpecError(
                "BackupAndRestore",
                expected="backup_dir as the path of a folder",
                received=f"{backup_dir!r}",
                fix='for example backup_dir="backups/run1"',
            )
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not is_count:
            raise SpecError(
                "BackupAndRestore",
                expected="save_freq as 'epoch' or a number of batches",
                received=f"{save_freq!r}",
                fix="for example save_freq=100",
            )
        self.backup_dir = Path(backup_dir)
        self.save_freq: Any = save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._run: ResumableRun | None = None
        self._pending_write: Future[None] | None = None
        self._epoch, self._counter = 0, StepCounter()
        if is_count:  # a batch-level hook, only where batches must be counted
            self.on_train_batch_end = self._back_up_after_batch

    def attach(self, run: "ResumableRun") -> None:
        """Sets the run of `fit` to back up; without one, there are no backups.

        Args:
            run: The run.
        """
        self._run = run

    def _path(self, is_previous: bool = False, is_sharded: bool = False) -> Path:
        name = "run.previous" if is_previous else "run"
        return self.backup_dir / (f"{name}.checkpoint" if is_sharded else f"{name}.npz")

    def _find_backups(self) -> list[Path]:
        """Returns the existing backups, the latest first."""
        paths = [self._path(*flags) for flags in product((False, True), repeat=2)]
        found = [path for path in paths if path.exists()]
        return sorted(found, key=_time_of, reverse=True)

    def load(self, open_files: ExitStack) -> dict[str, Any] | None:
        """Returns the state of the latest complete backup; None if there is none.

        Args:
            open_files: Closes its files.
        """
        if self.backup_dir.is_dir() and is_primary():
            remove_unfinished(self.backup_dir)
        paths = self._find_backups()
        for path in paths:
            try:
                if path.is_dir():
                    state = read_sharded_backup(path, open_files)
                else:
                    state = backup_format.read_backup(path)
                backup_format.check_run(path, state)
                return state
            except (ValueError, ProcessError) as error:
                if path == paths[-1]:
                    raise
                print_message(f"BackupAndRestore: {error}; falling back to the previous one.")
        return None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Records the current epoch."""
        self._epoch = epoch
        self._counter.begin_epoch()

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the next batch after which a backup is made.

        Args:
            batch: Index of the next batch in the epoch, from 0.
        """
        done = self._counter.total
        return self._counter.batch_at(batch, done - done % self.save_freq + self.save_freq)

    def _back_up_after_batch(self, batch: int, logs: Logs = None) -> None:
        before, batch = self._counter.total, get_last_batch(batch, logs)
        self._counter.advance(batch)
        is_due = self._counter.total // self.save_freq > before // self.save_freq
        if self._run is not None and is_due:
            stopped = self.model.stop_training
            self._back_up(TrainingPosition(self._epoch, batch + 1, stopped, dict(logs or {})))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Makes a backup, with `save_freq="epoch"`."""
        if self._run is not None and self.save_freq == "epoch":
            self._back_up(TrainingPosition(epoch + 1, 0, self.model.stop_training))

    def on_train_end(self, logs: Logs = None) -> None:
        """Waits for the last write; deletes the backup if `delete_checkpoint` is set."""
        self.wait()
        if self._run is not None:
            exchange_text("BackupAndRestore")  # it is complete
            if self.delete_checkpoint and is_primary():
                for path in self._find_backups():
                    _remove(path)
                with suppress(OSError):  # it holds other files
                    self.backup_dir.rmdir()
        self._run = None

    def _back_up(self, position: TrainingPosition) -> None:
        run = self._run
        assert run is not None
        state = backup_format.capture_state(run.callbacks, position, run.data)
        is_sharded = settings.distribution is not None
        capture = capture_slices if is_sharded else backup_format.capture_variables
        variables: Any = capture(run.model)
        self.wait()
        if is_sharded:
            state = gather_data_state(state)
            self._make_previous()
            stack, path = ExitStack(), self._path(is_sharded=True)
            folder = stack.enter_context(open_checkpoint_folder(path, "BackupAndRestore"))
            write = partial(self._write_sharded, stack, folder, variables, state)
        else:
            write = partial(self._write, {**state, "variables": variables})
        writer = ThreadPoolExecutor(1, "keras_fn-backup")
        self._pending_write = writer.submit(write)
        writer.shutdown(wait=False)  # the thread ends with the write

    def wait(self) -> None:
        """Waits for the write in the background to finish."""
        pending, self._pending_write = self._pending_write, None
        if pending is not None:
            pending.result()  # raises the error of the thread, if there was one

    def _write(self, state: dict[str, Any]) -> None:
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        self._make_previous()
        backup_format.write_backup(self._path(), state)
        _remove(self._path(is_sharded=True))

    def _write_sharded(self, *arguments: Any) -> None:
        write_sharded_backup(*arguments)
        if is_primary():
            _remove(self._path())

    def _make_previous(self) -> None:
        """Keeps the latest backup as the previous one, if two are to be kept."""
        backups = self._find_backups() if self.double_checkpoint and is_primary() else []
        if backups:
            latest, *others = backups
            for path in others:
                _remove(path)
            latest.rename(self._path(is_previous=True, is_sharded=latest.is_dir()))


def _time_of(backup: Path) -> int:
    """Returns when a backup was completed."""
    return (backup / INDEX if backup.is_dir() else backup).stat().st_mtime_ns


def _remove(backup: Path) -> None:
    if backup.is_dir():
        shutil.rmtree(backup, ignore_errors=True)
    else:
        backup.unlink(missing_ok=True)


class ResumableRun:
    """A run of `fit` that starts from its backup, if there is one.

    Attributes:
        model: The model.
        data: The data adapter.
        callbacks: All callbacks.
        start: Where the run starts.

    Args:
        model: The model, built and compiled.
        data: The data adapter.
        callbacks: All callbacks.
        epoch: Index of the first epoch if there is no backup.
    """

    def __init__(self, model: AnyModel, data: DataAdapter, callbacks: list[Any], epoch: int):
        self.model, self.data, self.callbacks = model, data, callbacks
        self.start = TrainingPosition(epoch)
        self._open_files = ExitStack()
        self._backup: dict[str, Any] | None = None
        backup = next((c for c in callbacks if isinstance(c, BackupAndRestore)), None)
        if backup is None:
            return
        backup.attach(self)
        register_cleanup(backup.wait)
        register_cleanup(self._open_files.close)
        if isinstance(data, IterableAdapter):
            data.track_position(at_batches=backup.save_freq != "epoch")
        self._backup = backup.load(self._open_files)
        if self._backup is not None:
            self.start = TrainingPosition(**self._backup["position"])
            print_message(
                f"Resuming {model._label} at epoch {self.start.epoch + 1}, step {self.start.step}."
            )

    def after_train_begin(self) -> None:
        """Restores a backup made between two epochs, before `on_epoch_begin` runs again."""
        if not self.start.step:
            self._restore()

    def after_epoch_begin(self) -> None:
        """Restores a backup made within an epoch, whose `on_epoch_begin` had already run."""
        self._restore()

    def _restore(self) -> None:
        backup, self._backup = self._backup, None
        if backup is not None:
            with self._open_files:
                backup_format.restore_state(backup, self.model, self.callbacks, self.data)
            self.model.stop_training = self.start.stopped
