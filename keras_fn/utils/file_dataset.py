"""Data sets of the files of a directory: what images, texts and audio have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_fn.callbacks.progress_display import print_message
from keras_fn.data_adapters.dataset import Dataset, available_cpus
from keras_fn.data_adapters.transformations import ReadFile
from keras_fn.errors import SpecError, check_choice
from keras_fn.types import PathLike
from keras_fn.utils import tf_dataset
from keras_fn.utils.directory_index import (
    FileIndex,
    check_split,
    index_directory,
    shuffle_files,
    split_files,
)
from keras_fn.utils.grain_dataset import make_grain_dataset

FORMATS = ("tf", "keras", "grain")
LABEL_MODES = ("int", "categorical", "binary", None)


class FileReader(ABC):
    """Reads files of one kind.

    Attributes:
        extensions: The ends of their names, in lower case.
        batch_method: The method of a data set that makes batches of their contents.
    """

    extensions: tuple[str, ...]
    batch_method = "batch"

    def check_libraries(self) -> None:  # noqa: B027 - most need none
        """Raises ImportError if a library that `read` needs is not installed."""

    @abstractmethod
    def read(self, path: str) -> Any:
        """Returns the contents of a file, for the host.

        Args:
            path: Path of the file.
        """

    @abstractmethod
    def read_tf(self, tf: Any, path: Any) -> Any:
        """Returns the same as a tensor of TensorFlow.

        Args:
            tf: The module `tensorflow`.
            path: Path of the file, a symbolic string.
        """


class SampleReader:
    """Reads a file and encodes its label. A class, so that it can be sent to worker processes.

    Args:
        reader: Reads the file.
        label_mode: How labels are encoded.
        num_classes: Number of classes.
    """

    def __init__(self, reader: FileReader, label_mode: str | None, num_classes: int):
        self.reader, self.label_mode, self.num_classes = reader, label_mode, num_classes

    def __call__(self, path: str, label: Any = None) -> Any:
        contents = self.reader.read(path)
        return contents if self.label_mode is None else (contents, self.encode(label))

    def encode(self, label: Any) -> Any:
        """Returns a label as it is in batches.

        Args:
            label: A class index.
        """
        if self.label_mode == "int":
            return np.int32(label)
        if self.label_mode == "binary":
            return np.array([label], np.float32)
        one_hot = np.zeros(self.num_classes, np.float32)
        one_hot[label] = 1.0
        return one_hot


class FileOptions(NamedTuple):
    """How a data set is made of files.

    Attributes:
        reader: Reads a file, and encodes its label.
        batch_size: Number of files in a batch, or None.
        seed: Seed of the shuffling.
        workers: Number of workers, or None.
        skips: Whether files that cannot be read are left out.
    """

    reader: SampleReader
    batch_size: int | None
    seed: int
    workers: int | None
    skips: bool

    @property
    def shuffle_buffer(self) -> int:
        """The number of files from which the next one is drawn, as in Keras."""
        return 1024 if self.batch_size is None else 8 * self.batch_size


def dataset_from_directory(
    source: str,
    reader: FileReader,
    directory: PathLike,
    *,
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    format: str,
    verbose: bool,
    workers: int | None,
    on_error: str,
) -> Any:
    """Returns the data set of the files in a directory, or two of them for `subset="both"`.

    Args:
        source: The function that is called, for errors.
        reader: Reads a file.
        directory: The directory; this and the following as the function documents it.
    """
    check_choice(source, "label_mode", label_mode, LABEL_MODES)
    check_choice(source, "format", format, FORMATS)
    check_choice(source, "on_error", on_error, ("raise", "skip"))
    for name, value in (("batch_size", batch_size), ("workers", workers)):
        if value is not None:
            check_positive(source, name, value)
    check_split(source, validation_split, subset, shuffle, seed)
    if labels is None or label_mode is None:
        labels = label_mode = None
    seed = int(np.random.randint(10**6)) if seed is None else seed
    skips = on_error == "skip"
    index = index_directory(
        source, directory, labels, class_names, reader.extensions, follow_links, skips
    )
    names = index.class_names or []
    _check_encoding(source, label_mode, index)
    if verbose:
        classes = "" if label_mode is None else f" in {len(names)} classes"
        print_message(f"{len(index.paths)} files{classes}")
    if shuffle:
        index = shuffle_files(index, seed)
    parts = split_files(source, index, validation_split, subset, verbose)
    sample_reader = SampleReader(reader, label_mode, len(names))
    options = FileOptions(sample_reader, batch_size, seed, workers, skips)
    make = _MAKERS["keras" if format == "tf" and not tf_dataset.is_available() else format]
    datasets = []
    for i, part in enumerate(parts):
        # Of both parts, only the training data are in another order in each pass.
        dataset = make(part, options, shuffle and i == 0)
        dataset.class_names, dataset.file_paths = index.class_names, part.paths
        datasets.append(dataset)
    return datasets[0] if len(datasets) == 1 else tuple(datasets)


def _check_encoding(source: str, label_mode: str | None, index: FileIndex) -> None:
    """Checks that the labels can be encoded so."""
    names = index.class_names or []
    labels = np.zeros(0, np.int32) if index.labels is None else index.labels
    if label_mode == "binary" and len(names) != 2:
        raise SpecError(
            source,
            expected='two classes, for label_mode="binary"',
            received=f"{len(names)}: {', '.join(names[:10])}",
            fix='use label_mode="int", or name the two in class_names',
        )
    is_counted = label_mode in ("binary", "categorical") and labels.size
    if is_counted and (labels.min() < 0 or labels.max() >= len(names)):
        raise SpecError(
            source,
            expected=f"labels from 0 to {len(names) - 1}, for label_mode={label_mode!r}",
            received=f"labels {', '.join(names[:10])}",
            fix="number the classes from 0",
        )


def _read_files(
    index: FileIndex, options: FileOptions, shuffle_buffer: int | None, workers: int
) -> Dataset:
    """Returns the data set of samples, shuffled if there is a size of the buffer."""
    options.reader.reader.check_libraries()
    files = index.paths if index.labels is None else (index.paths, index.labels)
    dataset = Dataset(files, workers=workers)
    if shuffle_buffer is not None:
        dataset = dataset.shuffle(shuffle_buffer, seed=options.seed)
    return dataset._derive(ReadFile(dataset._transformation, options.reader, options.skips))


def _make_keras_dataset(index: FileIndex, options: FileOptions, shuffle: bool) -> Dataset:
    workers = min(available_cpus(), 16) if options.workers is None else options.workers
    dataset = _read_files(index, options, options.shuffle_buffer if shuffle else None, workers)
    if options.batch_size is None:
        return dataset
    return getattr(dataset, options.reader.reader.batch_method)(options.batch_size)


def _make_tf_dataset(index: FileIndex, options: FileOptions, shuffle: bool) -> Any:
    reader = options.reader
    read = tf_dataset.with_labels(reader.reader.read_tf, reader.label_mode, reader.num_classes)
    files = index.paths if index.labels is None else (index.paths, index.labels)
    dataset = tf_dataset.from_tensor_slices(files)
    if shuffle:
        dataset = dataset.shuffle(options.shuffle_buffer, seed=options.seed)
    # TensorFlow has no `padded_batch` of ragged tensors, and its `batch` takes them.
    method = reader.reader.batch_method.replace("ragged_", "")
    return tf_dataset.read_files(
        dataset, read, options.batch_size, method, options.workers, options.skips
    )


def _make_grain_dataset(index: FileIndex, options: FileOptions, shuffle: bool) -> Any:
    return make_grain_dataset(
        _read_files(index, options, None, workers=0),
        options.batch_size,
        options.reader.reader.batch_method,
        options.seed if shuffle else None,
    )


_MAKERS: dict[str, Callable[[FileIndex, FileOptions, bool], Any]] = {
    "keras": _make_keras_dataset,
    "tf": _make_tf_dataset,
    "grain": _make_grain_dataset,
}


def check_positive(source: str, argument: str, value: Any) -> int:
    """Returns an argument that is a positive integer.

    Args:
        source: The function that is called, for errors.
        argument: The name of the argument.
        value: Its value.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise SpecError(
            source,
            expected=f"{argument} as a positive integer, or None",
            received=f"{argument}={value!r:.100}",
            fix=f"for example {argument}=32",
        )
    return int(value)
