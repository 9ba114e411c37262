"""A watchdog: ends this process, with an error, when another one of the cluster stands still.

A collective that waits for a process that does not answer never returns, and no exception can be
raised into it. So a thread counts, tells the others, and looks whether they count, too.
"""

import atexit
import os
import sys
import time
from collections.abc import Callable
from threading import Event, Thread

from keras_fn.distribution.processes import ProcessError

Exchange = Callable[[int], list[int]]
"""Publishes the count of this process, and returns those of all."""

_ENDED = -1  # the count of a process that has ended as it should
EXIT_CODE = 70


class Watchdog:
    """Threads that watch the other processes.

    Args:
        exchange: Publishes the count of this process, and returns those of all.
        index: The index of this process.
        count: The number of processes.
        timeout: Seconds without a new count after which a process is regarded as stuck.
        fail: Called with the error. Default: prints it, and ends this process.
    """

    def __init__(
        self,
        exchange: Exchange,
        index: int,
        count: int,
        timeout: float,
        fail: Callable[[ProcessError], object] | None = None,
    ):
        self._exchange, self._timeout = exchange, timeout
        self._index, self._fail = index, fail or end_process
        self._counts = [0] * count
        self._seen = [time.monotonic()] * count  # when each process had a new count
        self._answered = time.monotonic()  # when the last exchange ended
        self._interval = min(1.0, timeout / 5)
        self._stopped = Event()

    def start(self) -> None:
        """Starts the threads; they end with the program."""
        for work in (self._beat, self._watch):
            Thread(target=work, name="keras_fn watchdog", daemon=True).start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Tells the others that this process ends as it should."""
        if not self._stopped.is_set():
            self._stopped.set()
            farewell = Thread(target=self._publish, args=(_ENDED,), daemon=True)
            farewell.start()
            farewell.join(self._interval)

    def _beat(self) -> None:
        number = 1
        while not self._stopped.wait(self._interval):
            counts = self._publish(number)
            if not counts:
                continue
            now = self._answered = time.monotonic()
            for i, found in enumerate(counts):
                if found in (_ENDED, 0) or found != self._counts[i]:
                    self._counts[i], self._seen[i] = found, now
            number += 1

    def _publish(self, number: int) -> list[int]:
        try:
            return self._exchange(number)
        except Exception:  # process 0, which keeps the counts, has ended: collectives fail at once
            return []

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._stopped.wait(self._interval):
            now = time.monotonic()
            if now - last > self._timeout / 2:  # this process itself stood still
                self._seen, self._answered = [now] * len(self._seen), now
            last = now
            error = self.check(now)
            if error is not None:
                self._fail(error)
                return

    def check(self, now: float) -> ProcessError | None:
        """Returns the error for a process that stands still, or None.

        Args:
            now: The time, as `time.monotonic` has it.
        """
        if now - self._answered > self._timeout:  # the counts are kept by process 0
            return self._error(0, now - self._answered)
        for i, seen in enumerate(self._seen):
            if i != self._index and now - seen > self._timeout:
                return self._error(i, now - seen)
        return None

    def _error(self, process: int, seconds: float) -> ProcessError:
        return ProcessError(
            f"keras.distribution, process {self._index} of {len(self._counts)}",
            expected=f"a sign of life of each process within {self._timeout:g} s",
            received=f"none of process {process} for {seconds:.0f} s: it stands still",
            fix="look at what that process does, and at its machine; initialize(timeout=) is longer"
            " or shorter",
        )


def end_process(error: ProcessError) -> None:
    """Prints an error and ends this process: no exception reaches a thread inside a framework.

    Args:
        error: The error.
    """
    sys.stderr.write(f"{type(error).__name__}: {error}\n")
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(EXIT_CODE)
