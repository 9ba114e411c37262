"""Data sets of TensorFlow (`tf.data`). TensorFlow is imported when one is made."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.random.seed_generator import get_random_seed
from keras_fn.settings import is_installed

_tf: Any = LazyModule("tensorflow", pip="tensorflow")


def is_available() -> bool:
    """Returns whether TensorFlow is installed."""
    return is_installed("tensorflow")


def load_tensorflow() -> Any:
    """Imports TensorFlow, with the seed of `keras.utils.set_random_seed`."""
    seed = None if "tensorflow" in sys.modules else get_random_seed()
    if seed is not None:
        _tf.random.set_seed(seed)
    return _tf


def is_tf_dataset(x: object) -> bool:
    """Returns whether `x` is a `tf.data.Dataset`.

    Args:
        x: Any object.
    """
    tensorflow: Any = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def from_tensor_slices(samples: Any) -> Any:
    """Returns the data set of the samples in arrays or lists.

    Args:
        samples: Arrays and lists of one length, in tuples and dicts.
    """
    return load_tensorflow().data.Dataset.from_tensor_slices(samples)


def with_labels(
    read: Callable[[Any, Any], Any], label_mode: str | None, num_classes: int
) -> Callable[..., Any]:
    """Returns a function of a path and a class index that reads the file and encodes the label.

    Args:
        read: Reads a file, given the module `tensorflow` and a path.
        label_mode: How labels are encoded; with None the function takes a path alone.
        num_classes: Number of classes.
    """
    encode: dict[str | None, Callable[[Any], Any]] = {
        "int": lambda label: label,
        "binary": lambda label: _tf.expand_dims(_tf.cast(label, "float32"), -1),
        "categorical": lambda label: _tf.one_hot(label, num_classes),
    }

    def read_sample(path: Any, label: Any = None) -> Any:
        contents = read(_tf, path)
        return contents if label_mode is None else (contents, encode[label_mode](label))

    return read_sample


def read_files(
    files: Any,
    read: Callable[..., Any],
    batch_size: int | None,
    batch_method: str,
    workers: int | None,
    skips: bool,
) -> Any:
    """Returns the data set of what files contain.

    Args:
        files: Data set of paths, or of paths and labels.
        read: Reads a file.
        batch_size: Number of files in a batch, or None.
        batch_method: `"batch"` or `"padded_batch"`.
        workers: Number of files that are read at the same time; None if TensorFlow decides.
        skips: Whether files that cannot be read are left out: batches are smaller by them.
    """
    parallel = {"num_parallel_calls": workers or _tf.data.AUTOTUNE}
    if not skips:
        dataset = files.map(read, **parallel)
        dataset = dataset if batch_size is None else getattr(dataset, batch_method)(batch_size)
    elif batch_size is None:
        dataset = files.map(read, **parallel).ignore_errors(log_warning=True)
    else:

        def read_batch(*batch: Any) -> Any:
            window = batch[0] if len(batch) == 1 else _tf.data.Dataset.zip(batch)
            samples = window.map(read, **parallel).ignore_errors(log_warning=True)
            return getattr(samples, batch_method)(batch_size)

        dataset = files.window(batch_size).flat_map(read_batch)
    return dataset.prefetch(_tf.data.AUTOTUNE)


def to_arrays(dataset: Any) -> tuple[Any, int | None]:
    """Returns the samples of a data set as a list, and the size of its batches.

    Args:
        dataset: A `tf.data.Dataset`; batches are taken apart.
    """
    batch_size = getattr(dataset, "_batch_size", None)
    samples = dataset if batch_size is None else dataset.unbatch()
    return list(samples.as_numpy_iterator()), None if batch_size is None else int(batch_size)


def stack_samples(samples: list[Any]) -> Any:
    """Returns the data set of samples that are nested arrays.

    Args:
        samples: Samples of one structure.
    """
    stacked = load_tensorflow().nest.map_structure(lambda *leaves: np.stack(leaves), *samples)
    return from_tensor_slices(stacked)
