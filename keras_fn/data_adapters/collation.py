"""Batches of samples: arrays of the parts of tuples and dicts. Worker processes import this."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.data_adapters.transformations import SKIPPED
from keras_fn.errors import SpecError


def stack_elements(elements: Iterator[Any], count: int) -> Any:
    """Returns elements of one shape as a batch, or `SKIPPED` if there is none.

    Args:
        elements: The elements. Each is copied before the next one is loaded, while it is in the
            cache of the processor.
        count: The number of elements, or more.
    """
    first, columns = SKIPPED, []
    for element in elements:
        if first is SKIPPED:
            first = element
            columns = [_Column(count) for _ in tree.flatten(element, is_leaf=_is_list)]
        leaves: list[Any] = []
        _map_leaves(lambda _, leaf, leaves=leaves: leaves.append(leaf), first, element)
        for column, leaf in zip(columns, leaves, strict=True):
            column.append(leaf)
    if first is SKIPPED:
        return SKIPPED
    stacked = iter(columns)
    return _map_leaves(lambda _: next(stacked).stack(), first)


def collate_elements(
    collate: Callable[[list[Any]], Any], elements: Iterator[Any], count: int
) -> Any:
    """Returns elements as a batch, or `SKIPPED` if there is none.

    Args:
        collate: Makes one leaf of the leaves of the elements.
        elements: The elements.
        count: The number of elements, or more.
    """
    kept = list(elements)
    return _map_leaves(lambda *leaves: collate(list(leaves)), *kept) if kept else SKIPPED


def _map_leaves(function: Callable[..., Any], *elements: Any) -> Any:
    # A list is an array, as in `tf.data`; what has parts is a tuple or a dict. The parts of dicts
    # are matched by their keys, in whatever order elements have them.
    try:
        return tree.map_structure(function, *elements, is_leaf=_is_list)
    except ValueError as error:
        first = tree.map_structure(_name_type, elements[0], is_leaf=_is_list)
        for element in elements[1:]:
            other = tree.map_structure(_name_type, element, is_leaf=_is_list)
            if not tree.is_same_structure(first, other):
                raise SpecError(
                    "Dataset.batch",
                    expected=f"samples of one structure, as the first one of a batch: {first}"[
                        :300
                    ],
                    received=f"{other}"[:300],
                    fix="return the same parts of each sample in `map`",
                ) from error
        raise


class _Column:
    """The leaves of a batch: arrays of one shape are copied to one array at once.

    Args:
        count: The number of leaves, or more.
    """

    def __init__(self, count: int):
        self.count, self.size = count, 0
        self.array: np.ndarray | None = None
        self.leaves: list[Any] = []

    def append(self, leaf: Any) -> None:
        """Adds a leaf.

        Args:
            leaf: An array, a number, text, a list or a tensor.
        """
        if isinstance(leaf, np.ndarray) and leaf.ndim:
            if self.array is None and not self.leaves:
                self.array = np.empty((self.count, *leaf.shape), leaf.dtype)
            array = self.array
            if array is not None and leaf.shape == array.shape[1:] and leaf.dtype == array.dtype:
                array[self.size] = leaf
                self.size += 1
                return
        if self.array is not None:
            self.leaves, self.array = list(self.array[: self.size]), None
        self.leaves.append(leaf)

    def stack(self) -> np.ndarray:
        """Returns the leaves as one array."""
        return stack(self.leaves) if self.array is None else self.array[: self.size]


def stack(leaves: list[Any]) -> np.ndarray:
    """Returns one array of arrays or tensors of one shape, numbers, or text.

    Args:
        leaves: One for each sample.

    Raises:
        SpecError: They have different shapes.
    """
    if isinstance(leaves[0], (str, bytes)):
        return np.array(leaves, object)
    arrays = _to_arrays(leaves)
    if len({array.shape for array in arrays}) > 1:
        raise _shapes_differ("batch", "samples of one shape", arrays)
    return np.stack(arrays)


def _shapes_differ(method: str, expected: str, arrays: list[np.ndarray]) -> SpecError:
    shapes = ", ".join(dict.fromkeys(str(array.shape) for array in arrays))
    return SpecError(
        f"Dataset.{method}",
        expected=expected,
        received=f"shapes {shapes[:200]}",
        fix="resize or cut the samples in `map`, or use padded_batch or ragged_batch",
    )


def pad(leaves: list[Any]) -> np.ndarray:
    """Returns one array; zeros follow the samples that are shorter, on any axis.

    Args:
        leaves: One for each sample.

    Raises:
        SpecError: They have different ranks.
    """
    if isinstance(leaves[0], (str, bytes)) or not np.ndim(leaves[0]):
        return stack(leaves)
    arrays = _to_arrays(leaves)
    if len({array.ndim for array in arrays}) > 1:
        raise _shapes_differ("padded_batch", "samples of one rank", arrays)
    sizes = np.max([array.shape for array in arrays], axis=0)
    # An empty list has no dtype of its own.
    dtypes = [array.dtype for array in arrays if array.size] or [arrays[0].dtype]
    padded = np.zeros((len(arrays), *sizes), np.result_type(*dtypes))
    for row, array in zip(padded, arrays, strict=True):
        row[tuple(map(slice, array.shape))] = array
    return padded


def group(leaves: list[Any]) -> np.ndarray:
    """Returns one array, or an array of the samples if they have different lengths.

    Args:
        leaves: One for each sample.
    """
    if isinstance(leaves[0], (str, bytes)):
        return stack(leaves)
    arrays = _to_arrays(leaves)
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    ragged = np.empty(len(arrays), object)
    ragged[:] = arrays
    return ragged


def _to_arrays(leaves: list[Any]) -> list[np.ndarray]:
    # The backend is asked last: worker processes need not load it for arrays.
    return [
        np.asarray(leaf)
        if isinstance(leaf, (np.ndarray, np.generic, int, float, list))
        or not current().is_tensor(leaf)
        else current().convert_to_numpy(leaf)
        for leaf in leaves
    ]


def _name_type(leaf: Any) -> str:
    return type(leaf).__name__


def _is_list(x: Any) -> bool:
    return isinstance(x, list)
