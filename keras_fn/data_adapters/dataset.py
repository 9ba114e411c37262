"""A data set that is loaded by workers while it is iterated over: `keras.utils.Dataset`."""

import copy
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from keras_fn._lazy import LazyModule
from keras_fn.core.cleanup import register_cleanup
from keras_fn.data_adapters.collation import collate_elements, group, pad, stack_elements
from keras_fn.data_adapters.py_dataset import PyDataset
from keras_fn.data_adapters.shuffle_buffer import DEFAULT_GRAPH_SEED
from keras_fn.data_adapters.transformations import (
    SKIPPED,
    Batch,
    Cache,
    LoadContext,
    Map,
    Shuffle,
    Slice,
    Source,
    Transformation,
    Unbatch,
    get_seeds,
    set_seeds,
)
from keras_fn.errors import SpecError
from keras_fn.random.seed_generator import get_random_seed, make_default_seed

worker_pool: Any = LazyModule("keras_fn.data_adapters.worker_pool")


class Dataset:
    """Data set whose elements are loaded by workers while it is iterated over.

    Each method returns a new data set and leaves this one as it is, as in `tf.data`, whose names
    they have. Elements are computed by their index: in any order, by threads or processes, and
    `fit` resumes an interrupted run at the batch where it was.

    `fit`, `evaluate`, `predict` and `adapt` take a data set on every backend. Elements are arrays,
    numbers and text, in tuples and dicts.

    Args:
        source: The elements, by index: a list, an array, the rows of a pandas table or column, a
            `PyDataset`, a data set of PyTorch that has a length. A tuple or dict of them, of one
            length, yields tuples or dicts.
        workers: Number of threads or processes that load elements; with 0 the consumer loads them.
        use_multiprocessing: Whether workers are processes rather than threads, for functions that
            compute in Python itself. See `PyDataset`.
        max_queue_size: Maximum number of elements that are ready or being loaded. By default twice
            the number of workers.

    Attributes:
        class_names: Names of the classes, if it was made from a directory; else None.
        file_paths: Paths of its files, before `shuffle`, if it was made from a directory.
        skipped_files: The files that could not be read and were left out so far, and why.

    Raises:
        SpecError: The source has no items by index, or its parts are of different lengths.

    Example:
        >>> x, y = np.arange(6), np.arange(6) % 2
        >>> data = keras.utils.Dataset((x, y)).map(lambda x, y: (10 * x, y)).batch(4)
        >>> len(data)
        2
        >>> [x.tolist() for x, y in data]
        [[0, 10, 20, 30], [40, 50]]
    """

    class_names: Sequence[str] | None = None
    file_paths: Sequence[str] | None = None
    _checksum: int | None = None

    def __init__(
        self,
        source: Any,
        workers: int = 0,
        use_multiprocessing: bool = False,
        max_queue_size: int | None = None,
    ):
        self.workers = _check_count("workers", workers, 0)
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size
        if max_queue_size is not None:
            _check_count("max_queue_size", max_queue_size)
        self.skipped_files: dict[str, str] = {}
        self._set_transformation(source if isinstance(source, Transformation) else Source(source))

    def _set_transformation(self, transformation: Transformation) -> None:
        self._transformation = transformation
        self._passes = 0  # how many were begun
        self._next_index = 0  # where the next one begins
        self._position: _Position | None = None  # of the last pass
        self._idle_pool: Any = None

    def _derive(self, transformation: Transformation) -> "Dataset":
        """Returns a data set of another transformation with the options of this one."""
        derived = copy.copy(self)
        derived._set_transformation(transformation)
        return derived

    def __getstate__(self) -> dict[str, Any]:  # threads are not sent to another process
        return self.__dict__ | {"_idle_pool": None}

    def __len__(self) -> int:
        return len(self._transformation)

    def __getitem__(self, index: int) -> Any:
        """Returns an element, in the order of the first pass.

        Args:
            index: Index of the element; negative ones count from the end.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} in a Dataset of {len(self)} elements")
        context = LoadContext(0)
        element = self._transformation.load(index % len(self), context)
        self.skipped_files.update(context.skipped)
        if element is SKIPPED:
            raise SpecError(
                f"Element {index} of the Dataset is skipped",
                expected="a file that can be read",
                received=f"{context.skipped or dict(self.skipped_files)}",
                fix="iterate over the data set, which leaves it out",
            )
        return element

    def __repr__(self) -> str:
        return f"<Dataset of {len(self)} elements, {self.workers} workers>"

    def __iter__(self) -> Iterator[Any]:
        """Yields the elements of the next pass."""
        position = self._position = _Position(self._passes, self._next_index)
        self._passes, self._next_index = self._passes + 1, 0
        return self._iterate(position)

    def _iterate(self, position: "_Position") -> Iterator[Any]:
        pool, self._idle_pool = self._idle_pool, None
        view = DatasetPass(self, position.pass_index)
        if pool is None or pool.is_closed or pool.num_workers != self.workers:
            pool = worker_pool.WorkerPool(view, self.workers)
        pool.dataset = view
        register_cleanup(pool.close)
        skipped_before = len(self.skipped_files)
        try:
            for element, skipped in pool.load(iter(range(position.index, len(self)))):
                position.index += 1
                self.skipped_files.update(skipped)
                if element is not SKIPPED:
                    yield element
            position.is_finished = True
        finally:
            self._idle_pool = pool
            self._warn_of_skipped(len(self.skipped_files) - skipped_before)

    def _warn_of_skipped(self, count: int) -> None:
        if count:
            path, reason = list(self.skipped_files.items())[-1]
            warnings.warn(
                f"Files that could not be read and were left out: {count}; see skipped_files. The "
                f"last one is {path!r}: {reason}",
                stacklevel=3,
            )

    def map(self, function: Callable[..., Any]) -> "Dataset":
        """Returns the data set of `function(element)`.

        Args:
            function: Computes an element; it gets the parts of a tuple as several arguments.
                Layers can be called in it. Workers call it at the same time, in any order. It must
                not change arrays in place: they are those of the source, or cached.

        Example:
            >>> list(keras.utils.Dataset([1, 2]).map(lambda x: x + 1))
            [2, 3]
        """
        if not callable(function):
            raise SpecError(
                "Dataset.map",
                expected="a function of an element",
                received=f"{function!r:.100}",
                fix="for example map(lambda x, y: (x / 255, y))",
            )
        return self._derive(Map(self._transformation, function))

    def batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Returns the data set of batches: arrays of the parts of consecutive elements.

        Args:
            batch_size: Number of elements in a batch; the last one may be smaller.
            drop_remainder: Whether a smaller last batch is left out.

        Raises:
            SpecError: While it is iterated over: elements differ in shape.
        """
        return self._batch(batch_size, drop_remainder, stack_elements)

    def padded_batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Returns the data set of batches, in which zeros follow the shorter elements.

        Args:
            batch_size: Number of elements in a batch; the last one may be smaller.
            drop_remainder: Whether a smaller last batch is left out.

        Example:
            >>> data = keras.utils.Dataset([[1, 2], [3]]).padded_batch(2)
            >>> data[0].tolist()
            [[1, 2], [3, 0]]
        """
        return self._batch(batch_size, drop_remainder, partial(collate_elements, pad))

    def ragged_batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Returns the data set of batches; elements of different lengths stay arrays of their own.

        Args:
            batch_size: Number of elements in a batch; the last one may be smaller.
            drop_remainder: Whether a smaller last batch is left out.
        """
        return self._batch(batch_size, drop_remainder, partial(collate_elements, group))

    def _batch(self, batch_size: int, drop_remainder: bool, collate: Any) -> "Dataset":
        _check_count("batch_size", batch_size)
        return self._derive(Batch(self._transformation, batch_size, drop_remainder, collate))

    def unbatch(self) -> "Dataset":
        """Returns the data set of the samples in the batches.

        Raises:
            SpecError: The elements are not batches, or batches that were shuffled.

        Example:
            >>> [int(x) for x in keras.utils.Dataset([1, 2, 3]).batch(2).unbatch()]
            [1, 2, 3]
        """
        return self._derive(Unbatch(self._transformation))

    def shuffle(
        self,
        buffer_size: int | None = None,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
    ) -> "Dataset":
        """Returns the data set with its elements in random order: that of `tf.data` for the seed.

        Args:
            buffer_size: Number of elements from which each is drawn; the next one takes its place.
                By default all. Nothing is loaded into a buffer: only indices are shuffled.
            seed: Seed of the order, from 0 to 2**63 - 1; random by default.
            reshuffle_each_iteration: Whether each pass has its own order.

        Example:
            >>> data = keras.utils.Dataset([1, 2, 3]).shuffle(seed=1)
            >>> sorted(data)
            [1, 2, 3]
        """
        size = max(len(self), 1) if buffer_size is None else buffer_size
        _check_count("buffer_size", size)
        if seed is not None:
            _check_count("seed", seed, 0)
        global_seed = get_random_seed()
        seeds = (
            DEFAULT_GRAPH_SEED if global_seed is None else global_seed,
            make_default_seed() if seed is None else seed,
        )
        return self._derive(Shuffle(self._transformation, size, seeds, reshuffle_each_iteration))

    def take(self, count: int) -> "Dataset":
        """Returns the data set of the first elements of each pass.

        Args:
            count: The number of elements; -1 for all.
        """
        _check_count("count", count, -1)
        stop = len(self) if count == -1 else count
        return self._derive(Slice(self._transformation, 0, stop))

    def skip(self, count: int) -> "Dataset":
        """Returns the data set without the first elements of each pass.

        Args:
            count: The number of elements; -1 for all.
        """
        _check_count("count", count, -1)
        start = len(self) if count == -1 else count
        return self._derive(Slice(self._transformation, start, len(self)))

    def cache(self) -> "Dataset":
        """Returns the data set with elements that stay in memory after they were loaded once.

        A `shuffle` before it has the same order in each pass; call it after `cache`. Worker
        processes have a cache each.
        """
        return self._derive(Cache(self._transformation))

    def prefetch(self, buffer_size: int | None = None, workers: int | None = None) -> "Dataset":
        """Returns the data set whose elements are loaded ahead of the consumer.

        Args:
            buffer_size: Maximum number of elements that are ready or being loaded; by default, and
                for -1, twice the number of workers.
            workers: Number of workers; by default as many as there are, and at least one.
        """
        derived = self._derive(self._transformation)
        if buffer_size is not None and buffer_size != -1:
            derived.max_queue_size = _check_count("buffer_size", buffer_size)
        derived.workers = _check_count(
            "workers", max(self.workers, 1) if workers is None else workers
        )
        return derived

    def state_dict(self) -> dict[str, Any]:
        """Returns the position, after the last element that was yielded, and the seeds.

        Returns:
            Integers, and lists of them: the index of the pass and of the next element, the length,
            a checksum of the paths of the files, and the seeds of the shuffles.
        """
        position = self._position
        if position is None or position.is_finished:
            position = _Position(self._passes, self._next_index)
        return {
            "pass": position.pass_index,
            "index": position.index,
            "length": len(self),
            "files": self._get_checksum(),
            "seeds": [list(seeds) for seeds in get_seeds(self._transformation)],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues at the position of another run: the next pass yields what follows it.

        Args:
            state: The result of `state_dict` of a data set made in the same way.

        Raises:
            SpecError: That data set had another length or other files.
        """
        found = self.state_dict()
        for name in found.keys() | state.keys():
            wanted = state.get(name)
            is_same = wanted == found.get(name) or name in ("pass", "index")
            if name == "seeds" and isinstance(wanted, (list, tuple)):
                is_same = len(wanted) == len(found["seeds"])
            if not is_same:
                raise SpecError(
                    "Dataset.load_state_dict",
                    expected=f"the position in a Dataset of the same {name}: {found.get(name)}",
                    received=f"{wanted}",
                    fix="make the data set as in that run: of the same files, with the same seed",
                )
        self._transformation = set_seeds(self._transformation, state["seeds"])
        self._passes, self._next_index, self._position = state["pass"], state["index"], None

    def _get_checksum(self) -> int:
        """Returns a checksum of the paths of the files, in their order."""
        if self._checksum is None:
            self._checksum = zlib.crc32("\n".join(self.file_paths or ()).encode("utf-8", "replace"))
        return self._checksum


class _Position:
    """The next element of a pass."""

    def __init__(self, pass_index: int, index: int):
        self.pass_index, self.index, self.is_finished = pass_index, index, False


class DatasetPass(PyDataset):
    """One pass through a data set, as worker pools load it: each item with what was skipped."""

    def __init__(self, dataset: Dataset, pass_index: int):
        queue_size = dataset.max_queue_size or 2 * dataset.workers
        super().__init__(dataset.workers, dataset.use_multiprocessing, queue_size)
        self.transformation, self.pass_index = dataset._transformation, pass_index

    def __getitem__(self, index: int) -> Any:
        context = LoadContext(self.pass_index)
        return self.transformation.load(index, context), context.skipped


def available_cpus() -> int:
    """Returns the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_count(argument: str, value: Any, minimum: int = 1) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < minimum:
        raise SpecError(
            "Dataset",
            expected=f"{argument} as an integer of {minimum} or more",
            received=f"{argument}={value!r:.100}",
            fix=f"for example {argument}={max(minimum, 1)}",
        )
    return int(value)
