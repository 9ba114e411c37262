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
from keras_fn.errors import DTypeError


class WorkerPool:
    """Pool of threads or processes that load the batches of one data set.

    The workers start with the first epoch and stay until `close`, which is final. A pool that is
    garbage-collected stops its workers.

    Args:
        dataset: The data set.
        num_workers: Number of workers; with 0 the consumer loads the batches.
    """

    def __init__(self, dataset: PyDataset, num_workers: int):
        self.dataset, self.num_workers = dataset, num_workers
        self._pool: Executor | None = None
        self._pending: deque[Future[Any]] = deque()
        self._closed = False
        # Holds the pickled data set while there are worker processes.
        self._folder = Path(tempfile.gettempdir(), f"keras_fn_dataset_{secrets.token_hex(8)}")
        self._snapshot: Path | None = None
        weakref.finalize(self, _remove_folder, self._folder)

    @property
    def is_closed(self) -> bool:
        """Whether the workers were stopped for good."""
        return self._closed

    def load(self, indices: Iterator[int]) -> Iterator[Any]:
        """Yields batches in the order of their indices.

        Args:
            indices: Indices of batches.

        Raises:
            Exception: An error in `__getitem__`, with the traceback of the worker.
            RuntimeError: A worker process died.
        """
        if not self.num_workers:
            yield from map(self.dataset.__getitem__, indices)
            return
        limit, pending = max(self.dataset.max_queue_size, 1), self._pending
        try:
            self._start()
            for index in indices:
                pending.append(self._submit(index))
                if len(pending) >= limit:
                    yield self._next()
            while pending:
                yield self._next()
        except BrokenProcessPool as error:
            self.close()
            raise RuntimeError(_worker_died_message(self.dataset)) from error
        finally:
            while pending:
                pending.popleft().cancel()

    def _start(self) -> None:
        if self._closed:
            raise RuntimeError("The run has ended.")
        if self.dataset.use_multiprocessing:
            self._start_processes(_pickle_dataset(self.dataset))
        else:
            self._pool = self._pool or ThreadPoolExecutor(self.num_workers, "keras_fn PyDataset")
        if self._closed:  # meanwhile, by another thread
            self.close()
            raise RuntimeError("The run has ended.")

    def _start_processes(self, pickled: bytes) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.num_workers, _get_context(), _init_worker, (self._folder,)
            )
            # Start a worker before writing the file: it removes the file if this process is killed.
            self._pool.submit(os.getpid).result()
        path = self._folder / f"{hashlib.blake2b(pickled, digest_size=16).hexdigest()}.pickle"
        if path == self._snapshot:
            return  # the data set is unchanged
        self._folder.mkdir(0o700, exist_ok=True)
        path.write_bytes(pickled)
        last, self._snapshot = self._snapshot, path
        if last is not None:
            with suppress(OSError):
                last.unlink()

    def _next(self) -> Any:
        batch = self._pending[0].result()
        self._pending.popleft()  # only now: `close` checks whether pending batches are done
        return batch

    def _submit(self, index: int) -> Future[Any]:
        assert self._pool is not None
        if self._snapshot is not None:
            return self._pool.submit(_get_item, self._snapshot, index)
        return self._pool.submit(self.dataset.__getitem__, index)

    def close(self) -> None:
        """Stops the workers; processes that are loading a batch are terminated."""
        self._closed = True
        # First: if this process were killed next, no worker would be left to remove it.
        _remove_folder(self._folder)
        is_busy = not all(future.done() for future in tuple(self._pending))
        pool, self._pool = self._pool, None
        if pool is not None:
            processes = tuple((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes if is_busy else ():
                process.terminate()  # a blocked `__getitem__` would keep the program alive


def _get_context() -> Any:
    """Returns a start method other than fork: a forked process with threads can hang."""
    chosen = multiprocessing.get_start_method(allow_none=True)
    if chosen != "spawn" and "forkserver" in multiprocessing.get_all_start_methods():
        chosen = "forkserver"
    return multiprocessing.get_context(chosen if chosen != "fork" else "spawn")


def _pickle_dataset(dataset: PyDataset) -> bytes:
    """Pickles the data set as it is at the start of an epoch."""
    try:
        return pickle.dumps(dataset, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise DTypeError(
            f"{type(dataset).__name__} cannot be sent to worker processes",
            expected="a dataset that can be pickled",
            received=f"{error}",
            fix="keep what cannot be pickled (open files, lambdas) out of its attributes "
            "and open it in __getitem__, or use threads: use_multiprocessing=False",
        ) from error


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _init_worker(folder: Path) -> None:
    """Initializer of a worker process: it exits together with the parent process.

    Args:
        folder: Removed at that time, in case the parent was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(
            target=_exit_with_parent, args=(parent, folder), name="keras_fn parent", daemon=True
        ).start()


def _exit_with_parent(parent: Any, folder: Path) -> None:
    parent.join()  # if it was killed, it could not stop the workers
    _remove_folder(folder)
    os._exit(1)


_cached_snapshot: tuple[Path | None, Any] = (
    None,
    None,
)  # of a worker process


def _get_item(path: Path, index: int) -> Any:
    """Loads a batch in a worker process."""
    global _cached_snapshot
    if _cached_snapshot[0] != path:
        with open(path, "rb") as file:  # written by the parent process
            try:
                _cached_snapshot = path, pickle.load(file)
            except AttributeError as error:
                raise RuntimeError(
                    f"A worker process does not find the class of the data set: {error}\n"
                    "  fix: define it in a module, not in a notebook or a prompt, or use threads: "
                    "use_multiprocessing=False"
                ) from error
    return _cached_snapshot[1][index]


def _worker_died_message(dataset: PyDataset) -> str:
    return (
        f"A worker process of {type(dataset).__name__} ended before its batch was there: it was "
        "killed, ran out of memory, crashed, or could not start.\n"
        '  fix: run the program under `if __name__ == "__main__":`; if it is, use fewer workers '
        "or smaller batches, or threads: use_multiprocessing=False"
    )
