"""Splitting of data sets: `split_dataset`."""

import random
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.backend import loader
from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.data_adapters.dataset import Dataset
from keras_fn.data_adapters.transformations import Batch, Slice, Subset, find_batch
from keras_fn.errors import DTypeError, SpecError, check_choice
from keras_fn.utils import tf_dataset

_torch: Any = LazyModule("torch", pip="torch")

_BACKENDS = (None, "tensorflow", "torch", "jax")


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Splits a data set into two, for example for training and validation.

    Args:
        dataset: An array, a list or tuple of arrays of one length, a `keras.utils.Dataset`, a
            `tf.data.Dataset`, or a map-style data set of PyTorch.
        left_size: Size of the first part: a number of samples, or a fraction below 1. By default
            the rest.
        right_size: Size of the second part, counted from the end, in the same way.
        shuffle: Whether samples are shuffled first.
        seed: Seed of the order.
        preferred_backend: `"tensorflow"` for two `tf.data.Dataset`, `"torch"` for two
            `torch.utils.data.Subset`. By default what `dataset` is; for arrays a `tf.data.Dataset`
            where TensorFlow is installed and PyTorch is not the backend, else a
            `keras.utils.Dataset`. `"jax"` is the default, too.

    Returns:
        The two data sets. Batches of `dataset` are split by their samples and made again.

    Raises:
        SpecError: There is no size, or a size does not fit the data.
        DTypeError: The data are something else.

    Example:
        >>> x, y = np.arange(10), np.arange(10)
        >>> left, right = keras.utils.split_dataset([x, y], left_size=0.8)
        >>> len(left), len(right)
        (8, 2)
    """
    check_choice("split_dataset", "preferred_backend", preferred_backend, _BACKENDS)
    if left_size is None and right_size is None:
        raise SpecError(
            "split_dataset",
            expected="left_size or right_size",
            received="neither",
            fix="for example left_size=0.8",
        )
    sizes = (left_size, right_size)
    if tf_dataset.is_tf_dataset(dataset) and preferred_backend != "torch":
        samples, batch_size = tf_dataset.to_arrays(dataset)
        parts = _select(len(samples), sizes, shuffle, seed)
        halves = [tf_dataset.stack_samples([samples[i] for i in part]) for part in parts]
        halves = halves if batch_size is None else [half.batch(batch_size) for half in halves]
        return halves[0], halves[1]
    is_torch = _is_torch_dataset(dataset)
    if preferred_backend == "torch" or (is_torch and preferred_backend is None):
        return _split_torch(dataset if is_torch else _to_torch(dataset), sizes, shuffle, seed)
    batch = None
    if isinstance(dataset, Dataset):
        batch = find_batch(dataset._transformation)
        samples = dataset if batch is None else _take_apart(dataset)
        makes_tf = preferred_backend == "tensorflow"
    else:
        samples = Dataset(dataset if is_torch else _check_arrays(dataset))
        wants_tf = tf_dataset.is_available() and loader.name() != "torch"
        makes_tf = preferred_backend == "tensorflow" or wants_tf
    parts = _select(len(samples), sizes, shuffle, seed)
    halves: list[Any] = [samples._derive(Subset(samples._transformation, part)) for part in parts]
    if makes_tf:
        halves = [tf_dataset.stack_samples(list(half)) for half in halves]
    if batch is not None:
        halves = [_batch(half, batch) for half in halves]
    return halves[0], halves[1]


def _take_apart(dataset: Dataset) -> Dataset:
    """Returns the samples in batches. Those that were batched last were never stacked."""
    batch = dataset._transformation
    if not isinstance(batch, Batch) or batch.batch_size is None:
        return dataset.unbatch()
    return dataset._derive(Slice(batch.parent, 0, len(batch) * batch.batch_size))


def _batch(half: Any, batch: Batch) -> Any:
    """Returns samples in batches of the size and kind of others."""
    size = batch.batch_size
    assert size is not None
    if not isinstance(half, Dataset):  # of TensorFlow
        return half.batch(size)
    return half._derive(Batch(half._transformation, size, False, batch.collate))


def _select(
    size: int, sizes: Sequence[float | None], shuffle: bool, seed: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the indices of the samples in the two parts."""
    left, right = _count_samples(size, sizes)
    order = list(range(size))
    if shuffle:
        random.Random(random.randint(0, 10**6) if seed is None else seed).shuffle(order)
    return np.array(order[:left], np.int64), np.array(order[size - right :], np.int64)


