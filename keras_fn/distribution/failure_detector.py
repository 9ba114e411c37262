"""A failure detector: each process knows at once when another one of the cluster has died.

Each process holds a connection to process 0, which the system closes when a process ends, however
it ends. Process 0 tells the others. What a collective of a framework does then is another matter:
with several devices in a process, some of its threads wait for ever, and no exception can be raised
into them. So a process whose main thread does not move any more is ended, with the error.
"""

import atexit
import contextlib
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable

from keras_fn.distribution.processes import ProcessError, processes
from keras_fn.distribution.watchdog import end_process

_STUCK_SECONDS = 1.0  # without a move of the main thread, after another process has died
_POLL_SECONDS = 0.1
_CONNECT_SECONDS = 10.0
_DONE = b"done"
_MAX_LINE = 64  # bytes

ExchangeText = Callable[[str, str], list[str]]
"""Publishes a text under a name, and returns those of all processes."""


class FailureDetector:
    """Connections that end with their processes, and threads that see it.

    Args:
        index: The index of this process.
        count: The number of processes.
        fail: Called with the error if the main thread is stuck. Default: prints it, and ends this
            process.
    """

    def __init__(
        self, index: int, count: int, fail: Callable[[ProcessError], object] = end_process
    ):
        self._index, self._count, self._fail = index, count, fail
        self._sockets: dict[int, socket.socket] = {}  # by process; to process 0 from the others
        self._is_stopped = False

    def start(self, host: str, exchange: ExchangeText) -> None:
        """Connects this process with the others.

        Args:
            host: The host of process 0.
            exchange: Publishes a text, and returns those of all.
        """
        token = os.urandom(16).hex()
        if self._index == 0:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            own = {"localhost": "127.0.0.1", "127.0.0.1": host, "::1": host}.get(host, "")
            server = socket.create_server((own, 0), family=family)
            exchange("failure detector", f"{server.getsockname()[1]} {token}")
            self._run(self._accept, server, token)
        else:
            port, token = exchange("failure detector", "")[0].split()
            with contextlib.suppress(OSError):  # deaths are known after the timeout then
                self._sockets[0] = connection = socket.create_connection(
                    (host, int(port)), _CONNECT_SECONDS
                )
                connection.settimeout(None)
                connection.sendall(f"{token} {self._index}".encode().ljust(_MAX_LINE))
                self._run(self._listen, connection)
        atexit.register(self.stop)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, name="keras_fn failures", daemon=True).start()

    def stop(self) -> None:
        """Tells the others that this process ends as it should, unless an exception ends it."""
        self._is_stopped = True
        if getattr(sys, "last_value", None) is None:
            self._tell(_DONE)
            return
        for connection in list(self._sockets.values()):  # the framework may end much later
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _tell(self, line: bytes) -> None:
        for connection in list(self._sockets.values()):
            with contextlib.suppress(OSError):
                connection.sendall(line.ljust(_MAX_LINE))

    def _accept(self, server: socket.socket, token: str) -> None:
        """Takes the connections of the others, in process 0, and tells all who has died."""
        with selectors.DefaultSelector() as selector, server:
            selector.register(server, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    if connection is server:
                        self._greet(server.accept()[0], token, selector)
                        continue
                    line = _receive(connection)
                    selector.unregister(connection)
                    if line != _DONE:
                        self._tell(str(key.data).encode())
                        self._note(key.data)

    def _greet(
        self, connection: socket.socket, token: str, selector: selectors.BaseSelector
    ) -> None:
        """Registers a connection, if it is that of a process of the cluster."""
        connection.settimeout(_CONNECT_SECONDS)
        line = _receive(connection).split()
        if len(line) == 2 and line[0] == token.encode():
            connection.settimeout(None)
            self._sockets[int(line[1])] = connection
            selector.register(connection, selectors.EVENT_READ, int(line[1]))
        else:
            connection.close()

    def _listen(self, connection: socket.socket) -> None:
        """Waits for what process 0 says, in another process."""
        while (line := _receive(connection)) != _DONE:
            self._note(int(line) if line.isdigit() else 0)
            if not line:
                return

    def _note(self, process: int) -> None:
        """Notes that a process has died; ends this one if its main thread is stuck."""
        if self._is_stopped:
            return
        processes.died.setdefault(process, time.monotonic())
        self._run(self._end_if_stuck, process)

    def _end_if_stuck(self, process: int) -> None:
        error = ProcessError(
            f"keras.distribution, process {self._index} of {self._count}",
            expected="all processes, until the program ends",
            received=f"process {process} has ended",
            fix="look at the output of that process first: it has the cause",
        )
        if process == 0:  # with which the framework may end this one, without a word
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
        last, since = None, time.monotonic()
        while not (self._is_stopped or processes.is_failing):
            position = _find_position()
            if position != last:
                last, since = position, time.monotonic()
            elif time.monotonic() - since > _STUCK_SECONDS:
                self._fail(error)
                return
            time.sleep(_POLL_SECONDS)


def _find_position() -> tuple[int, int] | None:
    """Returns where the main thread is: the frame and the instruction in it."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return None if frame is None else (id(frame), frame.f_lasti)


def _receive(connection: socket.socket) -> bytes:
    """Returns the next line; nothing at the end."""
    line = b""
    with contextlib.suppress(OSError):
        while len(line) < _MAX_LINE and (part := connection.recv(_MAX_LINE - len(line))):
            line += part
    return line.strip() if len(line) == _MAX_LINE else b""
