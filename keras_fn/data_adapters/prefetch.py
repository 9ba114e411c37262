"""Prefetching: a thread prepares the next batches while the current step runs."""

from collections.abc import Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any

from keras_fn.core.device import inherit_device
from keras_fn.core.scopes import CapturedContext

_END = object()

_JOIN_TIMEOUT = 2.0  # seconds to wait for a thread that is loading a batch when the run ends


class Prefetch:
    """Iterator over the items of another iterator, which a background thread reads ahead.

    The thread works in the context and on the device of the thread that created it. An error is
    raised where the item would have been.

    Args:
        items: The iterator.
        buffer_size: Number of items that may be ready ahead of the consumer.

    Example:
        >>> list(Prefetch(iter("abc")))
        ['a', 'b', 'c']
    """

    def __init__(self, items: Iterator[Any], buffer_size: int = 2):
        self._items = items
        self._free_slots, self._ready = Semaphore(buffer_size), SimpleQueue[tuple[Any, Any]]()
        self._closed, self._scopes = False, CapturedContext()
        # A daemon: a source that blocks forever must not keep the program from exiting.
        self._thread = Thread(
            target=copy_context().run, args=(self._fetch,), name="keras_fn batches", daemon=True
        )
        self._thread.start()

    def _fetch(self) -> None:
        try:
            with self._scopes, inherit_device():
                while True:
                    # First a slot: the source is never asked for an item that cannot be stored.
                    self._free_slots.acquire()
                    if self._closed:
                        return
                    item = next(self._items, _END)
                    self._ready.put((item, None))
                    if item is _END:
                        return
        except BaseException as error:  # the consumer raises it
            self._ready.put((_END, error))

    def __iter__(self) -> "Prefetch":
        return self

    def __next__(self) -> Any:
        if self._closed:
            raise StopIteration
        item, error = self._ready.get()
        self._free_slots.release()
        if item is _END:
            self.close()
            raise StopIteration if error is None else error
        return item

    def close(self) -> None:
        """Stops the thread and drops the items that are ready."""
        self._closed = True
        self._free_slots.release()
        self._thread.join(_JOIN_TIMEOUT)
