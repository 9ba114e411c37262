"""How the steps of an epoch are run: one by one, or many in one call of the backend."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.backend.loader import current, supports
from keras_fn.callbacks.callback import LazyLogs
from keras_fn.core import tree
from keras_fn.data_adapters.array_data_adapter import ArrayDataAdapter
from keras_fn.debugging.retracing import track_retraces

Work = tuple[int, Callable[[], list[Any]]]
"""A number of steps, and what runs them and returns their results: of all, or of the last."""

_SECONDS = 0.1  # of one call: long beside what a call costs, short for who watches


class AutoStepsPerExecution:
    """How many steps go in one call, so that it takes about a tenth of a second."""

    def __init__(self) -> None:
        self.steps = 1
        self._warm = False

    def note(self, steps: int, seconds: float) -> None:
        """Takes into account how long a call of some steps took."""
        if not self._warm:  # the first call compiles
            self._warm = True
            return
        wanted = int(_SECONDS * steps / max(seconds, 1e-9))
        self.steps = max(1, min(wanted, 8 * self.steps))


class EpochRunner:
    """Runs the steps of one kind over data, epoch by epoch.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
        data: What yields the batches.
        watchers: The callbacks. Those that watch batches are called once for
            `steps_per_execution` steps; or once up to the batch that matters to them, where all of
            them say so.
    """

    def __init__(self, model: Any, kind: str, data: Any, watchers: Any):
        self.model, self.kind, self.data = model, kind, data
        self.step = model._get_step_function(kind)
        self.has_batch_hooks = bool(getattr(watchers, f"wants_{kind}_batches", False))
        self._begin = getattr(watchers, f"on_{kind}_batch_begin")
        self._end = getattr(watchers, f"on_{kind}_batch_end")
        self._due = watchers.next_batch_due if kind == "train" and self.has_batch_hooks else None
        self._each = self.has_batch_hooks and (kind != "train" or watchers.wants_each_train_batch)
        self._many, self._pace = self._compile_many() or (None, AutoStepsPerExecution())

    def _compile_many(self) -> tuple[Callable[..., Any], AutoStepsPerExecution] | None:
        """Finds the function that runs many whole batches, where the backend has one."""
        if self.kind == "predict" or not isinstance(self.data, ArrayDataAdapter):
            return None
        rows = min(self.data.size // self.data.batch_size, len(self.data))
        if not supports("compile_multi_step") or not rows:
            return None
        self._rows = rows
        return self.model._many(self.kind, self.data.tensors, (rows, self.data.batch_size))

    def _size(self, index: int) -> int:
        """The number of steps in the next call, which begins with step `index`."""
        received = getattr(self.model, "steps_per_execution", 1)
        if self.has_batch_hooks and received not in (1, "auto"):
            return received
        # What is cut from arrays takes no room before its turn; other batches may be large.
        many = self._many or isinstance(self.data, ArrayDataAdapter)
        steps = self._pace.steps if received == "auto" or (many and not self._each) else 1
        due = self._due(index) if self._due is not None else None
        return steps if due is None else max(1, min(steps, due - index + 1))

    def epoch(self, epoch: int, display: Any = None, start: int = 0) -> Iterator[Any]:
        """Runs an epoch from step `start` on; yields what steps return.

        Steps that run in one call yield once.
        """
        index = start
        if self._stopped:
            return
        for count, work in self._works(epoch, start):
            if self.has_batch_hooks:
                self._begin(index)
            began = time.perf_counter()
            results = work()
            self._pace.note(count, time.perf_counter() - began)
            index += count
            if self.has_batch_hooks:
                self._end(index - 1, self._logs(results))
            if display is not None:
                display.advance(count)
            yield from results
            if self._stopped:
                return

    @property
    def _stopped(self) -> bool:
        return self.kind == "train" and self.model.stop_training

    def last(self, epoch: int, display: Any = None, start: int = 0, default: Any = None) -> Any:
        """Runs an epoch; returns what its last step returned, or `default` if none was left."""
        result = default
        for result in self.epoch(epoch, display, start):  # noqa: B007
            pass
        return result

    def _works(self, epoch: int, start: int) -> Iterator[Work]:
        if self._many is not None:
            yield from self._loops(epoch, start)
            return
        batches = self.data.epoch(epoch, start)
        if not isinstance(self.data, ArrayDataAdapter):
            batches = track_retraces(self.model, self.kind, batches)
        while group := list(islice(batches, self._size(start))):
            yield len(group), partial(_each, self.step, group)
            start += len(group)

    def _loops(self, epoch: int, start: int) -> Iterator[Work]:
        """Whole batches, many in one call; the rest of a run of samples as a step of its own."""
        data, backend = self.data, current()
        size, tensors = data.batch_size, data.tensors
        for run in data.runs(epoch, start):
            whole = len(run) // size
            # Of one shape whatever the epoch, as a compiled function wants it.
            table = np.zeros((self._rows, size), np.int32)
            table[:whole] = run[: whole * size].reshape(whole, size)
            batches, first = backend.prepare_host_batch(table), 0
            while first < whole:
                last = min(first + self._size(start), whole)
                yield last - first, partial(self._loop, tensors, batches, first, last)
                start, first = start + last - first, last
            if len(run) > whole * size:
                (rest,) = backend.split_into_batches(run[whole * size :], size)
                yield 1, partial(_each, self.step, [(tensors, rest)])
                start += 1

    def _loop(self, *args: Any) -> list[Any]:
        return [self._many(*args)]  # type: ignore[misc]

    def _logs(self, results: list[Any]) -> LazyLogs:
        def read() -> dict[str, Any]:
            if self.kind == "predict":
                return {"outputs": results[0] if len(results) == 1 else concat_outputs(results)}
            last = results[-1]
            return self.model._read(
                last if isinstance(last, dict) else self.model.get_metrics_result()
            )

        return LazyLogs(read)


def _each(step: Callable[..., Any], batches: list[Any]) -> list[Any]:
    return [step(*batch) for batch in batches]


def concat_outputs(parts: list[Any]) -> Any:
    """Returns nested outputs of several batches as NumPy arrays of all their samples."""

    def join(*pieces: Any) -> np.ndarray:
        arrays = [ops.convert_to_numpy(piece) for piece in pieces]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return tree.map_structure(join, *parts)
