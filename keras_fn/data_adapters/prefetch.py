"""Fetches ahead: a thread gets the next batches while the step of this one runs."""

from collections.abc import Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any

from keras_fn.core.device import same_device
from keras_fn.core.scopes import Carried

_END = object()

_PATIENCE = 2.0  # seconds to wait for a thread that is amidst a batch when the run ends


class Prefetch:
    """The items of an iterator, fetched by a thread of their own.

    It stays at most `ahead` items in front of who reads, works in the context and on the device
    of who made it, and hands an error on where the item would have been.

    Args:
        items: What is fetched.
        ahead: How many items may wait.

    Example:
        >>> list(Prefetch(iter("abc")))
        ['a', 'b', 'c']
    """

    def __init__(self, items: Iterator[Any], ahead: int = 2):
        self._items = items
        self._room, self._ready = Semaphore(ahead), SimpleQueue[tuple[Any, Any]]()
        self._closed, self._scopes = False, Carried()
        # A daemon: a source that never answers must not keep the program from ending.
        self._thread = Thread(
            target=copy_context().run, args=(self._fetch,), name="keras_fn batches", daemon=True
        )
        self._thread.start()

    def _fetch(self) -> None:
        try:
            with self._scopes, same_device():
                while True:
                    # Room first: a source is never asked for what there is no place for.
                    self._room.acquire()
                    if self._closed:
                        return
                    item = next(self._items, _END)
                    self._ready.put((item, None))
                    if item is _END:
                        return
        except BaseException as error:  # it is for the reader, whatever it is
            self._ready.put((_END, error))

    def __iter__(self) -> "Prefetch":
        return self

    def __next__(self) -> Any:
        if self._closed:
            raise StopIteration
        item, error = self._ready.get()
        self._room.release()
        if item is _END:
            self.close()
            raise StopIteration if error is None else error
        return item

    def close(self) -> None:
        """Ends the thread; what it has fetched is dropped."""
        self._closed = True
        self._room.release()
        self._thread.join(_PATIENCE)
