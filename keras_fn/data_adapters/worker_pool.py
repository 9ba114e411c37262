"""Loads the batches of a PyDataset in threads or processes. Worker processes import this."""

import hashlib
import multiprocessing
import os
import pickle
import secrets
import shutil
import signal
import tempfile
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from keras_fn.data_adapters.py_dataset import PyDataset


class Workers:
    """Threads or processes that load the batches of one data set.

    They start with the first epoch and stay until `close`, which is final. Workers that nobody
    refers to any more end by themselves.

    Args:
        dataset: The data set.
        count: How many; with 0, batches are loaded where they are asked for.
    """

    def __init__(self, dataset: PyDataset, count: int):
        self.dataset, self.count = dataset, count
        self._pool: Executor | None = None
        self._pending: deque[Future[Any]] = deque()
        self._closed = False
        # Of the data set as processes are to read it. It is there while an epoch has such workers.
        self._folder = Path(tempfile.gettempdir(), f"keras_fn_dataset_{secrets.token_hex(8)}")
        self._snapshot: Path | None = None
        weakref.finalize(self, _remove, self._folder)

    def load(self, indices: Iterator[int]) -> Iterator[Any]:
        """Yields the batches of these numbers, in their order.

        Raises:
            Exception: What loading a batch raised, with the traceback of the worker.
            RuntimeError: A worker process ended, as when it is killed.
        """
        if not self.count:
            yield from map(self.dataset.__getitem__, indices)
            return
        most, pending = max(self.dataset.max_queue_size, 1), self._pending
        try:
            self._start()
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
            self._start_processes(_pickled(self.dataset))
        else:
            self._pool = self._pool or ThreadPoolExecutor(self.count, "keras_fn PyDataset")
        if self._closed:  # since, by another thread
            self.close()
            raise RuntimeError("The run has ended.")

    def _start_processes(self, pickled: bytes) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.count, _context(), _enter, (self._folder,))
            # Before there is a file, there is a worker to remove it if this process is killed.
            self._pool.submit(os.getpid).result()
        path = self._folder / f"{hashlib.blake2b(pickled, digest_size=16).hexdigest()}.pickle"
        if path == self._snapshot:
            return  # the data set has not changed
        self._folder.mkdir(0o700, exist_ok=True)
        path.write_bytes(pickled)
        last, self._snapshot = self._snapshot, path
        if last is not None:
            with suppress(OSError):
                last.unlink()

    def _next(self) -> Any:
        batch = self._pending[0].result()
        self._pending.popleft()  # not before: `close` looks at what is awaited
        return batch

    def _submit(self, index: int) -> Future[Any]:
        assert self._pool is not None
        if self._snapshot is not None:
            return self._pool.submit(_item, self._snapshot, index)
        return self._pool.submit(self.dataset.__getitem__, index)

    def close(self) -> None:
        """Lets the workers go; processes that are amidst a batch are stopped."""
        self._closed = True
        _remove(self._folder)  # first: workers that have ended could not, were this process killed
        amidst = not all(future.done() for future in tuple(self._pending))
        pool, self._pool = self._pool, None
        if pool is not None:
            processes = tuple((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes if amidst else ():
                process.terminate()  # a batch that takes for ever would keep the program alive


def _context() -> Any:
    """How processes start: afresh, as a fork of a process with threads can hang."""
    chosen = multiprocessing.get_start_method(allow_none=True)
    if chosen != "spawn" and "forkserver" in multiprocessing.get_all_start_methods():
        chosen = "forkserver"
    return multiprocessing.get_context(chosen if chosen != "fork" else "spawn")


def _pickled(dataset: PyDataset) -> bytes:
    """The data set as it is at the beginning of an epoch, for the processes to read."""
    try:
        return pickle.dumps(dataset, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise TypeError(
            f"{type(dataset).__name__} cannot be sent to worker processes: {error}\n"
            "  fix: keep what cannot be pickled (open files, lambdas) out of its attributes "
            "and open it in __getitem__, or use threads: use_multiprocessing=False"
        ) from error


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _enter(folder: Path) -> None:
    """Runs first in a worker process, which ends with the process that started it.

    Args:
        folder: What is removed then, if that one was killed and could not.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for that one to act on
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent, folder), name="keras_fn parent", daemon=True).start()


def _end_with(parent: Any, folder: Path) -> None:
    parent.join()  # if it is killed, nobody else tells the workers
    _remove(folder)
    os._exit(1)


_held: tuple[Path | None, Any] = (None, None)  # in a worker process: the snapshot it has read last


def _item(path: Path, index: int) -> Any:
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
