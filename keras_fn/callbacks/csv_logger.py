"""Callbacks that write down what happens, and those that set what an epoch or batch asks for."""

import csv
import os
from collections.abc import Iterable
from typing import Any, TextIO

from keras_fn.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file.

    Args:
        filename: The file.
        separator: What stands between two values.
        append: Whether to go on with a file that is there, rather than to begin it anew.

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

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._begins_at: int | None = None  # where it is cut before the first line
        self._ends_at = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Sees to it that the file can be written."""
        self.keys, self._begins_at = None, None if self.append else 0
        with self._opened():
            pass

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on after the last line that was kept."""
        super().set_state(state)
        self._begins_at = self._ends_at

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes a line."""
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if self.keys and not any(k.startswith("val_") for k in self.keys):
                # A validation may come in later epochs: there is room for it.
                self.keys += [f"val_{k}" for k in self.keys]
        with self._opened() as file:
            if self._begins_at is not None:
                file.truncate(self._begins_at)
                self._begins_at = None
            writer = csv.DictWriter(
                file, ["epoch", *self.keys], delimiter=self.sep, lineterminator=os.linesep
            )
            if not os.path.getsize(self.filename):
                writer.writeheader()
            writer.writerow({"epoch": epoch, **{k: _cell(logs.get(k, "NA")) for k in self.keys}})
            file.flush()
            self._ends_at = os.path.getsize(self.filename)

    def _opened(self) -> TextIO:
        return open(self.filename, "a", newline="", encoding="utf-8")


def _cell(value: Any) -> Any:
    is_list = isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0
    if isinstance(value, str) or not is_list:
        return value
    return f'"[{", ".join(map(str, value))}]"'
