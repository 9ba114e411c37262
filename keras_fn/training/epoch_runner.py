"""Runs the steps of an epoch: one by one, or many in one compiled call."""

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
from keras_fn.core.ragged import concat_padded
from keras_fn.data_adapters.array_data_adapter import ArrayDataAdapter
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.debugging.retracing import track_retraces
from keras_fn.settings import settings

StepGroup = tuple[int, Callable[[], list[Any]]]
"""A number of steps, and a function that runs them: it returns the result of each, or of the last
one if they run in one compiled call."""

_TARGET_SECONDS = 0.1  # for one call: much longer than its overhead, but short for who watches
_MAX_GROWTH = 8
_STEP_SECONDS = 0.01  # assumed of a step where several processes may not decide by their clocks

_STOP_FLAGS = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}
"""The attribute of the model that ends a run of each kind after the current steps."""


class AutoStepsPerExecution:
    """Tunes the number of steps in one compiled call, so that it takes about 0.1 seconds.

    Attributes:
        steps: The number of steps for the next call.
    """

    def __init__(self) -> None:
        self.steps = 1
        self._is_compiled = False

    def update(self, steps: int, seconds: float) -> None:
        """Adapts the number of steps to a measured call.

        Args:
            steps: Number of steps in the call.
            seconds: Duration of the call.
        """
        if not self._is_compiled:  # the first call includes compilation
            self._is_compiled = True
            return
        target = int(_TARGET_SECONDS * steps / max(seconds, 1e-9))
        self.steps = max(1, min(target, _MAX_GROWTH * self.steps))


