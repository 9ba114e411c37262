"""Loads the batches of a PyDataset in threads or processes. Worker processes import this."""

import hashlib
import multiprocessing
import os
import pickle
import signal
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from threading import Thread
from typing import Any

from keras_fn.training.py_dataset import PyDataset


class Workers:
    """Threads or processes that load the batches of one data set.

    They start with the first epoch and stay until `close`, which is final.

    Args:
        dataset: The data set.
        count: How many; with 0, batches are loaded where they are asked for.
    """

    def __init__(self, dataset: PyDataset, count: int):
        self.dataset, self.count = dataset, count
        self._pool: Executor | None = None
        self._pending: deque[Future[Any]] = deque()
        self._closed = False
        self._snapshot: _Snapshot | None = None

    def load(self, indices: Iterator[int]) -> Iterator[Any]:
        """Yields the batches of these numbers, in their order.

        Raises:
            Exception: What loading a batch raised, with the traceback of the worker.
            RuntimeError: A worker process ended, as when it is killed.
        """
        if not self.count:
            yield from map(self.dataset.__getitem__, indices)
            return
        self._start()
        most, pending = max(self.dataset.max_queue_size, 1), self._pending
        try:
            for index in indices:
                pending.append(self._submit(index))
                if len(pending) >= most:
                    yield self._next()
            while pending:
                yield self._next()
        except BrokenProcessPool as error:
            self.close()
            raise RuntimeError(_broken(self.dataset)) from error
        finally:
            while pending:
                pending.popleft().cancel()

    def _start(self) -> None:
        if self._closed:
            raise RuntimeError("The run has ended.")
        if self.dataset.use_multiprocessing:
            self._snapshot = _Snapshot.of(self.dataset, self._snapshot)
            self._pool = self._pool or ProcessPoolExecutor(self.count, _context(), _enter)
        else:
            self._pool = self._pool or ThreadPoolExecutor(self.count, "keras_fn PyDataset")

    def _next(self) -> Any:
        batch = self._pending[0].result()
        self._pending.popleft()  # not before: `close` looks at what is awaited
        return batch

    def _submit(self, index: int) -> Future[Any]:
        assert self._pool is not None
        if self._snapshot is not None:
            return self._pool.submit(_item, self._snapshot.path, index)
        return self._pool.submit(self.dataset.__getitem__, index)

    def close(self) -> None:
        """Lets the workers go; processes that are amidst a batch are stopped."""
        self._closed = True
        amidst = not all(future.done() for future in tuple(self._pending))
        pool, self._pool = self._pool, None
        if pool is not None:
            processes = tuple((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes if amidst else ():
                process.terminate()  # a batch that takes for ever would keep the program alive
        if self._snapshot is not None:
            self._snapshot.remove()
            self._snapshot = None


def _context() -> Any:
    """How processes start: afresh, as a fork of a process with threads can hang."""
    chosen = multiprocessing.get_start_method(allow_none=True)
    if chosen != "spawn" and "forkserver" in multiprocessing.get_all_start_methods():
        chosen = "forkserver"
    return multiprocessing.get_context(chosen if chosen != "fork" else "spawn")


class _Snapshot:
    """The data set as it is at the beginning of an epoch, in a file for the processes to read."""

    def __init__(self, pickled: bytes, digest: bytes):
        self.digest = digest
        handle, self.path = tempfile.mkstemp(prefix="keras_fn_dataset_", suffix=".pickle")
        with os.fdopen(handle, "wb") as file:
            file.write(pickled)

    @classmethod
    def of(cls, dataset: PyDataset, last: "_Snapshot | None") -> "_Snapshot":
        """Returns a snapshot; the last one, if the data set has not changed."""
        try:
            pickled = pickle.dumps(dataset, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise TypeError(
                f"{type(dataset).__name__} cannot be sent to worker processes: {error}\n"
                "  fix: keep what cannot be pickled (open files, lambdas) out of its attributes "
                "and open it in __getitem__, or use threads: use_multiprocessing=False"
            ) from error
        digest = hashlib.blake2b(pickled).digest()
        if last is not None and last.digest == digest:
            return last
        if last is not None:
            last.remove()
        return cls(pickled, digest)

    def remove(self) -> None:
        with suppress(OSError):
            os.remove(self.path)


def _enter() -> None:
    """Runs first in a worker process, which ends with the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for that one to act on
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent,), name="keras_fn parent", daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()  # if it is killed, nobody else tells the workers
    os._exit(1)


_held: tuple[str, Any] = ("", None)  # in a worker process: the snapshot it has read last


def _item(path: str, index: int) -> Any:
    """Loads a batch, in a worker process."""
    global _held
    if _held[0] != path:
        with open(path, "rb") as file:  # written by the process that started this one
            try:
                _held = path, pickle.load(file)
            except AttributeError as error:
                raise RuntimeError(
                    f"A worker process does not find the class of the data set: {error}\n"
                    "  fix: define it in a module, not in a notebook or a prompt, or use threads: "
                    "use_multiprocessing=False"
                ) from error
    return _held[1][index]


def _broken(dataset: PyDataset) -> str:
    return (
        f"A worker process of {type(dataset).__name__} ended before its batch was there: it was "
        "killed, ran out of memory, crashed, or could not start.\n"
        '  fix: run the program under `if __name__ == "__main__":`; if it is, use fewer workers '
        "or smaller batches, or threads: use_multiprocessing=False"
    )
