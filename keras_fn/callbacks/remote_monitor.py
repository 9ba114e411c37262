"""Callbacks that write down what happens, and those that set what an epoch or batch asks for."""

import json
import urllib.parse
import warnings
from typing import Any

import numpy as np

from keras_fn._lazy import Deferred
from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.errors import SpecError

_request: Any = Deferred("urllib.request")  # RemoteMonitor's alone, and it takes long to import


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
                "RemoteMonitor",
                expected="a root that begins with http:// or https://",
                received=f"{root!r}",
                fix="for example root='http://localhost:9000'",
            )
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
