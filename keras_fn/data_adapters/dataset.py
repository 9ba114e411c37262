"""A data set that is loaded by workers while it is iterated over: `keras.utils.Dataset`."""

import copy
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.core import tree
from keras_fn.core.cleanup import register_cleanup
from keras_fn.data_adapters.collation import collate_elements, group, pad, stack_elements
from keras_fn.data_adapters.combinations import Concatenate, Filter, Repeat, Zip
from keras_fn.data_adapters.py_dataset import PyDataset
from keras_fn.data_adapters.shuffle_buffer import DEFAULT_GRAPH_SEED
from keras_fn.data_adapters.transformations import (
    END,
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
from keras_fn.errors import DTypeError, SpecError
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
        if self.is_endless or not self._transformation.is_sized:
            raise DTypeError(
                "Dataset",
                expected="elements whose number is known",
                received=f"elements that {self._describe_size()}",
                fix="pass the number of steps to fit; or choose a number: take(100)",
            )
        return len(self._transformation)

    @property
    def is_endless(self) -> bool:
        """Whether it has elements without end: after `repeat()`."""
        return self._transformation.is_endless

    def __bool__(self) -> bool:
        return True  # as in tf.data: also where the length is not known

    def _check_end(self, method: str, fix: str) -> None:
        if self.is_endless:
            raise SpecError(
                f"Dataset.{method}",
                expected="a Dataset that ends",
                received=f"{self!r}",
                fix=fix,
            )

    def _describe_size(self) -> str:
        return "repeat without end" if self.is_endless else "a filter chooses"

    def __getitem__(self, index: int) -> Any:
        """Returns an element, in the order of the first pass.

        Args:
            index: Index of the element; negative ones count from the end.
        """
        size = len(self._transformation) if index >= 0 else len(self)
        context = LoadContext(0)
        is_inside = -size <= index < size
        element = self._transformation.load(index % size, context) if is_inside else END
        if element is END:
            raise IndexError(f"index {index} in {self!r}")
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
        is_known = self._transformation.is_sized and not self.is_endless
        size = f"of {len(self)} elements" if is_known else f"whose elements {self._describe_size()}"
        return f"<Dataset {size}, {self.workers} workers>"

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
            indices = range(position.index, len(self._transformation))
            with closing(pool.load(iter(indices))) as loaded:
                for element, skipped in loaded:
                    if element is END:
                        break
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
        _check_function("map", function, "map(lambda x, y: (x / 255, y))")
        return self._derive(Map(self._transformation, function))

    def filter(self, predicate: Callable[..., Any]) -> "Dataset":
        """Returns the data set of the elements for which a predicate is True.

        Their number is not known in advance, so the result has no length. The predicate sees the
        elements of a pass in their order: call it before an expensive `map`, which workers share.

        Args:
            predicate: Returns whether an element is kept; it gets the parts of a tuple as several
                arguments.

        Raises:
            DTypeError: While it is iterated over: the predicate returns something else.

        Example:
            >>> list(keras.utils.Dataset([1, 2, 3, 4]).filter(lambda x: x % 2 == 0))
            [2, 4]
        """
        _check_function("filter", predicate, "filter(lambda x, y: y == 1)")
        return self._derive(Filter(self._transformation, predicate))

    def repeat(self, count: int | None = None) -> "Dataset":
        """Returns the data set of several passes, each in its own order if it is shuffled before.

        Args:
            count: The number of passes; None and -1 for no end, which needs `steps_per_epoch`.

        Example:
            >>> list(keras.utils.Dataset([1, 2]).repeat(2))
            [1, 2, 1, 2]
        """
        times = None if count is None or _check_count("count", count, -1) == -1 else int(count)
        return self._derive(Repeat(self._transformation, times))

    def concatenate(self, dataset: "Dataset") -> "Dataset":
        """Returns the data set of the elements of this one, then those of another one.

        Args:
            dataset: The other one, whose elements have the same structure.

        Raises:
            SpecError: It is not a `Dataset`, or this one has no end.

        Example:
            >>> list(keras.utils.Dataset([1, 2]).concatenate(keras.utils.Dataset([3])))
            [1, 2, 3]
        """
        _check_dataset("concatenate", dataset)
        self._check_end("concatenate", "call repeat on the result of concatenate")
        combined = Concatenate(self._transformation, dataset._transformation)
        return _combine([self, dataset], combined)

    @staticmethod
    def zip(*datasets: Any) -> "Dataset":
        """Returns the data set of tuples or dicts of the elements at one position.

        It ends with the shortest. An element that one of them skips is left out in all.

        Args:
            *datasets: The data sets; or a tuple or dict of them, also nested.

        Raises:
            SpecError: They are not data sets.

        Example:
            >>> x, y = keras.utils.Dataset([1, 2]), keras.utils.Dataset(["a", "b", "c"])
            >>> list(keras.utils.Dataset.zip(x, y))
            [(1, 'a'), (2, 'b')]
            >>> list(keras.utils.Dataset.zip({"x": x, "y": y}))
            [{'x': 1, 'y': 'a'}, {'x': 2, 'y': 'b'}]
        """
        is_structure = len(datasets) == 1 and isinstance(datasets[0], (tuple, dict))
        structure = datasets[0] if is_structure else datasets
        parts = tree.flatten(structure)
        for part in parts or [None]:
            _check_dataset("zip", part)
        return _combine(parts, Zip(tree.map_structure(lambda d: d._transformation, structure)))

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
        self._check_end("shuffle", "call shuffle before repeat, which keeps shuffling")
        size = max(len(self._transformation), 1) if buffer_size is None else buffer_size
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
        stop = len(self._transformation) if count == -1 else count
        return self._derive(Slice(self._transformation, 0, stop))

    def skip(self, count: int) -> "Dataset":
        """Returns the data set without the first elements of each pass.

        Args:
            count: The number of elements; -1 for all.
        """
        _check_count("count", count, -1)
        size = len(self._transformation)
        return self._derive(Slice(self._transformation, size if count == -1 else count, size))

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
            Integers, and lists of them: the index of the pass and of the next element, the length
            (with a `filter`, of all elements), a checksum of the paths of the files, and the seeds
            of the shuffles.
        """
        position = self._position
        if position is None or position.is_finished:
            position = _Position(self._passes, self._next_index)
        return {
            "pass": position.pass_index,
            "index": position.index,
            "length": len(self._transformation),
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
        seeds = self._check_state(state)
        self._transformation = set_seeds(self._transformation, iter(seeds))
        self._passes, self._next_index = int(state["pass"]), int(state["index"])
        self._position = None

    def _check_state(self, state: Any) -> list[tuple[int, int]]:
        """Returns the seeds of the position of another run, after checking that it fits."""
        found = self.state_dict()
        if not isinstance(state, Mapping) or state.keys() != found.keys():
            raise _state_error(f"a dict of {', '.join(found)}", f"{state!r:.200}")
        for name, limit in (("pass", 2**62), ("index", found["length"])):
            if not _is_integer(state[name], limit):
                raise _state_error(
                    f"{name} as an integer from 0 to {limit}", f"{name}={state[name]!r:.100}"
                )
        seeds = _to_pairs(state["seeds"])
        same = {name: state[name] == found[name] for name in ("length", "files")}
        same["seeds"] = len(seeds) == len(found["seeds"])
        for name, is_same in same.items():
            if not is_same:
                raise _state_error(
                    f"the position in a Dataset of the same {name}: {found[name]}",
                    f"{state[name]!r:.200}",
                    "make the data set as in that run: of the same files, by the same methods",
                )
        return seeds

    def _get_checksum(self) -> int:
        """Returns a checksum of the paths of the files, in their order."""
        if self._checksum is None:
            self._checksum = zlib.crc32("\n".join(self.file_paths or ()).encode("utf-8", "replace"))
        return self._checksum


def _combine(parts: Sequence[Dataset], transformation: Transformation) -> Dataset:
    """Returns the data set of a transformation of several ones, with what they have in common."""
    combined = parts[0]._derive(transformation)
    combined.workers = max(part.workers for part in parts)
    if any(part.class_names != combined.class_names for part in parts):
        combined.class_names = None
    paths = [path for part in parts for path in part.file_paths or ()]
    combined.file_paths, combined._checksum = paths or None, None
    return combined


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


def _check_function(method: str, function: Any, example: str) -> None:
    if not callable(function):
        raise SpecError(
            f"Dataset.{method}",
            expected="a function of an element",
            received=f"{function!r:.100}",
            fix=f"for example {example}",
        )


def _check_dataset(method: str, dataset: Any) -> None:
    if not isinstance(dataset, Dataset):
        raise DTypeError(
            f"Dataset.{method}",
            expected="data sets of this class",
            received=f"{dataset!r:.100}",
            fix="wrap what has a length and items: keras.utils.Dataset(x)",
        )


def _state_error(
    expected: str, received: str, fix: str = "pass the result of state_dict, unchanged"
) -> SpecError:
    return SpecError("Dataset.load_state_dict", expected=expected, received=received, fix=fix)


def _is_integer(value: Any, limit: int) -> bool:
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_integer and 0 <= int(value) <= limit


def _to_pairs(seeds: Any) -> list[tuple[int, int]]:
    """Returns the seeds in a state as they are in shuffles."""
    pairs: list[Any] = list(seeds) if isinstance(seeds, (list, tuple)) else [None]
    for pair in pairs:
        is_pair = isinstance(pair, (list, tuple)) and len(pair) == 2
        if not is_pair or not all(_is_integer(seed, 2**64 - 1) for seed in pair):
            raise _state_error("seeds as a list of pairs of integers", f"seeds={seeds!r:.100}")
    return [(int(first), int(second)) for first, second in pairs]


def _check_count(argument: str, value: Any, minimum: int = 1) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < minimum:
        raise SpecError(
            "Dataset",
            expected=f"{argument} as an integer of {minimum} or more",
            received=f"{argument}={value!r:.100}",
            fix=f"for example {argument}={max(minimum, 1)}",
        )
    return int(value)
