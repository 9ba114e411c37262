"""RemoteMonitor: streams the logs to a server."""

import json
import urllib.parse
import warnings
from typing import Any

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.distribution.processes import is_primary
from keras_fn.errors import SpecError

_request: Any = LazyModule("urllib.request")  # slow to import


_FORM = "application/x-www-form-urlencoded"
_TIMEOUT_SECONDS = 10.0


class RemoteMonitor(Callback):
    """Streams the logs of each epoch to a server, as an HTTP POST request.

    Training continues if the server cannot be reached, after a single warning.

    Args:
        root: Root URL of the server, `http://` or `https://`.
        path: Path of the endpoint, relative to `root`.
        field: Name of the form field that holds the logs as JSON.
        headers: Additional HTTP headers.
        send_as_json: Whether to send the JSON as the request body instead of as a form field.

    Raises:
        ValueError: `root` starts with neither `http://` nor `https://`.

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
                expected="a root that starts with http:// or https://",
                received=f"{root!r}",
                fix="for example root='http://localhost:9000'",
            )
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json
        self._has_warned = False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Sends the logs; of several processes, process 0 does."""
        if not is_primary():
            return
        values = {"epoch": epoch, **{k: _to_json_value(v) for k, v in (logs or {}).items()}}
        body, content_type = json.dumps(values), "application/json"
        if not self.send_as_json:
            body, content_type = urllib.parse.urlencode({self.field: body}), _FORM
        headers = {"Content-Type": content_type, **(self.headers or {})}
        request = _request.Request(self.root + self.path, body.encode(), headers)
        try:
            _request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()
        except OSError as error:  # the base class of all errors of urllib and sockets
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"RemoteMonitor: {self.root + self.path} does not accept the logs ({error}). "
                    "There will be no further warning.",
                    stacklevel=2,
                )


def _to_json_value(value: Any) -> Any:
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value