def _count_samples(size: int, sizes: Sequence[float | None]) -> tuple[int, int]:
    counts: list[int | None] = []
    for name, value in zip(("left_size", "right_size"), sizes, strict=True):
        value = int(value) if isinstance(value, np.integer) else value
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        limit = 1 if isinstance(value, float) else size
        if value is not None and not (is_number and 0 < value < limit):
            raise SpecError(
                "split_dataset",
                expected=f"{name}: an integer from 1 to {size - 1}, or a fraction between 0 and 1",
                received=f"{name}={value!r:.100} of {size} samples",
                fix="for example left_size=0.8",
            )
        counts.append(round(value * size) if isinstance(value, float) else value)
    left, right = counts
    left = size - (right or 0) if left is None else left
    right = size - left if right is None else right
    if left + right > size or not left or not right:
        raise SpecError(
            "split_dataset",
            expected=f"parts of one sample or more, of {size} samples in all, or fewer",
            received=f"left_size={sizes[0]} and right_size={sizes[1]}: {left} and {right} samples",
            fix="pass one of the two sizes" if left + right > size else "pass another size",
        )
    return left, right


def _check_arrays(dataset: Any) -> Any:
    """Returns an array, or a tuple of arrays of one length."""
    is_list = isinstance(dataset, (list, tuple))
    parts = [_to_array(part) for part in (dataset if is_list else [dataset])]
    lengths = [None if part is None else len(part) for part in parts]
    if not parts or None in lengths:
        raise DTypeError(
            "split_dataset",
            expected="an array, a list or tuple of arrays, or a data set with items by index",
            received=f"a {type(dataset).__name__}",
            fix="convert the samples to arrays, or wrap them: keras.utils.Dataset(samples)",
        )
    if len(set(lengths)) > 1 or lengths[0] == 0:
        raise SpecError(
            "split_dataset",
            expected="arrays of one length, of one sample or more",
            received=f"lengths {', '.join(map(str, lengths))}",
            fix="pass arrays with the same number of samples",
        )
    return tuple(parts) if is_list else parts[0]


def _to_array(x: Any) -> np.ndarray | None:
    if current().is_tensor(x):
        return current().convert_to_numpy(x)
    return x if isinstance(x, np.ndarray) and x.ndim else None


def _is_torch_dataset(x: object) -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.utils.data.Dataset)


def _to_torch(dataset: Any) -> Any:
    """Returns arrays, or the samples of another data set, as a data set of PyTorch."""
    if tf_dataset.is_tf_dataset(dataset):
        samples, _ = tf_dataset.to_arrays(dataset)
        arrays = [np.stack(leaves) for leaves in zip(*map(tree.flatten, samples), strict=True)]
    elif isinstance(dataset, Dataset):
        is_batched = dataset._transformation.batch_size is not None
        return _take_apart(dataset) if is_batched else dataset  # has items by index
    else:
        arrays = _check_arrays(dataset)
    arrays = [arrays] if isinstance(arrays, np.ndarray) else arrays
    return _torch.utils.data.TensorDataset(*map(_torch.from_numpy, arrays))


def _split_torch(
    dataset: Any, sizes: Sequence[float | None], shuffle: bool, seed: int | None
) -> tuple[Any, Any]:
    size = len(dataset)
    left, right = _count_samples(size, sizes)
    order = list(range(size))
    if shuffle:
        generator = _torch.Generator()
        _ = generator.seed() if seed is None else generator.manual_seed(seed)
        order = _torch.randperm(size, generator=generator).tolist()
    subset = _torch.utils.data.Subset
    # The second part follows the first, as in `random_split`.
    first = left if left + right == size else size - right
    return subset(dataset, order[:left]), subset(dataset, order[first:])
