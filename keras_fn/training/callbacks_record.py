"""Callbacks that write down what happens, and those that set what an epoch or batch asks for."""

import csv
import json
import os
import urllib.parse
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import numpy as np

from keras_fn import ops
from keras_fn._lazy import Deferred
from keras_fn.errors import DTypeError, SpecError
from keras_fn.training.callbacks_base import Callback, Logs
from keras_fn.training.progress import say

_request: Any = Deferred("urllib.request")  # RemoteMonitor's alone, and it takes long to import


class History(Callback):
    """Keeps the logs of all epochs. `fit` adds one and returns it.

    Attributes:
        history: For each name in the logs, its values, one an epoch.
        epoch: The epochs.

    Example:
        >>> history = keras.callbacks.History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history, history.epoch
        ({'loss': [0.5, 0.25]}, [0, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begins a new list of epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keeps the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def plot(self) -> Any:
        """Draws a panel for each metric, with the values of training and validation.

        Returns:
            The figure of Matplotlib.

        Raises:
            ImportError: Matplotlib is not installed.
            ValueError: Nothing was kept yet.
        """
        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if not names:
            raise SpecError(
                "History.plot", expected="a history of one epoch at least", given="none",
                fix="call it after fit()",
            )  # fmt: skip
        figure = new_figure("History.plot()", figsize=(4 * len(names), 3))
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                values = self.history.get(key)
                if values:
                    first = len(self.epoch) - len(values)
                    epochs = self.epoch[first:] if first >= 0 else range(len(values))
                    axes.plot([e + 1 for e in epochs], values, label=label)
            axes.set(title=name, xlabel="epoch")
            axes.legend()
        return figure


def new_figure(who: str, figsize: tuple[float, float]) -> Any:
    """Returns an empty figure of Matplotlib.

    Args:
        who: What needs it.
        figsize: Width and height in inches.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"{who} needs Matplotlib.\n  fix: pip install 'keras-fn[plot]'"
        ) from error
    return Figure(figsize=figsize, layout="constrained")


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


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server, by HTTP POST.

    Training goes on if the server cannot be reached; there is one warning.

    Args:
        root: The address of the server.
        path: The path there.
        field: The name of the form's field that holds the logs as JSON.
        headers: Further headers of the request, by name.
        send_as_json: Whether the JSON is the whole body, rather than a field of a form.

    Raises:
        ValueError: `root` begins neither with `http://` nor with `https://`.

    Example:
        >>> monitor = keras.callbacks.RemoteMonitor("http://127.0.0.1:9000", send_as_json=True)
        >>> monitor.root + monitor.path
        'http://127.0.0.1:9000/publish/epoch/end/'
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ):
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise SpecError(
                "RemoteMonitor", expected="a root that begins with http:// or https://",
                given=f"{root!r}", fix="for example root='http://localhost:9000'",
            )  # fmt: skip
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json
        self._has_warned = False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Sends the logs."""
        values = {"epoch": epoch, **{k: _plain(v) for k, v in (logs or {}).items()}}
        body, kind = json.dumps(values), "application/json"
        if not self.send_as_json:
            body, kind = urllib.parse.urlencode({self.field: body}), _FORM
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = _request.Request(self.root + self.path, body.encode(), headers)
        try:
            _request.urlopen(request, timeout=_SECONDS_TO_ANSWER).close()
        except OSError as error:  # of which all errors of urllib and of sockets are kinds
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"RemoteMonitor: {self.root + self.path} does not take the logs ({error}). "
                    "There will be no further warning.",
                    stacklevel=2,
                )


_FORM = "application/x-www-form-urlencoded"
_SECONDS_TO_ANSWER = 10.0


def _plain(value: Any) -> Any:
    """A value of the logs as JSON takes it."""
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value


def read_rate(optimizer: Any) -> float:
    """Returns the learning rate of an optimizer as a number."""
    return float(ops.convert_to_numpy(optimizer.learning_rate))


def optimizers_of(model: Any) -> dict[str, Any]:
    """Returns the model's optimizers, each under the key of its learning rate in the logs."""
    inner = getattr(model.optimizer, "optimizers", None)
    if inner is None:
        return {"learning_rate": model.optimizer}
    return {f"learning_rate_{optimizer.name}": optimizer for optimizer in inner}


def inner_optimizers(optimizer: Any) -> list[Any]:
    """Returns the optimizers that update variables: those inside others, if there are some."""
    if hasattr(optimizer, "inner_optimizer"):
        return inner_optimizers(optimizer.inner_optimizer)
    inner = getattr(optimizer, "optimizers", None)
    return [optimizer] if inner is None else [o for each in inner for o in inner_optimizers(each)]


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:
        schedule: Takes the epoch, from 0, and the learning rate, and returns the new one.
        verbose: 1 to print it.

    Raises:
        ValueError: The optimizer has no learning rate.
        TypeError: What `schedule` returns is no number.

    Example:
        >>> class Model: optimizer = keras.optimizers.SGD(0.5)
        >>> callback = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2)
        >>> callback.set_model(Model)
        >>> callback.on_epoch_begin(0)
        >>> float(Model.optimizer.learning_rate.numpy())
        0.25
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Sets the learning rate."""
        for optimizer in optimizers_of(self.model).values():
            if not hasattr(optimizer, "learning_rate"):
                raise SpecError(
                    "LearningRateScheduler",
                    expected="an optimizer with a learning_rate",
                    given=f"{optimizer!r}",
                    fix="use one of keras.optimizers",
                )
            rate = self._next_rate(epoch, read_rate(optimizer))
            if not isinstance(rate, (float, np.floating)):
                raise DTypeError(
                    "LearningRateScheduler",
                    expected="a schedule that returns a float",
                    given=f"{rate!r} of type {type(rate).__name__}",
                    fix="return float(...)",
                )
            optimizer.learning_rate = rate
            if self.verbose > 0:
                say(f"\nEpoch {epoch + 1}: the learning rate of {optimizer.name} is {rate}.")

    def _next_rate(self, epoch: int, rate: float) -> Any:
        try:
            return self.schedule(epoch, rate)
        except TypeError:  # a function of the epoch alone
            return self.schedule(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the learning rate to the logs."""
        if logs is not None:
            logs.update({k: read_rate(o) for k, o in optimizers_of(self.model).items()})
