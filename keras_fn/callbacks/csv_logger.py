"""CSVLogger: the logs of training as a CSV file."""

import csv
import os
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.core.argument_forms import PATH, check_arguments
from keras_fn.distribution.processes import is_primary
from keras_fn.types import PathLike


class CSVLogger(Callback):
    """Streams the logs of each epoch to a CSV file, one row per epoch; process 0 writes it.

    Args:
        filename: Path of the CSV file.
        separator: String between two values of a row.
        append: Whether to append to an existing file instead of overwriting it.

    Example:
        >>> import tempfile, os
        >>> file = os.path.join(tempfile.mkdtemp(), "log.csv")
        >>> logger = keras.callbacks.CSVLogger(file)
        >>> logger.on_train_begin()
        >>> logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75})
        >>> logger.on_train_end()
        >>> with open(file) as lines:
        ...     print(lines.read().strip())
        epoch,loss,val_loss
        0,0.5,0.75
    """

    def __init__(self, filename: PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        check_arguments("CSVLogger", {"filename": PATH}, {"filename": filename})
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._truncate_to: int | None = None  # size in bytes, before the first row is written
        self._file_size = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Checks that the file is writable, and creates its folder."""
        os.makedirs(os.path.dirname(os.path.abspath(self.filename)), exist_ok=True)
        self.keys, self._truncate_to = None, None if self.append else 0
        if is_primary():
            with self._open():
                pass

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state; the file continues after the last row of the backup."""
        super().set_state(state)
        self._truncate_to = self._file_size

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes a row."""
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if self.keys and not any(k.startswith("val_") for k in self.keys):
                # Later epochs may run a validation: reserve columns for it.
                self.keys += [f"val_{k}" for k in self.keys]
        if is_primary():
            self._write_row(epoch, logs, self.keys)

    def _write_row(self, epoch: int, logs: Mapping[str, Any], keys: list[str]) -> None:
        with self._open() as file:
            if self._truncate_to is not None:
                file.truncate(self._truncate_to)
                self._truncate_to = None
            writer = csv.DictWriter(
                file, ["epoch", *keys], delimiter=self.sep, lineterminator=os.linesep
            )
            if not os.path.getsize(self.filename):
                writer.writeheader()
            cells = {k: _format_cell(logs.get(k, "NA")) for k in keys}
            writer.writerow({"epoch": epoch, **cells})
            file.flush()
            self._file_size = os.path.getsize(self.filename)

    def _open(self) -> TextIO:
        return open(self.filename, "a", newline="", encoding="utf-8")


def _format_cell(value: Any) -> Any:
    is_list = isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0
    if isinstance(value, str) or not is_list:
        return value
    return f'"[{", ".join(map(str, value))}]"'
