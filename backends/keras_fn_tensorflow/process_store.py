"""A store of process 0, through which processes find each other and tell each other texts.

TensorFlow's servers must know each other's addresses before they start. A request is a line of JSON
and so is its reply; a connection that stays open tells each process when another one ends.
"""

import json
import socket
import sys
import time
from collections.abc import Callable
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Condition, Thread
from typing import Any, cast

_RETRY_SECONDS = 0.05
_EXTRA_SECONDS = 5.0  # that a reply may take longer than its request waits
_FAREWELL_SECONDS = 0.2  # that process 0 stays, so that the others hear of its end
_FAREWELL = "end"


class Cluster:
    """The processes that this one is connected with. There is one instance, `cluster`."""

    index, count = 0, 1
    store: "ProcessStoreClient"
    token: Any  # a variable that orders the collectives


cluster = Cluster()


class ProcessStore(ThreadingTCPServer):
    """The server of the store: a thread for each connection.

    Args:
        host: The host name of process 0, by which the others know it.
        port: The port.
        count: The number of processes.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, host: str, port: int, count: int):
        self.count = count
        self.counts = [0] * count
        self.texts: dict[str, dict[int, str]] = {}
        self.readers: dict[str, int] = {}  # how many processes have got the texts of a name
        self.ended: dict[int, bool] = {}  # whether it failed, of each process that has ended
        self.changed = Condition()
        is_local = host == "localhost" or host.startswith("127.")
        super().__init__(("127.0.0.1" if is_local else "", port), _Handler)
        Thread(target=self.serve_forever, name="keras_fn store", daemon=True).start()

    def exchange(self, name: str, process: int, text: str, timeout: float) -> list[str | None]:
        """Returns the texts of all processes, when those that still run have sent theirs."""
        with self.changed:
            texts = self.texts.setdefault(name, {})
            texts[process] = text
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.count <= len(texts.keys() | self.ended), timeout)
            self.readers[name] = self.readers.get(name, 0) + 1
            if self.readers[name] == self.count:
                del self.texts[name], self.readers[name]
            return [texts.get(i) for i in range(self.count)]

    def exchange_counts(self, process: int, count: int) -> list[int]:
        """Keeps the count of a process, and returns those of all."""
        with self.changed:
            self.counts[process] = count
            return list(self.counts)

    def watch(self, handler: "_Handler", process: int) -> None:
        """Tells a process who ends, and the others when its own connection does."""
        Thread(target=self._tell_ends, args=(handler,), daemon=True).start()
        try:
            last = handler.rfile.readline()
        except OSError:
            last = b""
        with self.changed:
            self.ended[process] = last.strip().decode() != _FAREWELL
            self.changed.notify_all()

    def _tell_ends(self, handler: "_Handler") -> None:
        reported = 0
        while True:
            with self.changed:
                self.changed.wait_for(lambda reported=reported: len(self.ended) > reported)
                ended = list(self.ended.items())
            try:
                for end in ended[reported:]:
                    handler.reply(end)
            except (OSError, ValueError):  # the process itself has ended
                return
            reported = len(ended)


class _Handler(StreamRequestHandler):
    """Answers the request of a connection."""

    def handle(self) -> None:
        store = cast(ProcessStore, self.server)
        try:
            kind, *arguments = json.loads(self.rfile.readline())
            if kind == "watch":
                store.watch(self, *arguments)
            else:
                method = {"exchange": store.exchange, "counts": store.exchange_counts}[kind]
                self.reply(method(*arguments))
        except (OSError, ValueError, TypeError, KeyError):  # no request of ours, or no one waits
            return

    def reply(self, value: Any) -> None:
        """Sends a reply."""
        self.wfile.write(json.dumps(value).encode() + b"\n")


class ProcessStoreClient:
    """A connection to the store for each request, from any thread.

    Args:
        host: The host of process 0.
        port: The port.
        process: The index of this process.
    """

    def __init__(self, host: str, port: int, process: int):
        self._address, self._process = (host, port), process
        self._watching: socket.socket | None = None
        self.own_host = ""  # by which the others reach this process

    def connect(self, timeout: float) -> bool:
        """Waits until process 0 answers; returns whether it does within so many seconds."""
        end = time.monotonic() + timeout
        while True:
            try:
                with socket.create_connection(self._address, timeout) as connection:
                    self.own_host = connection.getsockname()[0]
                return True
            except OSError:
                if time.monotonic() > end:
                    return False
                time.sleep(_RETRY_SECONDS)

    def _ask(self, timeout: float, *request: Any) -> Any:
        seconds = timeout + _EXTRA_SECONDS
        with socket.create_connection(self._address, seconds) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as replies:
                return json.loads(replies.readline())

    def exchange(self, name: str, text: str, timeout: float) -> list[str | None]:
        """Returns the texts of all processes; None for one that has not sent its own in time."""
        return self._ask(timeout, "exchange", name, self._process, text, timeout)

    def exchange_counts(self, count: int) -> list[int]:
        """Publishes a count, and returns those of all processes."""
        return self._ask(0, "counts", self._process, count)

    def watch(self, on_end: Callable[[int, bool], object]) -> None:
        """Calls a function when another process ends: with its index, and whether it failed."""
        connection = self._watching = socket.create_connection(self._address)
        connection.sendall(json.dumps(("watch", self._process)).encode() + b"\n")
        Thread(target=self._listen, args=(connection, on_end), daemon=True).start()

    def _listen(self, connection: socket.socket, on_end: Callable[[int, bool], object]) -> None:
        zero_ended = False
        try:
            with connection, connection.makefile("rb") as lines:
                for line in lines:
                    process, failed = json.loads(line)
                    zero_ended = zero_ended or process == 0
                    if process != self._process:
                        on_end(process, failed)
        except (OSError, ValueError):
            pass
        if not zero_ended and self._process != 0 and self._watching is not None:
            on_end(0, True)

    def end(self) -> None:
        """Tells the others that this process ends; without a farewell if an error ends it."""
        connection, self._watching = self._watching, None
        if connection is None:
            return
        failed = getattr(sys, "last_value", None) is not None
        try:
            connection.sendall(b"\n" if failed else f"{_FAREWELL}\n".encode())
        except OSError:  # process 0 has ended
            return
        if self._process == 0:
            time.sleep(_FAREWELL_SECONDS)
