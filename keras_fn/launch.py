"""`python -m keras_fn.launch -n 2 script.py`: starts a program in several processes of a machine.

Each process finds the others by `keras.distribution.initialize()`. When one fails, the others are
ended, its last lines are printed last, and its exit code is returned.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import NamedTuple

from keras_fn.distribution.watchdog import EXIT_CODE

_POLL_SECONDS = 0.05
_SETTLE_SECONDS = 0.5  # a killed process can be reported after another that has noticed its end
_LINES_SHOWN = 20  # of the process that failed first, once more at the end
_DESCRIPTION = (
    "Starts a Python program in several processes of this machine, which train together: "
    "keras.distribution.initialize() connects them."
)


class Failure(NamedTuple):
    """The process that failed first.

    Attributes:
        process: Its index.
        code: Its exit code, negative for a signal.
        lines: The last lines of its output.
    """

    process: int
    code: int
    lines: Sequence[str]


class _Worker:
    """A process, and a thread that passes its output on."""

    def __init__(self, index: int, command: Sequence[str], environment: Mapping[str, str]):
        self.index, self.lines = index, deque[str](maxlen=_LINES_SHOWN)
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = Thread(target=self._pass_on, daemon=True)
        self._reader.start()

    def _pass_on(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line)
            sys.stdout.write(f"[{self.index}] {line}")
            sys.stdout.flush()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def end(self, seconds: float) -> None:
        """Waits for the process, which was asked to end, and kills it after some time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(1.0)


def launch(count: int, command: Sequence[str], grace: float = 10.0) -> Failure | None:
    """Runs a Python program in several processes, until all have ended.

    Args:
        count: Number of processes.
        command: The script, or `-m` and a module, and its arguments.
        grace: Seconds that the others have, when one has failed, before they are ended.

    Returns:
        The process that failed first, or None.
    """
    address = f"127.0.0.1:{_find_free_port()}"
    workers = [_Worker(i, command, _environment(i, count, address)) for i in range(count)]
    failed: list[_Worker] = []  # in the order of their ends
    seconds = grace  # where this process is to end, its own have time to do so
    deadline = settled = float("inf")
    try:
        while any(worker.is_running for worker in workers) and time.monotonic() < deadline:
            if time.monotonic() < settled:
                failed += _find_failed(workers, failed)
            if failed and deadline == float("inf"):
                deadline = time.monotonic() + grace
                settled = time.monotonic() + _SETTLE_SECONDS
            time.sleep(_POLL_SECONDS)
        if time.monotonic() < settled:
            failed += _find_failed(workers, failed)
        seconds = _POLL_SECONDS
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.end(seconds)
    if not failed:
        return None
    first = min(failed, key=_order_by_cause)
    return Failure(first.index, first.process.returncode, tuple(first.lines))


def _find_failed(workers: Sequence[_Worker], known: Sequence[_Worker]) -> list[_Worker]:
    """Returns the processes that have failed, but for those that are known."""
    return [w for w in workers if w not in known and w.process.poll() not in (None, 0)]


def _order_by_cause(worker: _Worker) -> int:
    """Returns a number that is greater, the more likely a process ended because another one had."""
    code = worker.process.returncode
    if code in (-signal.SIGABRT, EXIT_CODE):  # by the framework, by the watchdog
        return 2
    return int(code > 0)  # an exception, which may be that of a collective


def _environment(index: int, count: int, address: str) -> dict[str, str]:
    """Returns the environment of a process: Keras's names, and those that torchrun sets."""
    host, _, port = address.partition(":")
    names = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
        "KERAS_DISTRIBUTION_NUM_PROCESSES": count,
        "KERAS_DISTRIBUTION_PROCESS_ID": index,
        "RANK": index,
        "WORLD_SIZE": count,
        "LOCAL_RANK": index,
        "LOCAL_WORLD_SIZE": count,
        "MASTER_ADDR": host,
        "MASTER_PORT": port,
        "PYTHONUNBUFFERED": 1,
    }
    return {**os.environ, **{name: str(value) for name, value in names.items()}}


def _find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns the exit code of the process that failed first, or 0.

    Args:
        arguments: The arguments. Default: those of the program.
    """
    parser = argparse.ArgumentParser("python -m keras_fn.launch", description=_DESCRIPTION)
    parser.add_argument("-n", "--processes", type=int, required=True, help="number of processes")
    parser.add_argument(
        "--restarts", type=int, default=0, help="how often all are started again after a failure"
    )
    parser.add_argument(
        "--grace", type=float, default=10.0, help="seconds until the others are ended (default 10)"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="script.py, or -m module")
    options = parser.parse_args(arguments)
    if options.processes < 1 or not options.command:
        parser.error("it needs a number of processes from 1 on, and a script: -n 2 script.py")
    failure = launch(options.processes, options.command, options.grace)
    for _ in range(options.restarts):
        if failure is None:
            break
        sys.stdout.write(f"{_describe(failure, options.processes)}: all start again\n")
        failure = launch(options.processes, options.command, options.grace)
    if failure is None:
        return 0
    lines = "".join(failure.lines)
    sys.stdout.write(f"{_describe(failure, options.processes)}. Its last lines:\n{lines}")
    return failure.code if failure.code > 0 else 128 - failure.code


def _describe(failure: Failure, count: int) -> str:
    reason = f"code {failure.code}" if failure.code > 0 else f"signal {-failure.code}"
    return f"launch: process {failure.process} of {count} failed first, with {reason}"


def _exit(number: int, frame: object) -> None:
    del frame
    sys.exit(128 + number)


if __name__ == "__main__":
    for code in (signal.SIGINT, signal.SIGTERM):  # else its processes would go on alone
        signal.signal(code, _exit)
    sys.exit(main())