class EpochRunner:
    """Runs the steps of one kind over data, epoch by epoch.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
        data: The data adapter.
        callback_list: The callbacks. Batch hooks run once for `steps_per_execution` steps; or, if
            all callbacks with batch hooks schedule them, after the next batch that one asks for.

    Attributes:
        steps_done: Number of steps of the last epoch that this runner ran.
    """

    def __init__(self, model: Any, kind: str, data: DataAdapter, callback_list: Any):
        self.model, self.kind, self.data = model, kind, data
        self.step = model._get_step_function(kind)
        self.has_batch_hooks = bool(getattr(callback_list, f"wants_{kind}_batches", False))
        self._on_batch_begin = getattr(callback_list, f"on_{kind}_batch_begin")
        self._on_batch_end = getattr(callback_list, f"on_{kind}_batch_end")
        self._stop_flag = _STOP_FLAGS[kind]
        self.steps_done = 0  # of the last epoch
        distribution = settings.distribution  # its processes must make the same calls
        self._is_alone = distribution is None or distribution.num_processes == 1
        setting = getattr(model, "steps_per_execution", 1)
        # The number of steps in each group, if `compile` fixed it and someone sees the groups.
        self._fixed_size = setting if self.has_batch_hooks and setting not in (1, "auto") else None
        is_training = kind == "train"
        self._next_batch_due = (
            callback_list.next_batch_due if is_training and self.has_batch_hooks else None
        )
        self._runs_hooks_each_batch = self.has_batch_hooks and (
            not is_training or callback_list.wants_each_train_batch
        )
        self._multi_step, self._auto_steps = self._compile_multi_step() or (
            None,
            AutoStepsPerExecution(),
        )

    def _compile_multi_step(self) -> tuple[Callable[..., Any], AutoStepsPerExecution] | None:
        """Returns the function that runs many full batches, where the backend has one."""
        if self.kind == "predict" or not isinstance(self.data, ArrayDataAdapter):
            return None
        if self.data.gathers_on_host:
            return None
        full_batches = min(self.data.size // self.data.batch_size, len(self.data))
        if not supports("compile_multi_step") or not full_batches:
            return None
        self._full_batches = full_batches
        return self.model._get_multi_step_function(
            self.kind, self.data.tensors, (full_batches, self.data.batch_size)
        )

    def _group_size(self, index: int) -> int:
        """Returns the number of steps in the next group, which starts with step `index`."""
        if self._fixed_size is not None:
            return self._fixed_size
        # Batches of arrays take no memory before their turn; those of a stream may be large.
        can_group = self._multi_step or isinstance(self.data, ArrayDataAdapter)
        setting = getattr(self.model, "steps_per_execution", 1)
        is_grouped = setting == "auto" or (can_group and not self._runs_hooks_each_batch)
        steps = self._auto_steps.steps if is_grouped else 1
        due = self._next_batch_due(index) if self._next_batch_due is not None else None
        return steps if due is None else max(1, min(steps, due - index + 1))

    def iterate_epoch(self, epoch: int, display: Any = None, start: int = 0) -> Iterator[Any]:
        """Runs an epoch and yields the results of its steps; one for steps in one compiled call.

        Args:
            epoch: Index of the epoch.
            display: An `EpochDisplay`, or None.
            start: Index of the first step to run.
        """
        index, self.steps_done = start, 0
        if start and self._is_stopped:
            return  # the run that is resumed had been stopped here
        for count, run in self._step_groups(epoch, start):
            if self.has_batch_hooks:
                self._on_batch_begin(index)
            started_at = time.perf_counter()
            results = run()
            seconds = time.perf_counter() - started_at
            self._auto_steps.update(count, seconds if self._is_alone else count * _STEP_SECONDS)
            if self.has_batch_hooks:
                last = index + max(count, self._fixed_size or 1) - 1  # as if the group were full
                self._on_batch_end(last, self._make_logs(results, index + count - 1))
            index += count
            self.steps_done += count
            if display is not None:
                display.advance(count)
            yield from results
            if self._is_stopped and self._is_alone:  # else all stop at the end of the epoch
                return

    @property
    def _is_stopped(self) -> bool:
        return getattr(self.model, self._stop_flag)

    def run_epoch(
        self, epoch: int, display: Any = None, start: int = 0, default: Any = None
    ) -> Any:
        """Runs an epoch and returns the result of its last step.

        Args:
            epoch: Index of the epoch.
            display: An `EpochDisplay`, or None.
            start: Index of the first step to run.
            default: The result if no step is left.
        """
        result = default
        for result in self.iterate_epoch(epoch, display, start):  # noqa: B007
            pass
        return result

    def _step_groups(self, epoch: int, start: int) -> Iterator[StepGroup]:
        if self._multi_step is not None:
            yield from self._multi_step_groups(epoch, start)
            return
        batches = self.data.epoch(epoch, start)
        if not isinstance(self.data, ArrayDataAdapter):
            batches = track_retraces(self.model, self.kind, batches)
        while group := list(islice(batches, self._group_size(start))):
            yield len(group), partial(_run_steps, self.step, group)
            start += len(group)

    def _multi_step_groups(self, epoch: int, start: int) -> Iterator[StepGroup]:
        """Yields groups of full batches. A smaller last batch of a pass is a step of its own."""
        pieces: list[Callable[[], list[Any]]] = []
        done, size = 0, self._group_size(start)
        for count, run in self._multi_step_runs(epoch, start):
            first = 0
            while first < count:
                stop = min(first + size - done, count)
                pieces.append(partial(run, first, stop))
                done, first = done + stop - first, stop
                if done == size or self._fixed_size is None:
                    yield done, partial(_run_all, pieces)
                    start += done
                    pieces, done, size = [], 0, self._group_size(start)
        if done:
            yield done, partial(_run_all, pieces)

    def _multi_step_runs(self, epoch: int, start: int) -> Iterator[tuple[int, Callable[..., Any]]]:
        """Yields a number of batches, and a function that runs the steps from one to another."""
        data: Any = self.data
        backend, size, tensors = current(), data.batch_size, data.tensors
        for indices in data.index_runs(epoch, start):
            count = len(indices) // size
            if count:
                # Of one shape in all epochs, so that nothing is compiled again.
                table = np.zeros((self._full_batches, size), np.int32)
                table[:count] = indices[: count * size].reshape(count, size)
                batches = backend.prepare_host_batch(table)
                yield count, partial(self._run_multi_step, tensors, batches)
            if len(indices) > count * size:
                (last_batch,) = backend.split_into_batches(indices[count * size :], size)
                yield 1, partial(self._run_last_batch, tensors, last_batch)

    def _run_multi_step(self, *args: Any) -> list[Any]:
        return [self._multi_step(*args)]  # type: ignore[misc]

    def _run_last_batch(self, tensors: Any, batch: Any, first: int, stop: int) -> list[Any]:
        del first, stop  # it is the only one
        return [self.step(tensors, batch)]

    def _make_logs(self, results: list[Any], last_batch: int) -> LazyLogs:
        def read() -> dict[str, Any]:
            if self.kind == "predict":
                return {"outputs": results[0] if len(results) == 1 else concat_outputs(results)}
            last = results[-1]
            if not self._is_alone:
                return self.model._read_results(last)
            return self.model._read(
                last if isinstance(last, dict) else self.model.get_metrics_result()
            )

        return LazyLogs(read, last_batch)


def _run_all(pieces: list[Callable[[], list[Any]]]) -> list[Any]:
    return [result for run in pieces for result in run()]


def _run_steps(step: Callable[..., Any], batches: list[Any]) -> list[Any]:
    return [step(*batch) for batch in batches]


def concat_outputs(parts: list[Any]) -> Any:
    """Concatenates the nested outputs of batches along the samples, as NumPy arrays.

    Args:
        parts: The outputs of each batch, all nested in the same way. Where batches are padded to
            different lengths, zeros follow the shorter ones.
    """

    def concat(*arrays: Any) -> np.ndarray:
        if len(arrays) == 1:
            return ops.convert_to_numpy(arrays[0])
        return concat_padded([_read(array) for array in arrays])

    return tree.map_structure(concat, *parts)


def _read(x: Any) -> np.ndarray:
    """Returns an array to read from: without a copy, where the tensor is on the host."""
    backend = current()
    return backend.convert_to_numpy(x, copy=False) if backend.is_tensor(x) else np.asarray(x)
